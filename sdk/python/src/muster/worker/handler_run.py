"""Runs one handler for one attempt."""

from __future__ import annotations

import uuid
from typing import Any

from muster import payloads
from muster.errors import HandlerSuspended, NonRetryableError, WaitsForChildren
from muster.v1.payload_pb2 import Payload
from muster.worker.failures import failure_from, unwritable
from muster.worker.frames import MAX_BODY_BYTES
from muster.worker.handler_entry import HandlerEntry
from muster.worker.job_context import JobContext
from muster.worker.reports import too_large
from muster.worker.v1.attempt_report_pb2 import AttemptReport

# Maximum size if the control plane states none: it surely fits into the pipe to the session process.
_MAX_UNSTATED_BYTES = MAX_BODY_BYTES // 2


def run_handler(handler: HandlerEntry, context: JobContext) -> AttemptReport:
    """Calls a synchronous handler and returns its report; never raises."""
    try:
        with context.spanned():
            return _result(context, handler.function(context, _input_of(handler, context)))
    except BaseException as error:  # noqa: BLE001 - any exception ends only this attempt
        return _failure(context, error)


async def run_async_handler(handler: HandlerEntry, context: JobContext) -> AttemptReport:
    """Awaits an asynchronous handler and returns its report; never raises."""
    try:
        with context.spanned():
            return _result(context, await handler.function(context, _input_of(handler, context)))
    except BaseException as error:  # noqa: BLE001 - as above; also the cancellation by which it is asked to stop
        return _failure(context, error)


def _input_of(handler: HandlerEntry, context: JobContext) -> Any:
    try:
        return handler.read_input(context.input)
    except payloads.PayloadError as error:
        raise NonRetryableError(str(error)) from error


def _result(context: JobContext, value: Any) -> AttemptReport:
    report = context.new_report()
    report.result.CopyFrom(_written(value))
    size, most = len(report.result.data), context.max_payload or _MAX_UNSTATED_BYTES
    return too_large((report.job_id, report.attempt), size, most) if size > most else report


def _written(value: Any) -> Payload:
    try:
        return payloads.encode(value)
    except MemoryError:
        raise  # the machine's fault: another attempt may find more of it
    except Exception as error:
        raise NonRetryableError(f"the result can't be written: {error}") from error


def _failure(context: JobContext, error: BaseException) -> AttemptReport:
    report = context.new_report()
    try:
        if isinstance(error, WaitsForChildren):
            report.suspended.child_job_ids.extend(uuid.UUID(child).bytes for child in error.child_ids)
        elif isinstance(error, HandlerSuspended):
            report.suspended.SetInParent()
        else:
            report.failure.CopyFrom(failure_from(error, context.max_payload))
    except Exception as broken:  # noqa: BLE001 - a user's exception may do anything; without a report its slot is lost
        report.failure.CopyFrom(unwritable(error, broken))
    return report
