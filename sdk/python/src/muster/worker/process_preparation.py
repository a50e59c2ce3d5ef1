"""The preparation of a handler process: the modules that it imports before it runs handlers."""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Mapping
from multiprocessing import spawn
from typing import Any

from muster.worker.function_name import FunctionName
from muster.worker.handler_entry import HandlerEntry
from muster.worker.messages import Kind, json_frame

_NAME = "muster-handler"


def is_handler_process() -> bool:
    """Whether this process runs handlers for a worker in another process."""
    return multiprocessing.current_process().name == _NAME


def preparation_frame(functions: Mapping[str, Callable[..., Any]]) -> bytes:
    """Returns the first frame for a handler process: how to import the main module, and the handlers."""
    process = _main_module()
    names = {name: FunctionName.of(function) for name, function in functions.items()}
    handlers = {name: [where.module, where.path] for name, where in names.items()}
    return json_frame(Kind.PREPARE, {"process": process, "handlers": handlers})


def _main_module() -> dict[str, Any]:
    chosen = multiprocessing.get_start_method(allow_none=True)
    data: dict[str, Any] = spawn.get_preparation_data(_NAME)
    del data["authkey"]  # of no use there, and nothing to pass around
    if chosen is None:
        # Reading it has fixed the start method, which the program may still want to choose, in both processes.
        multiprocessing.set_start_method(None, force=True)
        del data["start_method"]
    return data


def prepare(facts: Mapping[str, Any]) -> dict[str, HandlerEntry]:
    """Imports the modules of the frame and returns the handlers; raises any exception of these modules."""
    spawn.prepare(facts["process"])
    return {name: HandlerEntry.of(FunctionName(*where).find()) for name, where in facts["handlers"].items()}
