"""The event loop of asynchronous handlers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeAlias

from muster.worker.job_context import JobContext

Work: TypeAlias = Callable[[], Coroutine[Any, Any, None]]

_LAST_WORDS_SECONDS = 1.0


class HandlerLoop:
    """Runs handlers as tasks: in a given loop, or in a loop of its own whose thread starts with the first handler.

    A handler that is asked to stop is cancelled once, at its current `await`.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        self._loop = loop
        self._thread: threading.Thread | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def submit(self, work: Work, context: JobContext) -> None:
        """Starts work for an attempt. The work must not raise."""
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._serve, args=(self._loop,), name="muster-loop", daemon=True)
            self._thread.start()
        self._loop.call_soon_threadsafe(self._start, work, context)

    def close(self) -> None:
        """Cancels running tasks, and ends its own loop within about a second."""
        loop, thread = self._loop, self._thread
        if loop is None or loop.is_closed():
            return
        loop.call_soon_threadsafe(self._cancel_all)
        if thread is not None:
            asyncio.run_coroutine_threadsafe(self._wait_for_all(), loop).add_done_callback(
                lambda _: loop.call_soon_threadsafe(loop.stop)
            )
            thread.join(2 * _LAST_WORDS_SECONDS)

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        try:
            loop.run_forever()
            loop.run_until_complete(loop.shutdown_asyncgens())
        finally:
            loop.close()

    def _start(self, work: Work, context: JobContext) -> None:
        loop = asyncio.get_running_loop()
        task = loop.create_task(work())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        context.when_stopped(lambda: loop.call_soon_threadsafe(task.cancel))

    def _cancel_all(self) -> None:
        for task in self._tasks:
            task.cancel()

    async def _wait_for_all(self) -> None:
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_LAST_WORDS_SECONDS)
