"""A registered handler: its function, the type of its input, and how it is called."""

from __future__ import annotations

import functools
import inspect
import typing
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from muster.payloads import PayloadReader, payload_reader
from muster.worker.function_name import FunctionName
from muster.worker.job_context import JobContext

# Number of parameters of a handler: context and input.
_TAKEN = 2

HandlerFunction: TypeAlias = Callable[[JobContext, Any], Any]


@dataclass(frozen=True, slots=True)
class HandlerEntry:
    """Describes how to call a handler.

    Attributes:
        function: The handler itself.
        read_input: Reads the input by the type hint of the second parameter.
        is_async: Whether it is a coroutine function.
        kill_after: For a handler that runs in a process: the seconds between the request to stop and the kill. None: it
            runs in this process.
    """

    function: HandlerFunction
    read_input: PayloadReader
    is_async: bool
    kill_after: float | None = None

    @classmethod
    def of(cls, function: HandlerFunction, kill_after: float | None = None) -> HandlerEntry:
        """Inspects a function.

        Raises:
            TypeError: The function does not take a context and an input, the type of its input is not supported, or
                another process could not import it.
        """
        if kill_after is not None:
            FunctionName.of(function)
        return cls(function, payload_reader(_input_hint(function), "input"), _is_async(function), kill_after)


def _is_async(function: Any) -> bool:
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(getattr(function, "__call__", None))  # noqa: B004


def _input_hint(function: HandlerFunction) -> Any:
    """Reads only the hint of the input: hints of other parameters may be unavailable at run time."""
    parameters = list(inspect.signature(function).parameters.values())
    taken = [one for one in parameters if one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)]
    if len(taken) < _TAKEN and not any(one.kind is one.VAR_POSITIONAL for one in parameters):
        raise TypeError(f"the handler {_name_of(function)} has to take two arguments: the context and the input")
    if len(taken) < _TAKEN or taken[1].annotation is inspect.Parameter.empty:
        return Any
    holder = type("Hints", (), {"__annotations__": {"input": taken[1].annotation}})
    try:
        return typing.get_type_hints(holder, globalns=_globals_of(function), include_extras=True)["input"]
    except NameError as error:
        raise TypeError(
            f"the handler {_name_of(function)}: the hint of its input names what its module does not have: {error}"
        ) from error


def _globals_of(function: Any) -> dict[str, Any]:
    while isinstance(function, functools.partial):
        function = function.func
    plain = inspect.unwrap(function)
    plain = getattr(plain, "__func__", plain)
    found: dict[str, Any] = getattr(plain if inspect.isfunction(plain) else type(plain).__call__, "__globals__", {})
    return found


def _name_of(function: Any) -> str:
    return getattr(function, "__qualname__", repr(function))
