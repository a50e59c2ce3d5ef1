"""The demo's worker in Python: is as much flown there as back? MUSTER_ADDRESS says where the control plane is."""

from __future__ import annotations

import os
from statistics import quantiles
from typing import Any

from muster import JobContext, Worker
from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

worker = Worker(os.environ["MUSTER_ADDRESS"], name="polyglot-python", slots=4)


@worker.handler("weigh-directions")
def weigh_directions(ctx: JobContext, network: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - nothing to ask it for
    """Compares each route with the one back, and all of them with each other.

    Args:
        ctx: The job.
        network: `routes`, a list of objects with `from`, `to` and `flights`.

    Returns:
        `one_way`, how many routes have none back; `uneven`, the two airports with the greatest difference; `outliers`,
        how many routes are flown more often than any usual one, and `outlier_share`, their part of all flights.
    """
    flights = {(route["from"], route["to"]): route["flights"] for route in network["routes"]}
    pairs = {(a, b): (there, flights.get((b, a), 0)) for (a, b), there in flights.items()}
    (start, end), (there, back) = max(pairs.items(), key=lambda pair: pair[1][0] - pair[1][1])
    # Tukey's fence: as far above the third quarter as one and a half times the middle half is wide.
    first, _, third = quantiles(flights.values(), n=4, method="inclusive")
    outliers = [number for number in flights.values() if number > third + 1.5 * (third - first)]
    return {
        "one_way": sum(1 for _, back in pairs.values() if back == 0),
        "uneven": {"from": start, "to": end, "there": there, "back": back},
        "outliers": len(outliers),
        "outlier_share": sum(outliers) / sum(flights.values()),
    }


def start_tracing() -> TracerProvider | None:
    """Sets up OpenTelemetry, because of which the SDK makes spans, where there is a place for them."""
    if "OTEL_EXPORTER_OTLP_ENDPOINT" not in os.environ:
        return None
    provider = TracerProvider()  # the name of the service is OTEL_SERVICE_NAME
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    return provider


tracing = start_tracing()
worker.run()  # until SIGINT or SIGTERM
if tracing is not None:
    tracing.shutdown()  # sends the last spans
