"""The application's tracer, and attributes that all spans of this SDK share, after OpenTelemetry's conventions."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from muster.version import VERSION

try:
    from opentelemetry import context as contexts
    from opentelemetry import trace
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
except ImportError:  # the extra "otel" is not installed
    HAS_OPENTELEMETRY = False
else:
    HAS_OPENTELEMETRY = True
    _W3C = TraceContextTextMapPropagator()

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, Tracer

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


def trace_fields(span: Span) -> TraceFields | None:
    """Returns a span's context as W3C fields; None if it is invalid."""
    fields: dict[str, str] = {}
    _W3C.inject(fields, trace.set_span_in_context(span, contexts.Context()))
    return (fields["traceparent"], fields.get("tracestate", "")) if fields else None


def context_of(traceparent: str, tracestate: str) -> Context:
    """Returns a context with the span that W3C fields name; an empty one if they name none."""
    return _W3C.extract({"traceparent": traceparent, "tracestate": tracestate}, contexts.Context())
