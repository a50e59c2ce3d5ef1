"""The demo's worker in Python: compares flights in both directions. MUSTER_ADDRESS is the control plane's address."""

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
def weigh_directions(ctx: JobContext, network: dict[str, Any]) -> dict[str, Any]:  # noqa: ARG001 - not needed
    """Compares each route with its opposite direction, and all routes with each other.

    Args:
        ctx: The job.
        network: `routes`, a list of objects with `from`, `to` and `flights`.

    Returns:
        `one_way`: the number of routes without an opposite direction; `uneven`: the two airports with the greatest
        difference; `outliers`: the number of unusually frequent routes; `outlier_share`: their share of all flights.
    """
    flights = {(route["from"], route["to"]): route["flights"] for route in network["routes"]}
    pairs = {(a, b): (there, flights.get((b, a), 0)) for (a, b), there in flights.items()}
    (start, end), (there, back) = max(pairs.items(), key=lambda pair: pair[1][0] - pair[1][1])
    # Tukey's fence: the third quartile plus one and a half interquartile ranges.
    first, _, third = quantiles(flights.values(), n=4, method="inclusive")
    outliers = [number for number in flights.values() if number > third + 1.5 * (third - first)]
    return {
        "one_way": sum(1 for _, back in pairs.values() if back == 0),
        "uneven": {"from": start, "to": end, "there": there, "back": back},
        "outliers": len(outliers),
        "outlier_share": sum(outliers) / sum(flights.values()),
    }


def start_tracing() -> TracerProvider | None:
    """Sets up OpenTelemetry if an endpoint is set, so that the SDK makes spans."""
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
