"""Threads that run handlers."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue


class HandlerPool:
    """Starts threads on demand.

    The session starts no more attempts than there are slots, which bounds the queue. The threads are daemons: a handler
    that does not stop must not keep the process alive.
    """

    def __init__(self) -> None:
        self._line: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0
        self._count = 0

    def submit(self, work: Callable[[], None]) -> None:
        """Runs the work in a thread at once. The work must not raise."""
        with self._lock:
            if self._idle > 0:
                self._idle -= 1
            else:
                self._count += 1
                threading.Thread(target=self._serve, name=f"muster-handler-{self._count}", daemon=True).start()
        self._line.put(work)

    def _serve(self) -> None:
        while True:
            self._line.get()()
            with self._lock:
                self._idle += 1
