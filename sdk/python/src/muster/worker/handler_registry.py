"""The registered handlers of a worker."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from muster.v1.worker_pb2 import Handler
from muster.worker.handler_entry import HandlerEntry, HandlerFunction

FunctionT = TypeVar("FunctionT", bound=HandlerFunction)


class HandlerRegistry:
    """Accepts handlers until the worker is started."""

    def __init__(self) -> None:
        self._handlers: dict[str, HandlerEntry] = {}
        self._offers: list[Handler] = []
        self._is_sealed = False

    def handler(
        self,
        name: str | None = None,
        *,
        process: bool = False,
        kill_after: float = 5.0,
        min_version: int = 0,
        max_version: int = 0,
    ) -> Callable[[FunctionT], FunctionT]:
        """Registers a function `(ctx, input) -> result`, synchronous or asynchronous, as a handler.

        Its input is read by the type hint of the second parameter: a dataclass, a pydantic model, a msgspec struct, a
        protobuf message, or another type that `muster.payloads.payload_reader` supports; without a hint it is the JSON
        value. An input that does not fit fails the job permanently. An asynchronous handler that is asked to stop is
        cancelled at its current `await`.

        Args:
            name: The handler's name in the definition. None: the function's name.
            process: Whether the handler runs in a process of its own: for code that keeps the CPU, and so Python's
                lock, that may crash, or that must end when it is asked to stop. The function must be at the top level
                of a module, and the main module must start the worker under `if __name__ == "__main__":`.
            kill_after: Seconds from the request to stop (a cancel, the run timeout, a lost lease, the worker's end)
                until that process is killed together with all processes that the handler started.
            min_version: Lowest supported version of the definition. 0: any.
            max_version: Highest supported version of the definition. 0: any.
        """

        def decorate(function: FunctionT) -> FunctionT:
            handler_name = name if name is not None else getattr(function, "__name__", "")
            self.add_handler(
                handler_name,
                function,
                process=process,
                kill_after=kill_after,
                min_version=min_version,
                max_version=max_version,
            )
            return function

        return decorate

    def add_handler(
        self,
        name: str,
        function: HandlerFunction,
        *,
        process: bool = False,
        kill_after: float = 5.0,
        min_version: int = 0,
        max_version: int = 0,
    ) -> None:
        """Registers a handler; see `handler`.

        Raises:
            ValueError: The name is empty or already registered, or `kill_after` is negative.
            TypeError: The function does not take a context and an input, the type of its input is not supported, or it
                is to run in a process and is not at the top level of a module.
            RuntimeError: The worker has been started.
        """
        if self._is_sealed:
            raise RuntimeError("handlers are registered before the worker is started")
        if not name or name in self._handlers:
            raise ValueError(f"there is a handler named {name!r} already" if name else "a handler needs a name")
        if not 0 <= kill_after < math.inf:
            raise ValueError(f"kill_after is {kill_after} and must be a number of seconds")
        self._handlers[name] = HandlerEntry.of(function, kill_after if process else None)
        self._offers.append(Handler(name=name, min_version=min_version, max_version=max_version))
