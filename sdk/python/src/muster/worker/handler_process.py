"""Starts a handler process and is the worker's end of the pipe to it."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

import grpc

from muster.worker.frames import FrameError, FrameReader
from muster.worker.piped_calls import PipedAnswer
from muster.worker.process_writer import ProcessWriter

_CHUNK_BYTES = 256 * 1024
_logger = logging.getLogger("muster.worker")
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[3:]\n"
    "from muster.worker.process_program import main; main(int(sys.argv[1]), int(sys.argv[2]))"
)


class HandlerProcess:
    """One process, in a session of its own: it is killed with all that its handler has started.

    Attributes:
        pid: Its process id.
        is_killed: Whether it was killed from here.
        complaint: Why it could not begin. Empty: it could, or has not said so yet.
    """

    def __init__(
        self,
        preparation: bytes,
        on_frame: Callable[[HandlerProcess, int, bytes], None],
        on_end: Callable[[HandlerProcess, int], None],
    ) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-c", _PROGRAM, str(theirs.fileno()), str(os.getpid()), *sys.path]
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),), start_new_session=True
            )
        self._end = ours
        self._on_frame = on_frame
        self._on_end = on_end
        self.pid = self._process.pid
        self._writer = ProcessWriter(ours, f"muster-process-{self.pid}-writer")
        self.is_killed = False
        self.complaint = ""
        self.send(preparation)
        threading.Thread(target=self._listen, name=f"muster-process-{self.pid}", daemon=True).start()

    def send(self, data: bytes) -> None:
        """Sends frames, and waits for nothing; does nothing once the process is gone."""
        self._writer.send(data)

    def answer(self, answer: PipedAnswer) -> None:
        """Sends the answer to a call: one that fails where too much waits for the process to read it."""
        if not self._writer.offer(answer.to_frame()):
            _logger.warning("too much waits for the handler process %d to read it: a call fails for that", self.pid)
            why = "too many bytes of answers wait for the process of this handler to read them"
            self.send(PipedAnswer(answer.number, grpc.StatusCode.RESOURCE_EXHAUSTED.name, why).to_frame())

    def hang_up(self) -> None:
        """Lets it end by itself, as it does where it runs no handler; its end is told as any other."""
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_WR)

    def kill(self) -> None:
        """Ends it at once; its end is told as any other."""
        self.is_killed = True
        self._kill_group()

    def _kill_group(self) -> None:
        # The process is not reaped before its end of the pipe is closed, so the number is still its own.
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def _listen(self) -> None:
        reader = FrameReader()
        try:
            while data := self._end.recv(_CHUNK_BYTES):
                for kind, body in reader.feed(data):
                    self._on_frame(self, kind, body)
        except FrameError as error:
            self.complaint = str(error)
        except OSError:
            pass  # it has ended with something unread
        finally:
            self._kill_group()  # what its handlers have left running
            code = self._process.wait()
            self._writer.close()
            self._end.close()
            self._on_end(self, code)
