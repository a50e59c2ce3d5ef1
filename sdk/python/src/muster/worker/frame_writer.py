"""Writes frames from many threads to one socket; frames that arrive during a write are written together."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections import deque
from typing import Protocol


class LateFrame(Protocol):
    """A frame that is built when it is written, so that it has the newest content."""

    def take_frame(self) -> bytes:
        """Returns the frame, or nothing if it is no longer needed."""


class FrameWriter:
    """The thread that finds the socket free writes the frames of all threads."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._line: deque[bytes | LateFrame] = deque()
        self._lock = threading.Lock()

    def send(self, data: bytes | LateFrame) -> None:
        """Writes a frame, or leaves it to the thread that is writing. Frames to a broken pipe are dropped."""
        self._line.append(data)
        # A frame that is added between the last check and the release is found by the check after the release.
        while self._line and self._lock.acquire(blocking=False):
            try:
                self._write()
            finally:
                self._lock.release()

    def _write(self) -> None:
        parts: list[bytes] = []
        while self._line:
            item = self._line.popleft()
            parts.append(item if isinstance(item, bytes) else item.take_frame())
        with contextlib.suppress(OSError):  # the reader sees the end of the pipe
            self._end.sendall(b"".join(parts))
