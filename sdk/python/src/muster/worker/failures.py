"""Converts exceptions to failures."""

from __future__ import annotations

import subprocess
import traceback

from muster.durations import to_duration
from muster.errors import InfrastructureError, NonRetryableError, RetryLater
from muster.v1.failure_pb2 import FAILURE_CAUSE_APPLICATION, FAILURE_CAUSE_INFRASTRUCTURE, Failure

MAX_TYPE_CHARACTERS = 256
MAX_MESSAGE_BYTES = 8 * 1024
MAX_TRACE_BYTES = 16 * 1024
MAX_LEVELS = 16
HIGHEST_EXIT_CODE = 255
# The module that calls handlers; its frames are irrelevant to users and left out.
_CALLER = "muster.worker.handler_run"


def failure_from(error: BaseException, max_payload: int = 0) -> Failure:
    """Describes an exception with its chain of causes, explicit (`raise ... from`) and implicit.

    Args:
        error: The exception.
        max_payload: Maximum size of the details in bytes; larger details are left out. 0: not stated.
    """
    failure = outermost = _describe(error)
    seen = {id(error)}
    cause = _cause_of(error)
    while cause is not None and id(cause) not in seen and len(seen) < MAX_LEVELS:
        seen.add(id(cause))
        failure.cause.CopyFrom(_describe(cause))
        failure = failure.cause
        cause = _cause_of(cause)
    if isinstance(error, NonRetryableError):
        outermost.non_retryable = True
        if error.details is not None and not 0 < max_payload < len(error.details.data):
            outermost.details.CopyFrom(error.details)
    if isinstance(error, InfrastructureError):
        outermost.failure_cause = FAILURE_CAUSE_INFRASTRUCTURE
    if isinstance(error, RetryLater):
        outermost.retry_delay.CopyFrom(to_duration(max(0.0, error.seconds)))
    return outermost


def unwritable(error: BaseException, broken: Exception) -> Failure:
    """Replaces the description of an exception that can't be described; reads only its type."""
    return Failure(
        type=type(error).__name__[:MAX_TYPE_CHARACTERS],
        message=f"the failure can't be written: {type(broken).__name__}",
        failure_cause=FAILURE_CAUSE_APPLICATION,
    )


def _describe(error: BaseException) -> Failure:
    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_globals.get("__name__") == _CALLER:
        trace = trace.tb_next
    stack = "".join(traceback.format_tb(trace)) + "".join(traceback.format_exception_only(type(error), error))
    return Failure(
        type=type(error).__name__[:MAX_TYPE_CHARACTERS],
        message=_head(_message_of(error), MAX_MESSAGE_BYTES),
        stack_trace=_tail(stack, MAX_TRACE_BYTES),
        failure_cause=FAILURE_CAUSE_APPLICATION,
        exit_code=_exit_code_of(error),
    )


def _exit_code_of(error: BaseException) -> int:
    """0 means no exit code. As in shells, a process ended by a signal has 128 plus the signal's number."""
    code = getattr(error, "exit_code", None)
    if code is None and isinstance(error, subprocess.CalledProcessError):
        code = error.returncode if error.returncode >= 0 else 128 - error.returncode
    return code if isinstance(code, int) and 1 <= code <= HIGHEST_EXIT_CODE else 0


def _message_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as broken:  # noqa: BLE001 - a user's __str__ may do anything
        return f"<no message: {type(broken).__name__}>"


def _cause_of(error: BaseException) -> BaseException | None:
    if error.__cause__ is not None:
        return error.__cause__
    return None if error.__suppress_context__ else error.__context__


def _head(text: str, most: int) -> str:
    data = text.encode(errors="replace")
    return data.decode() if len(data) <= most else data[:most].decode(errors="ignore")


def _tail(text: str, most: int) -> str:
    """Keeps the end of a trace, which shows where the error occurred."""
    data = text.encode(errors="replace")
    return data.decode() if len(data) <= most else data[-most:].decode(errors="ignore")
