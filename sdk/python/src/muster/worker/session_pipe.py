"""Starts the session process, and is the worker's side of the pipe to it."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import subprocess
import sys
from collections.abc import Iterator

from muster.worker.frame_writer import FrameWriter, LateFrame
from muster.worker.frames import FrameReader
from muster.worker.lease_watch import LeaseWatch
from muster.worker.messages import Configuration

_CHUNK_BYTES = 256 * 1024
_EXIT_SECONDS = 5.0
# The child must import the same modules as the parent, so it gets the parent's path before it imports anything.
_PROGRAM = (
    "import sys; sys.path[:] = sys.argv[3:]\n"
    "from muster.worker.session_process import main; main(int(sys.argv[1]), int(sys.argv[2]))"
)


class SessionPipe:
    """One session process.

    Attributes:
        pid: Process id.
    """

    def __init__(self, configuration: Configuration) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            command = [sys.executable, "-c", _PROGRAM, str(theirs.fileno()), str(os.getpid()), *sys.path]
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(),), env=_environment()
            )
        self._end = ours
        self._poll = select.poll()
        self._poll.register(ours, select.POLLIN)
        self._writer = FrameWriter(ours)
        self.pid = self._process.pid
        self.send(configuration.to_frame())

    def send(self, data: bytes | LateFrame) -> None:
        """Sends a frame; does nothing once the process is gone."""
        self._writer.send(data)

    def frames(self, lease: LeaseWatch) -> Iterator[tuple[int, bytes]]:
        """Yields incoming frames, until the process is gone."""
        reader = FrameReader()
        while True:
            lease.wait(self._has_data)
            try:
                data = self._end.recv(_CHUNK_BYTES)
            except OSError:
                return
            if not data:
                return
            yield from reader.feed(data)

    def _has_data(self, seconds: float | None) -> bool:
        return bool(self._poll.poll(None if seconds is None else seconds * 1_000))

    def hang_up(self) -> None:
        """Closes the connection; the process then exits."""
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)

    def close(self) -> int:
        """Ends the process, if it still runs, and returns its exit code."""
        self.hang_up()
        self._end.close()
        try:
            return self._process.wait(_EXIT_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            return self._process.wait(_EXIT_SECONDS)


def _environment() -> dict[str, str]:
    """Silences the line that gRPC writes for each connection that a server ends; the session logs it already."""
    return {"GRPC_VERBOSITY": "ERROR", **os.environ}
