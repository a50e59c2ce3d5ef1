"""The application's tracer, and attributes that all spans of this SDK share, after OpenTelemetry's conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from muster.version import VERSION

try:
    from opentelemetry import trace
except ImportError:  # the extra "otel" is not installed
    HAS_OPENTELEMETRY = False
else:
    HAS_OPENTELEMETRY = True

if TYPE_CHECKING:
    from opentelemetry.trace import SpanContext, Tracer

NAME = "muster-python"

# A W3C trace context: traceparent and tracestate.
TraceFields: TypeAlias = "tuple[str, str]"


def active_tracer() -> Tracer | None:
    """Returns the application's tracer; None if it has set up no tracing: then no spans are made."""
    if not HAS_OPENTELEMETRY:
        return None
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):
        return None
    return provider.get_tracer(NAME, VERSION)


def messaging_attributes(namespace: str, destination: str | None) -> dict[str, str | int]:
    """Returns the attributes that spans of submissions and handlers share.

    Args:
        namespace: Empty: "default".
        destination: The definition, if all jobs of the span share it.
    """
    attributes: dict[str, str | int] = {"messaging.system": "muster", "muster.namespace": namespace or "default"}
    if destination is not None:
        attributes["messaging.destination.name"] = destination
        attributes["muster.definition"] = destination
    return attributes


def trace_fields(context: SpanContext) -> TraceFields | None:
    """Returns a span's context as W3C fields; None if it is invalid."""
    if not context.is_valid:
        return None
    traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    return traceparent, context.trace_state.to_header() if context.trace_state else ""
