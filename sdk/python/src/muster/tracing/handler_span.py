"""The span of a running handler: a child of the control plane's attempt span, active while the handler runs."""

from __future__ import annotations

import uuid
from types import TracebackType
from typing import TYPE_CHECKING

from muster.errors import HandlerSuspended, WaitsForChildren
from muster.tracing.attempt_span_id import attempt_span_id
from muster.tracing.tracer import (
    HAS_OPENTELEMETRY,
    TraceFields,
    active_tracer,
    context_of,
    messaging_attributes,
    trace_fields,
)
from muster.worker.v1.assignment_pb2 import Assignment

if HAS_OPENTELEMETRY:
    from opentelemetry import context as contexts
    from opentelemetry import trace
    from opentelemetry.trace import Link, SpanContext, SpanKind, Status, StatusCode

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer


class HandlerSpan:
    """The span, active in the enclosed code of the thread or task. An exception that leaves the code is recorded."""

    def __init__(self, tracer: Tracer, assignment: Assignment) -> None:
        around = attempt_context(assignment)
        self._span: Span = tracer.start_span(
            f"process {assignment.definition}",
            around,
            SpanKind.CONSUMER,
            {
                **attempt_attributes(assignment),
                "messaging.operation.name": "process",
                "messaging.operation.type": "process",
            },
            _links_of(assignment, trace.get_current_span(around).get_span_context()),
        )
        self._context: Context = trace.set_span_in_context(self._span, around)

    @classmethod
    def start(cls, assignment: Assignment) -> HandlerSpan | None:
        """Starts the span of an attempt; None if the application has set up no tracing."""
        tracer = active_tracer()
        return None if tracer is None else cls(tracer, assignment)

    @property
    def fields(self) -> TraceFields | None:
        """Trace context for the handler's calls. None: the span has none."""
        return trace_fields(self._span)

    def __enter__(self) -> None:
        self._token = contexts.attach(self._context)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        contexts.detach(self._token)
        # A handler that waits for children, or has suspended its job, has not failed.
        if error is not None and not isinstance(error, (WaitsForChildren, HandlerSuspended)):
            self._span.record_exception(error)
            self._span.set_attribute("error.type", type(error).__name__)
            self._span.set_status(Status(StatusCode.ERROR, message_of(error)))
        self._span.end()


def attempt_context(assignment: Assignment) -> Context:
    """Returns a context with the trace context of the assignment, if it has one."""
    return context_of(assignment.traceparent, assignment.tracestate)


def message_of(error: BaseException) -> str:
    """Returns the message of an exception, or its type if the message can't be read."""
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - a user's __str__ may do anything
        return type(error).__name__


def _links_of(assignment: Assignment, parent: SpanContext) -> list[Link]:
    """Returns no links if the control plane sends no spans: their target would not exist."""
    job_id, attempt = assignment.job_id, assignment.attempt
    if attempt <= 1 or parent.span_id != attempt_span_id(job_id, attempt):
        return []
    before = SpanContext(
        parent.trace_id,
        attempt_span_id(job_id, attempt - 1),
        is_remote=True,
        trace_flags=parent.trace_flags,
        trace_state=parent.trace_state,
    )
    return [Link(before, {"muster.link.kind": "retry_of"})]


def attempt_attributes(assignment: Assignment) -> dict[str, str | int]:
    """Returns the attributes that spans and log records of an attempt share."""
    return {
        **messaging_attributes(assignment.namespace, assignment.definition),
        "messaging.message.id": str(uuid.UUID(bytes=assignment.job_id)),
        "muster.definition_version": assignment.definition_version,
        "muster.attempt.number": assignment.attempt,
    }
