"""Spans of submissions, over real gRPC."""

from __future__ import annotations

import grpc
import pytest
from opentelemetry.trace import SpanKind, StatusCode

from muster import MusterError, job_submission
from muster.v1.job_service_pb2 import SubmissionResult, SubmitJobResponse, SubmitJobsResponse
from tests.support.clients import CLIENTS, Ask
from tests.support.job_service import serving
from tests.support.tracing import Tracing, tracing

__all__ = ["tracing"]


@pytest.mark.parametrize("ask", CLIENTS)
def test_the_span_and_what_it_hands_on(tracing: Tracing, ask: Ask) -> None:
    sent: list[dict[str, str]] = []

    def submit(_request, context):
        sent.append(dict(context.invocation_metadata()))
        if len(sent) == 1:
            context.abort(grpc.StatusCode.UNAVAILABLE, "not now")
        return SubmitJobResponse(job_id="j")

    with serving({"SubmitJob": submit}) as (address, _):
        with tracing.provider.get_tracer("shop").start_as_current_span("upload") as upload:
            ask(address, "submit", "resize", options={"namespace": "n"})
        port = int(address.split(":")[1])
    (span,) = tracing.named("submit resize")  # one, also around a repeat
    own = span.get_span_context()
    assert span.parent == upload.get_span_context()
    assert {one["traceparent"] for one in sent} == {f"00-{own.trace_id:032x}-{own.span_id:016x}-{own.trace_flags:02x}"}
    assert (span.kind, span.status.status_code) == (SpanKind.PRODUCER, StatusCode.UNSET)
    assert dict(span.attributes or {}) == {
        "messaging.system": "muster",
        "messaging.operation.name": "submit",
        "messaging.operation.type": "send",
        "messaging.destination.name": "resize",
        "messaging.message.id": "j",
        "muster.namespace": "n",
        "muster.definition": "resize",
        "server.address": "127.0.0.1",
        "server.port": port,
    }


@pytest.mark.parametrize("ask", CLIENTS)
def test_several_jobs_have_one(tracing: Tracing, ask: Ask) -> None:
    def submit(request, _context):
        return SubmitJobsResponse(jobs=[SubmissionResult(job_id=job.definition) for job in request.jobs])

    with serving({"SubmitJobs": submit}) as (address, _):
        for names in (["a", "b"], ["a", "a"], ["a"]):
            ask(address, "submit_many", [job_submission(name) for name in names])
    mixed, same, one = tracing.spans
    assert (mixed.name, same.name, one.name) == ("submit", "submit a", "submit a")
    assert "messaging.destination.name" not in (mixed.attributes or {})
    assert [(span.attributes or {}).get("messaging.batch.message_count") for span in tracing.spans] == [2, 2, None]
    assert [(span.attributes or {}).get("messaging.message.id") for span in tracing.spans] == [None, None, "a"]


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_refusal(tracing: Tracing, ask: Ask) -> None:
    def submit(_request, context):
        context.abort(grpc.StatusCode.NOT_FOUND, "no such definition")

    with serving({"SubmitJob": submit}) as (address, _), pytest.raises(MusterError):
        ask(address, "submit", "missing")
    (span,) = tracing.spans
    assert (span.status.status_code, (span.attributes or {})["error.type"]) == (StatusCode.ERROR, "NOT_FOUND")


def test_other_calls_and_other_applications_have_none(tracing: Tracing, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[dict[str, str]] = []

    def submit(_request, context):
        sent.append(dict(context.invocation_metadata()))
        return SubmitJobResponse(job_id="j")

    monkeypatch.setattr("muster.tracing.tracer.HAS_OPENTELEMETRY", False)
    with serving({"SubmitJob": submit}) as (address, _):
        CLIENTS[0](address, "submit", "a")
    assert "traceparent" not in sent[0]
    assert tracing.spans == ()
