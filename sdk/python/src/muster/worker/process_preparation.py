"""What a handler process has to import before it can run handlers, as its worker knows it."""

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
    """Whether this process runs handlers for a worker in another one."""
    return multiprocessing.current_process().name == _NAME


def preparation_frame(functions: Mapping[str, Callable[..., Any]]) -> bytes:
    """Returns the first frame for a handler process: how to import the main module, and which handlers there are."""
    process = _main_module()
    names = {name: FunctionName.of(function) for name, function in functions.items()}
    handlers = {name: [where.module, where.path] for name, where in names.items()}
    return json_frame(Kind.PREPARE, {"process": process, "handlers": handlers})


def _main_module() -> dict[str, Any]:
    chosen = multiprocessing.get_start_method(allow_none=True)
    data: dict[str, Any] = spawn.get_preparation_data(_NAME)
    del data["authkey"]  # of no use there, and nothing to pass around
    if chosen is None:
        # Asking settled what is the program's to choose, here and there.
        multiprocessing.set_start_method(None, force=True)
        del data["start_method"]
    return data


def prepare(facts: Mapping[str, Any]) -> dict[str, HandlerEntry]:
    """Imports what the frame says, and returns the handlers; raises whatever the modules raise."""
    spawn.prepare(facts["process"])
    return {name: HandlerEntry.of(FunctionName(*where).find()) for name, where in facts["handlers"].items()}
