"""Runs one handler for one attempt."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from muster import payloads
from muster.errors import FinalError
from muster.v1.assignment_pb2 import Assignment
from muster.v1.session_service_pb2 import AttemptReport
from muster.worker.failures import failure_from
from muster.worker.job_context import JobContext

HandlerFunction: TypeAlias = Callable[[JobContext, Any], Any]


def run_handler(function: HandlerFunction, context: JobContext, assignment: Assignment, max_payload: int) -> bytes:
    """Calls the handler and returns the serialised report of what came of it; never raises.

    Args:
        function: The handler.
        context: What it gets beside the decoded input.
        assignment: The attempt.
        max_payload: Largest payload that the control plane takes, in bytes. 0: not stated.
    """
    report = AttemptReport(job_id=assignment.job_id, attempt=assignment.attempt)
    try:
        report.result.CopyFrom(payloads.encode(_call(function, context)))
    except BaseException as error:  # noqa: BLE001 - whatever it is, it ends this attempt and nothing else
        report.failure.CopyFrom(failure_from(error, max_payload))
    serialised: bytes = report.SerializeToString()
    return serialised


def _call(function: HandlerFunction, context: JobContext) -> Any:
    try:
        value = payloads.decode(context.input)
    except payloads.PayloadError as error:
        raise FinalError(str(error)) from error
    return function(context, value)
