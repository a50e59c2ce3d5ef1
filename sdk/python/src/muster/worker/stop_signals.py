"""SIGINT and SIGTERM as requests to stop. Only the main thread can receive them."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_NUMBERS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_signals(on_signal: Callable[[], None]) -> Iterator[None]:
    """Calls `on_signal` for each signal, in a new thread: the signal may have interrupted code that holds a lock."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(*_: object) -> None:
        threading.Thread(target=on_signal, daemon=True).start()

    before = {number: signal.signal(number, handle) for number in _NUMBERS}
    try:
        yield
    finally:
        for number, action in before.items():
            signal.signal(number, action)


@contextmanager
def loop_stop_signals(loop: asyncio.AbstractEventLoop, on_signal: Callable[[], None]) -> Iterator[None]:
    """Calls `on_signal` for each signal in the running event loop."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    for number in _NUMBERS:
        loop.add_signal_handler(number, on_signal)
    try:
        yield
    finally:
        for number in _NUMBERS:
            loop.remove_signal_handler(number)
