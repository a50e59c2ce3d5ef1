"""Starts a handler process, and is the worker's side of the pipe to it."""

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
    """A process with its own process group, which is killed together with all processes that its handler started.

    Attributes:
        pid: Process id.
        is_killed: Whether this worker killed it.
        complaint: Why it could not start. Empty: it did, or has not reported yet.
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
        """Sends frames without waiting; does nothing once the process is gone."""
        self._writer.send(data)

    def answer(self, answer: PipedAnswer) -> None:
        """Sends the answer to a call, or an error if too many bytes wait for the process to read them."""
        if not self._writer.offer(answer.to_frame()):
            _logger.warning("the handler process %d does not read its answers: a call fails", self.pid)
            why = "the process of this handler does not read its answers, and too many bytes wait for it"
            self.send(PipedAnswer(answer.number, grpc.StatusCode.RESOURCE_EXHAUSTED.name, why).to_frame())

    def hang_up(self) -> None:
        """Closes the pipe, so that a process without a running handler exits; `on_end` is called as usual."""
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_WR)

    def kill(self) -> None:
        """Kills the process at once; `on_end` is called as usual."""
        self.is_killed = True
        self._kill_group()

    def _kill_group(self) -> None:
        # The process is not reaped before its pipe is closed, so the pid still belongs to it.
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
            self._kill_group()  # processes that its handlers left running
            code = self._process.wait()
            self._writer.close()
            self._end.close()
            self._on_end(self, code)
