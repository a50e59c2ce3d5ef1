"""The application's tracer, and what all spans of this SDK say, after the semantic conventions for messaging."""

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

# A trace context as Muster takes it: traceparent and tracestate, in the form of W3C.
TraceFields: TypeAlias = "tuple[str, str]"


def active_tracer() -> Tracer | None:
    """Returns the application's tracer; None where it has set up no tracing: then nothing is made for it."""
    if not HAS_OPENTELEMETRY:
        return None
    provider = trace.get_tracer_provider()
    if isinstance(provider, trace.ProxyTracerProvider | trace.NoOpTracerProvider):
        return None
    return provider.get_tracer(NAME, VERSION)


def messaging_attributes(namespace: str, destination: str | None) -> dict[str, str | int]:
    """Returns what spans of submissions and handlers have in common.

    Args:
        namespace: Empty: "default".
        destination: The definition, where all jobs that the span is about have the same one.
    """
    attributes: dict[str, str | int] = {"messaging.system": "muster", "muster.namespace": namespace or "default"}
    if destination is not None:
        attributes["messaging.destination.name"] = destination
        attributes["muster.definition"] = destination
    return attributes


def trace_fields(context: SpanContext) -> TraceFields | None:
    """Returns a span's context for others; None where it is none."""
    if not context.is_valid:
        return None
    traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    return traceparent, context.trace_state.to_header() if context.trace_state else ""
