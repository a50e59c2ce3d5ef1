"""Writes to a handler process in a thread of its own: a process that reads nothing delays only itself."""

from __future__ import annotations

import contextlib
import socket
import threading
from queue import SimpleQueue

# With this many bytes waiting, the process is assumed to read nothing.
MAX_WAITING_BYTES = 32 * 1024 * 1024


class ProcessWriter:
    """Accepts frames at once, from many threads, and writes them in order.

    Args:
        end: The worker's end of the pipe.
        name: Name of the thread.
    """

    def __init__(self, end: socket.socket, name: str) -> None:
        self._end = end
        self._line: SimpleQueue[bytes | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._waiting_bytes = 0
        self._thread = threading.Thread(target=self._write, name=name, daemon=True)
        self._thread.start()

    def send(self, data: bytes) -> None:
        """Queues frames; meant for the few frames that every process gets. Frames to a broken pipe are dropped."""
        with self._lock:
            self._waiting_bytes += len(data)
        self._line.put(data)

    def offer(self, data: bytes) -> bool:
        """Like `send`, but returns False instead of keeping more than 32 MiB for a process that reads nothing."""
        with self._lock:
            if self._waiting_bytes + len(data) > MAX_WAITING_BYTES:
                return False
            self._waiting_bytes += len(data)
        self._line.put(data)
        return True

    def close(self) -> None:
        """Ends the thread, also in the middle of a write; the caller closes the socket."""
        self._line.put(None)
        with contextlib.suppress(OSError):
            self._end.shutdown(socket.SHUT_RDWR)
        self._thread.join()

    def _write(self) -> None:
        while (data := self._line.get()) is not None:
            with contextlib.suppress(OSError):  # the reader sees the end of the pipe
                self._end.sendall(data)
            with self._lock:
                self._waiting_bytes -= len(data)
