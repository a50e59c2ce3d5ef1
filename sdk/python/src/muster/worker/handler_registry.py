"""The handlers of a worker, as its program registers them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from muster.v1.worker_pb2 import Handler
from muster.worker.handler_entry import HandlerEntry, HandlerFunction

FunctionT = TypeVar("FunctionT", bound=HandlerFunction)


class HandlerRegistry:
    """Takes handlers until the worker is started."""

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
        """Decorates a function `(ctx, input) -> result`, plain or asynchronous, as a handler.

        Its input is read as the type hint of its second parameter says: a dataclass, a protobuf message, and what
        `muster.payloads.payload_reader` names besides; without a hint it is what the JSON holds. An input that does not
        fit fails the job for good. An asynchronous handler that is asked to stop is cancelled at what it awaits.

        Args:
            name: Name of the definition's handler. None: the function's own name.
            process: Whether it runs in a process of its own: for work that keeps the CPU, and so Python's lock, that
                may crash, or that has to end when it is asked to, whatever it does. The function is at the top of a
                module, and the main module runs the worker only under `if __name__ == "__main__":`.
            kill_after: Seconds from the request to stop (a cancel, the run timeout, a lost lease, the worker's end) to
                the kill of that process, with all that the handler has started.
            min_version: Lowest definition version that it serves. 0: any.
            max_version: Highest definition version that it serves. 0: any.
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
            ValueError: There is one of this name already, no name, or `kill_after` is negative.
            TypeError: It does not take a context and an input, no input can be read as its hint says, or it is to run
                in a process and is not at the top of a module.
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
