"""The client, over real gRPC."""

from __future__ import annotations

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from muster import Client, JobFailedError, MusterError, RetryPolicy, job_submission
from muster.durations import to_duration, to_seconds
from muster.payloads import encode
from muster.v1 import job_pb2
from muster.v1.failure_pb2 import Failure
from muster.v1.job_definition_service_pb2 import ApplyJobDefinitionResponse
from muster.v1.job_pb2 import Job, JobSubmission
from muster.v1.job_service_pb2 import (
    CancelJobResponse,
    GetJobResponse,
    ListAttemptLogsResponse,
    SubmitJobResponse,
    SubmitJobsResponse,
    WaitJobResponse,
)
from muster.v1.log_record_pb2 import LogRecord
from tests.support.job_service import serving


def refuse(context: grpc.ServicerContext, code: grpc.StatusCode, *details: object) -> None:
    packed = []
    for detail in details:
        packed.append(AnyMessage())
        packed[-1].Pack(detail)
    status = Status(code=code.value[0], message="refused", details=packed)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    context.abort(code, "refused")


def test_definition_job_and_result() -> None:
    def apply(request, _context):
        return ApplyJobDefinitionResponse(definition=request.definition, created=True)

    answers = {
        "ApplyJobDefinition": apply,
        "SubmitJob": lambda request, _context: SubmitJobResponse(job_id="j1", existing=True),
        "WaitJob": lambda request, _context: WaitJobResponse(
            job=Job(job_id="j1", state=job_pb2.JOB_STATE_SUCCEEDED, result=encode({"sum": 3}))
        ),
        "GetJob": lambda request, _context: GetJobResponse(job=Job(job_id=request.job_id)),
        "CancelJob": lambda request, _context: CancelJobResponse(job=Job(state=job_pb2.JOB_STATE_CANCELLING)),
    }
    with serving(answers) as (address, services), Client(address, namespace="n") as client:
        stored = client.apply_definition("add", queue="q", run_timeout=1.5, retry_policy=RetryPolicy(max_attempts=5))
        assert (stored.name, stored.namespace, stored.queue, to_seconds(stored.run_timeout)) == ("add", "n", "q", 1.5)
        assert stored.WhichOneof("body") == "task"
        assert stored.retry_policy.max_attempts == 5
        job = client.submit("add", {"a": 1}, idempotency_key="k", labels={"x": "y"}, priority=-3, delay=2.0)
        assert (job.job_id, job.existing) == ("j1", True)
        assert client.result(job) == {"sum": 3}
        assert client.get(job).job_id == "j1"
        assert client.cancel(job, "why").state == job_pb2.JOB_STATE_CANCELLING
    submission = services.requests[1][1].job
    assert (submission.definition, submission.input.data) == ("add", b'{"a":1}')
    assert (submission.idempotency_key, dict(submission.labels), submission.priority) == ("k", {"x": "y"}, -3)
    assert to_seconds(submission.delay) == 2.0
    assert {request.namespace for name, request in services.requests if name != "ApplyJobDefinition"} == {"n"}
    assert services.requests[-1][1].reason == "why"


def test_many() -> None:
    def submit(request, _context):
        return SubmitJobsResponse(jobs=[SubmitJobResponse(job_id=job.definition) for job in request.jobs])

    with serving({"SubmitJobs": submit}) as (address, _), Client(address) as client:
        jobs = client.submit_many([job_submission("a", 1), JobSubmission(definition="b")])
    assert [job.job_id for job in jobs] == ["a", "b"]


def test_a_call_that_did_not_get_through_is_repeated_as_the_same_call() -> None:
    failures = [(), (RetryInfo(retry_delay=to_duration(0.01)),)]

    def submit(_request, context):
        if failures:
            details = failures.pop(0)
            refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED if details else grpc.StatusCode.UNAVAILABLE, *details)
        return SubmitJobResponse(job_id="j")

    with serving({"SubmitJob": submit}) as (address, services), Client(address) as client:
        assert client.submit("a").job_id == "j"
    ids = [request.request_id for _, request in services.requests]
    assert len(ids) == 3
    assert len(set(ids)) == 1


def test_a_refusal_says_why_and_is_not_repeated() -> None:
    violation = BadRequest.FieldViolation(field="job.priority", description="too high")

    def submit(_request, context):
        info = ErrorInfo(reason="INVALID_FIELD", domain="muster.dev")
        refuse(context, grpc.StatusCode.INVALID_ARGUMENT, info, BadRequest(field_violations=[violation]))

    with serving({"SubmitJob": submit}) as (address, services), Client(address) as client:
        with pytest.raises(MusterError) as refused:
            client.submit("a")
        assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
        assert refused.value.violations == (("job.priority", "too high"),)
    assert len(services.requests) == 1


def test_a_wait_goes_on_until_the_end() -> None:
    states = [job_pb2.JOB_STATE_READY, None, job_pb2.JOB_STATE_RUNNING, job_pb2.JOB_STATE_FAILED]

    def wait(_request, context):
        state = states.pop(0)
        if state is None:
            refuse(context, grpc.StatusCode.UNAVAILABLE)
        return WaitJobResponse(job=Job(job_id="j", state=state, failure=Failure(type="ValueError", message="no")))

    with serving({"WaitJob": wait}) as (address, _), Client(address) as client:
        with pytest.raises(JobFailedError, match="job j is FAILED: ValueError no") as failed:
            client.result("j", timeout=30)
        assert failed.value.failure.type == "ValueError"
    assert states == []


def test_a_wait_ends_when_its_time_is_up() -> None:
    def wait(_request, _context):
        return WaitJobResponse(job=Job(job_id="j", state=job_pb2.JOB_STATE_RUNNING))

    with serving({"WaitJob": wait}) as (address, _), Client(address) as client:
        assert client.wait("j", timeout=0.05).state == job_pb2.JOB_STATE_RUNNING
        with pytest.raises(MusterError) as late:
            client.result("j", timeout=0.05)
        assert (late.value.code, late.value.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "WAIT_TIMEOUT")


def test_nobody_there() -> None:
    with serving({}) as (address, _):
        pass
    with Client(address, timeout=0.5) as client, pytest.raises(MusterError) as failed:
        client.get("j")
    assert failed.value.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


@pytest.mark.parametrize("follow", [False, True])
def test_logs_are_read_page_by_page_and_followed_to_the_end(monkeypatch: pytest.MonkeyPatch, follow: bool) -> None:
    monkeypatch.setattr("muster.client._FOLLOW_SECONDS", 0.0)
    pages = {
        "": ListAttemptLogsResponse(records=[LogRecord(sequence=1)], next_page_token="a", resume_token="a"),
        "a": ListAttemptLogsResponse(records=[LogRecord(sequence=2)], resume_token="b"),
        "b": ListAttemptLogsResponse(records=[LogRecord(sequence=3)], resume_token="c", ended=True),
    }
    with (
        serving({"ListAttemptLogs": lambda request, _context: pages[request.page_token]}) as (address, services),
        Client(address, namespace="n") as client,
    ):
        found = [record.sequence for record in client.logs("j1", attempt=2, follow=follow)]
        assert found == ([1, 2, 3] if follow else [1, 2])
    request = services.requests[0][1]
    assert (request.namespace, request.job_id, request.attempt) == ("n", "j1", 2)
