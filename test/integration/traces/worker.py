"""A worker that traces, for the tests of traces. Arguments: address, name, endpoint for spans.

Handlers: `quick` works within a span of its own; `flaky` fails the first time.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from collections.abc import Sequence

from muster import JobContext, Worker
from opentelemetry import trace
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode

_ADDRESS, _NAME, _ENDPOINT = sys.argv[1:4]


class _OtlpJson(SpanExporter):
    """Sends spans in the JSON form of OTLP: all that a test needs of an exporter."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        resource = {"attributes": _attributes({"service.name": "worker"})}
        scopes = [{"scope": {"name": "worker"}, "spans": [_span(span) for span in spans]}]
        body = json.dumps({"resourceSpans": [{"resource": resource, "scopeSpans": scopes}]}).encode()
        headers = {"content-type": "application/json"}
        with urllib.request.urlopen(urllib.request.Request(f"{_ENDPOINT}/v1/traces", body, headers), timeout=30):
            return SpanExportResult.SUCCESS


def _span(span: ReadableSpan) -> dict[str, object]:
    return {
        **_ids(span.get_span_context()),
        "parentSpanId": "" if span.parent is None else f"{span.parent.span_id:016x}",
        "name": span.name,
        "kind": span.kind.value + 1,
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(dict(span.attributes or {})),
        "links": [
            {**_ids(link.context), "attributes": _attributes(dict(link.attributes or {}))} for link in span.links
        ],
        "status": {"code": 2 if span.status.status_code is StatusCode.ERROR else 0},
    }


def _ids(context: trace.SpanContext) -> dict[str, str]:
    return {"traceId": f"{context.trace_id:032x}", "spanId": f"{context.span_id:016x}"}


def _attributes(values: dict[str, object]) -> list[dict[str, object]]:
    kinds = {int: "intValue", str: "stringValue"}
    return [{"key": key, "value": {kinds[type(value)]: value}} for key, value in values.items()]


provider = TracerProvider(resource=Resource.create({"service.name": "worker"}))
provider.add_span_processor(SimpleSpanProcessor(_OtlpJson()))
trace.set_tracer_provider(provider)


def _on_event(event: str) -> None:
    if event == "ready":
        sys.stdout.write("ready\n")
        sys.stdout.flush()


worker = Worker(_ADDRESS, name=_NAME, on_event=_on_event)


@worker.handler("quick")
def quick(_ctx: JobContext, _input: object) -> None:
    """Works within a span of its own."""
    with trace.get_tracer("worker").start_as_current_span("work"):
        pass


@worker.handler("flaky")
def flaky(ctx: JobContext, _input: object) -> None:
    """Fails the first time."""
    if ctx.attempt_count == 0:
        raise RuntimeError("not yet")


worker.run()
