"""A worker in its own process, which prints a line for each event."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from tests.support.facts import eventually, process_is_alive

_FRAME = """
import sys, threading, time
from muster import Worker

saying = threading.Lock()

def say(*words):
    # print writes word by word, so lines of two threads would mix.
    with saying:
        print(*words, flush=True)

worker = Worker(sys.argv[1], slots=2, drain_timeout=20.0)

{body}

def announce():
    while not worker.wait_open(30):
        time.sleep(0.01)  # run() has not begun yet
    say("session", worker.session_pid)

threading.Thread(target=announce, daemon=True).start()
worker.run()
say("over")
"""


class WorkerScript:
    """Runs it.

    Attributes:
        lines: What it has said so far.
        pid: Its process id.
    """

    def __init__(self, path: Path, address: str, body: str) -> None:
        path.write_text(_FRAME.replace("{body}", body))
        source = Path(__file__).resolve().parents[2] / "src"
        environment = {**os.environ, "PYTHONPATH": str(source)}
        self._process = subprocess.Popen(
            [sys.executable, str(path), address], stdout=subprocess.PIPE, text=True, env=environment
        )
        self.pid = self._process.pid
        self.lines: list[str] = []
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def said(self, word: str, seconds: float = 60.0) -> str:
        """Waits for a line that begins with the word and returns it."""
        try:
            return eventually(
                lambda: next((line for line in self.lines if line.startswith(word)), ""),
                f"the worker says {word!r}",
                seconds,
            )
        except AssertionError as error:
            raise AssertionError(f"{error}; it said {self.lines[-20:]}") from error

    def session_pid(self) -> int:
        return int(self.said("session").split()[1])

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def wait(self, seconds: float) -> int:
        return self._process.wait(seconds)

    def end(self) -> None:
        self._process.kill()
        self._process.wait(10)
        self._reading.join(10)
        assert self._process.stdout is not None
        self._process.stdout.close()
        for line in self.lines:
            if line.startswith("session "):
                pid = int(line.split()[1])
                eventually(lambda pid=pid: not process_is_alive(pid), "the session process is gone")

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.rstrip("\n"))
