"""The span of a submission. Its context is passed to the jobs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from muster.errors import MusterError
from muster.tracing.tracer import HAS_OPENTELEMETRY, active_tracer, messaging_attributes, trace_fields

if HAS_OPENTELEMETRY:
    from opentelemetry.trace import SpanKind, Status, StatusCode

if TYPE_CHECKING:
    from opentelemetry.trace import Span

_HOST_AND_PORT = re.compile(r"(?:.*/)?(.*?)(?::(\d+))?")


class SubmitSpan:
    """A span, or none if the application does not trace.

    Attributes:
        metadata: Metadata for the submitting call: the span's context.
    """

    def __init__(self, span: Span | None) -> None:
        self._span = span
        fields = None if span is None else trace_fields(span)
        named = () if fields is None else zip(("traceparent", "tracestate"), fields, strict=True)
        self.metadata: tuple[tuple[str, str], ...] = tuple((name, value) for name, value in named if value)

    def submitted(self, reply: Any) -> None:
        """Sets the job's id as an attribute, if the reply has only one job."""
        if self._span is None:
            return
        job_ids = [job.job_id for job in reply.jobs] if hasattr(reply, "jobs") else [reply.job_id]
        if len(job_ids) == 1:
            self._span.set_attribute("messaging.message.id", job_ids[0])


@contextmanager
def submit_span(address: str, namespace: str, definitions: Sequence[str]) -> Iterator[SubmitSpan]:
    """Runs the enclosed code in a span, if the application traces.

    Args:
        address: gRPC target of the control plane.
        namespace: Empty: "default".
        definitions: One per submitted job. Empty: nothing is submitted, and there is no span.
    """
    tracer = active_tracer() if definitions else None
    if tracer is None:
        yield SubmitSpan(None)
        return
    # Span names need low cardinality: the name has the definition only if all jobs share it.
    destination = definitions[0] if len(set(definitions)) == 1 else None
    span = tracer.start_span(
        "submit" if destination is None else f"submit {destination}",
        kind=SpanKind.PRODUCER,
        attributes=_attributes_of(address, namespace, destination, len(definitions)),
    )
    try:
        yield SubmitSpan(span)
    except BaseException as error:
        span.set_attribute("error.type", error.code.name if isinstance(error, MusterError) else type(error).__name__)
        span.set_status(Status(StatusCode.ERROR, str(error)))
        raise
    finally:
        span.end()


def _attributes_of(address: str, namespace: str, destination: str | None, count: int) -> dict[str, str | int]:
    attributes = {
        **messaging_attributes(namespace, destination),
        **_server_attributes(address),
        "messaging.operation.name": "submit",
        "messaging.operation.type": "send",
    }
    if count != 1:
        attributes["messaging.batch.message_count"] = count
    return attributes


def _server_attributes(address: str) -> dict[str, str | int]:
    """Returns host and port of a gRPC target such as `dns:///muster:7070`."""
    match = _HOST_AND_PORT.fullmatch(address)
    host, port = match.groups() if match else (address, None)
    return {"server.address": host} if port is None else {"server.address": host, "server.port": int(port)}
