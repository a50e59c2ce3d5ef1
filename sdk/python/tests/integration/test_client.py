"""The client, over real gRPC."""

from __future__ import annotations

import asyncio
import threading
import time
from dataclasses import dataclass

import grpc
import pytest
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status

from muster import (
    AsyncClient,
    Client,
    Debounce,
    DuplicatePolicy,
    JobFailedError,
    MusterError,
    RetryPolicy,
    Throttle,
    TransportRetry,
    Uniqueness,
    job_submission,
)
from muster.durations import to_duration, to_seconds
from muster.payloads import PayloadError, encode
from muster.v1 import job_pb2
from muster.v1.event_pb2 import JobEvent
from muster.v1.event_service_pb2 import WatchEventsResponse
from muster.v1.failure_pb2 import Failure
from muster.v1.job_definition_service_pb2 import ApplyJobDefinitionResponse
from muster.v1.job_pb2 import Job, JobSubmission
from muster.v1.job_service_pb2 import (
    CancelJobResponse,
    GetJobResponse,
    ListAttemptLogsResponse,
    SubmissionResult,
    SubmitJobResponse,
    SubmitJobsResponse,
    WaitJobResponse,
    WatchAttemptLogsResponse,
    WatchJobResponse,
)
from muster.v1.log_record_pb2 import LogRecord
from tests.support.clients import CLIENTS, Ask
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


def test_a_definition_carries_the_rules_for_its_submissions() -> None:
    def apply(request, _context):
        return ApplyJobDefinitionResponse(definition=request.definition, created=True)

    uniqueness = Uniqueness(fields=["order.id"], duplicate_policy=DuplicatePolicy.DUPLICATE_POLICY_REJECT)
    with serving({"ApplyJobDefinition": apply}) as (address, _), Client(address) as client:
        stored = client.apply_definition("a", uniqueness=uniqueness)
        assert stored.uniqueness == uniqueness
        assert client.apply_definition("a", definition=stored).uniqueness == uniqueness
        debounce = Debounce(wait=to_duration(5))
        assert client.apply_definition("b", debounce=debounce).debounce == debounce
        throttle = Throttle(period=to_duration(60))
        assert client.apply_definition("c", throttle=throttle).throttle == throttle


@pytest.mark.parametrize("ask", CLIENTS)
def test_the_refusal_of_a_throttle_is_not_repeated(ask: Ask) -> None:
    def submit(_request, context):
        info = ErrorInfo(reason="THROTTLED", domain="muster", metadata={"job_id": "j"})
        refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, info, RetryInfo(retry_delay=to_duration(0.01)))

    with serving({"SubmitJob": submit}) as (address, services), pytest.raises(MusterError) as refused:
        ask(address, "submit", "a")
    assert (refused.value.reason, refused.value.retry_after) == ("THROTTLED", 0.01)
    assert len(services.requests) == 1


def test_many() -> None:
    def submit(request, _context):
        return SubmitJobsResponse(jobs=[SubmissionResult(job_id=job.definition) for job in request.jobs])

    with serving({"SubmitJobs": submit}) as (address, _), Client(address) as client:
        jobs = client.submit_many([job_submission("a", 1), JobSubmission(definition="b")])
    assert [job.job_id for job in jobs] == ["a", "b"]


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_call_that_did_not_get_through_is_repeated_as_the_same_call(ask: Ask) -> None:
    failures = [(), (RetryInfo(retry_delay=to_duration(0.01)),)]

    def submit(_request, context):
        if failures:
            details = failures.pop(0)
            refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED if details else grpc.StatusCode.UNAVAILABLE, *details)
        return SubmitJobResponse(job_id="j")

    with serving({"SubmitJob": submit}) as (address, services):
        assert ask(address, "submit", "a").job_id == "j"
    ids = [request.request_id for _, request in services.requests]
    assert len(ids) == 3
    assert len(set(ids)) == 1


@pytest.mark.parametrize("ask", CLIENTS)
def test_repeats_are_bounded(ask: Ask) -> None:
    def submit(_request, context):
        refuse(context, grpc.StatusCode.UNAVAILABLE)

    options = {"retry": TransportRetry(max_attempts=3, min_backoff=0.001)}
    with serving({"SubmitJob": submit}) as (address, services), pytest.raises(MusterError) as failed:
        ask(address, "submit", "a", options=options)
    assert failed.value.code is grpc.StatusCode.UNAVAILABLE
    assert len(services.requests) == 3


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_refusal_says_why_and_is_not_repeated(ask: Ask) -> None:
    violation = BadRequest.FieldViolation(field="job.priority", description="too high")

    def submit(_request, context):
        info = ErrorInfo(reason="INVALID_FIELD", domain="muster", metadata={"field": "priority"})
        refuse(context, grpc.StatusCode.INVALID_ARGUMENT, info, BadRequest(field_violations=[violation]))

    with serving({"SubmitJob": submit}) as (address, services):
        with pytest.raises(MusterError) as refused:
            ask(address, "submit", "a")
        assert refused.value.metadata == {"field": "priority"}
        assert (refused.value.code, refused.value.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD")
        assert refused.value.violations == (("job.priority", "too high"),)
    assert len(services.requests) == 1


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_wait_goes_on_until_the_end(ask: Ask) -> None:
    states = [job_pb2.JOB_STATE_READY, None, job_pb2.JOB_STATE_RUNNING, job_pb2.JOB_STATE_FAILED]

    def wait(_request, context):
        state = states.pop(0)
        if state is None:
            refuse(context, grpc.StatusCode.UNAVAILABLE)
        return WaitJobResponse(job=Job(job_id="j", state=state, failure=Failure(type="ValueError", message="no")))

    with serving({"WaitJob": wait}) as (address, _):
        with pytest.raises(JobFailedError, match="job j ended FAILED: ValueError: no") as failed:
            ask(address, "result", "j", timeout=30)
        assert failed.value.failure.type == "ValueError"
    assert states == []


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_wait_ends_when_its_time_is_up(ask: Ask) -> None:
    def wait(_request, _context):
        return WaitJobResponse(job=Job(job_id="j", state=job_pb2.JOB_STATE_RUNNING))

    with serving({"WaitJob": wait}) as (address, _):
        assert ask(address, "wait", "j", timeout=0.05).state == job_pb2.JOB_STATE_RUNNING
        with pytest.raises(MusterError) as late:
            ask(address, "result", "j", timeout=0.05)
        assert (late.value.code, late.value.reason) == (grpc.StatusCode.DEADLINE_EXCEEDED, "WAIT_TIMEOUT")


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_wait_for_a_job_that_is_not_there(ask: Ask) -> None:
    def wait(_request, context):
        refuse(context, grpc.StatusCode.NOT_FOUND)

    with serving({"WaitJob": wait}) as (address, services), pytest.raises(MusterError) as failed:
        ask(address, "wait", "j")
    assert failed.value.code is grpc.StatusCode.NOT_FOUND
    assert len(services.requests) == 1


@dataclass
class Sum:
    sum: int


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_typed_result(ask: Ask) -> None:
    done = WaitJobResponse(job=Job(job_id="j", state=job_pb2.JOB_STATE_SUCCEEDED, result=encode({"sum": 3})))
    with serving({"WaitJob": lambda _request, _context: done}) as (address, _):
        assert ask(address, "result", "j", as_type=Sum) == Sum(3)
        with pytest.raises(PayloadError, match="a whole number"):
            ask(address, "result", "j", as_type=int)


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_watch_survives_broken_streams_and_tells_nothing_twice(ask: Ask) -> None:
    streams = [[(1, job_pb2.JOB_STATE_READY)], None, [(1, job_pb2.JOB_STATE_READY), (3, job_pb2.JOB_STATE_RUNNING)],
               [(3, job_pb2.JOB_STATE_RUNNING), (5, job_pb2.JOB_STATE_SUCCEEDED)]]  # fmt: skip

    def watch(_request, context):
        stream = streams.pop(0)
        if stream is None:
            refuse(context, grpc.StatusCode.UNAVAILABLE)
        for revision, state in stream:
            yield WatchJobResponse(job=Job(job_id="j", revision=revision, state=state))

    with serving({"WatchJob": watch}) as (address, _):
        seen = [(job.revision, job.state) for job in ask(address, "watch", "j")]
    assert seen == [
        (1, job_pb2.JOB_STATE_READY),
        (3, job_pb2.JOB_STATE_RUNNING),
        (5, job_pb2.JOB_STATE_SUCCEEDED),
    ]
    assert streams == []


@pytest.mark.parametrize("ask", CLIENTS)
def test_a_watch_ends_when_its_time_is_up_or_there_is_no_job(ask: Ask) -> None:
    def watch(request, context):
        if request.job_id == "none":
            refuse(context, grpc.StatusCode.NOT_FOUND)
        yield WatchJobResponse(job=Job(job_id="j", revision=1, state=job_pb2.JOB_STATE_READY))
        while context.is_active():
            time.sleep(0.01)

    with serving({"WatchJob": watch}) as (address, _):
        for job, code, seconds in (
            ("j", grpc.StatusCode.DEADLINE_EXCEEDED, 0.3),
            ("none", grpc.StatusCode.NOT_FOUND, 30),
        ):
            with pytest.raises(MusterError) as failed:
                ask(address, "watch", job, timeout=seconds)
            assert failed.value.code is code


def test_leaving_a_watch_ends_its_stream() -> None:
    left = threading.Event()

    def watch(_request, context):
        context.add_callback(left.set)
        yield WatchJobResponse(job=Job(job_id="j", revision=1, state=job_pb2.JOB_STATE_READY))
        left.wait(30)

    async def look_once(address: str) -> None:
        async with AsyncClient(address) as client:
            watching = client.watch("j")
            assert (await anext(watching)).revision == 1
            await watching.aclose()

    with serving({"WatchJob": watch}) as (address, _):
        with Client(address) as client:
            for _ in client.watch("j"):
                break
            assert left.wait(30)
        left.clear()
        asyncio.run(look_once(address))
        assert left.wait(30)


@pytest.mark.parametrize("ask", CLIENTS)
def test_nobody_there(ask: Ask) -> None:
    with serving({}) as (address, _):
        pass
    with pytest.raises(MusterError) as failed:
        ask(address, "get", "j", options={"timeout": 0.5})
    assert failed.value.code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)


@pytest.mark.parametrize("ask", CLIENTS)
def test_logs_are_read_page_by_page(ask: Ask) -> None:
    pages = {
        "": ListAttemptLogsResponse(records=[LogRecord(sequence=1)], next_page_token="a", resume_token="a"),
        "a": ListAttemptLogsResponse(records=[LogRecord(sequence=2)], resume_token="b"),
    }
    with serving({"ListAttemptLogs": lambda request, _context: pages[request.page_token]}) as (address, services):
        records = ask(address, "logs", "j1", attempt=2, options={"namespace": "n"})
        assert [record.sequence for record in records] == [1, 2]
    request = services.requests[0][1]
    assert (request.namespace, request.job_id, request.attempt) == ("n", "j1", 2)


@pytest.mark.parametrize("ask", CLIENTS)
def test_logs_are_followed_to_the_end_over_streams_that_break(ask: Ask) -> None:
    def watch(request, context):
        if request.resume_token == "":
            yield WatchAttemptLogsResponse(resume_token="start")
            yield WatchAttemptLogsResponse(records=[LogRecord(sequence=1), LogRecord(sequence=2)], resume_token="a")
            refuse(context, grpc.StatusCode.UNAVAILABLE)
        assert request.resume_token == "a"
        yield WatchAttemptLogsResponse(records=[LogRecord(sequence=3)], resume_token="b", ended=True)

    with serving({"WatchAttemptLogs": watch}) as (address, services):
        records = ask(address, "logs", "j1", attempt=2, follow=True, options={"namespace": "n"})
        assert [record.sequence for record in records] == [1, 2, 3]
    request = services.requests[0][1]
    assert (request.namespace, request.job_id, request.attempt, len(services.requests)) == ("n", "j1", 2, 2)


@pytest.mark.parametrize("ask", CLIENTS)
def test_events_are_watched_over_streams_that_break_from_the_last_position(ask: Ask) -> None:
    def page(position: int, *ids: str) -> WatchEventsResponse:
        return WatchEventsResponse(position=position, events=[JobEvent(job_id=job) for job in ids])

    def watch(request, context):
        if not request.HasField("after_position"):
            yield page(5, "a", "b")
            refuse(context, grpc.StatusCode.UNAVAILABLE)
        if request.after_position == 5:
            yield page(6, "c")
            return
        assert request.after_position == 6
        yield page(7, "d")
        yield page(7)

    with serving({"WatchEvents": watch}) as (address, services):
        pages = ask(address, "watch_events", states=["FAILED"], job="j1", kept_only=True, options={"namespace": "n"})
    assert [([event.job_id for event in page.events], page.position) for page in pages] == [
        (["a", "b"], 5),
        (["c"], 6),
        (["d"], 7),
        ([], 7),
    ]
    request = services.requests[0][1]
    assert (request.namespace, request.job_id, list(request.states)) == ("n", "j1", [job_pb2.JOB_STATE_FAILED])
    assert len(services.requests) == 3


@pytest.mark.parametrize("ask", CLIENTS)
def test_events_that_are_not_kept_any_more_are_not_asked_for_again(ask: Ask) -> None:
    def watch(request, context):
        assert request.after_position == 0
        refuse(context, grpc.StatusCode.OUT_OF_RANGE)
        yield

    with serving({"WatchEvents": watch}) as (address, services), pytest.raises(MusterError) as failed:
        ask(address, "watch_events", after=0)
    assert (failed.value.code, len(services.requests)) == (grpc.StatusCode.OUT_OF_RANGE, 1)


@pytest.mark.parametrize("ask", CLIENTS)
def test_following_logs_ends_when_its_time_is_up(ask: Ask) -> None:
    def watch(_request, context):
        yield WatchAttemptLogsResponse(resume_token="start")
        while context.is_active():
            time.sleep(0.01)

    with serving({"WatchAttemptLogs": watch}) as (address, _), pytest.raises(MusterError) as failed:
        ask(address, "logs", "j", follow=True, timeout=0.3)
    assert failed.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
