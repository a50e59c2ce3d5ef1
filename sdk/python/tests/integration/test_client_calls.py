"""Each method of both clients makes the expected request, over real gRPC."""

from __future__ import annotations

import datetime as dt
import inspect

import pytest

from muster import (
    AsyncClient,
    Client,
    JobFilter,
    KeyLimit,
    RateLimit,
    Redriven,
    SubmittedJob,
    job_submission,
    key_limit,
    rate_limit,
    retry_policy,
    soft_deadline,
)
from muster.client.dependency_calls import after
from muster.client.signal_calls import SentSignal
from muster.client.words import to_timestamp
from muster.durations import to_duration
from muster.payloads import encode
from muster.v1 import asset_service_pb2 as assets
from muster.v1 import audit_service_pb2, job_pb2, namespace_service_pb2, schedule_pb2, worker_service_pb2
from muster.v1 import batch_service_pb2 as batches
from muster.v1 import circuit_breaker_service_pb2 as breakers
from muster.v1 import job_definition_service_pb2 as definitions
from muster.v1 import job_service_pb2 as jobs
from muster.v1 import queue_service_pb2 as queues
from muster.v1 import schedule_service_pb2 as schedules
from muster.v1 import signal_service_pb2 as signals
from muster.v1 import workflow_service_pb2 as workflows
from muster.v1.asset_pb2 import Asset
from muster.v1.audit_record_pb2 import AuditRecord
from muster.v1.batch_pb2 import Batch
from muster.v1.circuit_breaker_pb2 import CircuitBreakerStatus
from muster.v1.job_definition_pb2 import CleanupCondition, JobDefinition, TaskBody
from muster.v1.job_explanation_pb2 import JobExplanation
from muster.v1.job_pb2 import Job, JobSubmission
from muster.v1.namespace_pb2 import Namespace
from muster.v1.placement_pb2 import Demands, Sticky
from muster.v1.queue_pb2 import Queue
from muster.v1.retry_policy_pb2 import RetryPolicy
from muster.v1.soft_deadline_pb2 import SoftDeadline
from muster.v1.worker_pb2 import Worker
from muster.v1.workflow_run_pb2 import StepState, Workflow, WorkflowStepRun
from tests.support.client_case import Case
from tests.support.clients import CLIENTS, Ask
from tests.support.job_service import serving
from tests.support.rollout_cases import ROLLOUT_CASES
from tests.support.trigger_cases import TRIGGER_CASES

NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.timezone.utc)
JOB = Job(job_id="j", state=job_pb2.JOB_STATE_PAUSED)
EXPLANATION = JobExplanation(job_id="j", summary="It is next.")
QUEUE = Queue(name="q")
BATCH = Batch(job=JOB, description="x")
AUDIT = AuditRecord(audit_id="a")
ASSET = Asset(name="sales.daily", version=2)
DEPENDENCY = after("d", "ENDED")
WORKFLOW = Workflow(job=JOB, step_count=2, progress=0.5)
STEP = WorkflowStepRun(name="a", state=StepState.STEP_STATE_FAILED)
SCHEDULE = schedule_pb2.Schedule(name="s")
RUN = schedule_pb2.ScheduleRun(job_id="j")
BREAKER = CircuitBreakerStatus(name="b")


CASES = [
    Case("submit", ("d", [1]), {
             "labels": {"a": "b"}, "run_time": NOON, "idempotency_conflict_policy": "FAIL", "fairness_key": "t"},
         jobs.SubmitJobRequest(job=JobSubmission(
             definition="d", input=encode([1]), labels={"a": "b"}, run_time=NOON, idempotency_conflict_policy=1,
             fairness_key="t")),
         jobs.SubmitJobResponse(job_id="j", existing=True), SubmittedJob("j", True)),
    Case("submit", ("d",), {"demands": Demands(resources={"gpu": 1}, preferred="has(labels.ssd)"),
             "sticky": Sticky(job_id="j", mode="STICKY_MODE_HARD")},
         jobs.SubmitJobRequest(job=JobSubmission(
             definition="d", input=encode(None), sticky=Sticky(job_id="j", mode="STICKY_MODE_HARD"),
             demands=Demands(resources={"gpu": 1}, preferred="has(labels.ssd)"))),
         jobs.SubmitJobResponse(job_id="j"), SubmittedJob("j", False)),
    Case("submit", ("d",), {"delay": dt.timedelta(minutes=1), "run_timeout": 2.5, "expire_time": NOON, "priority": 0,
             "soft_deadline": soft_deadline(time=NOON, reaction="RAISE_PRIORITY", priority=0)},
         jobs.SubmitJobRequest(job=JobSubmission(
             definition="d", input=encode(None), delay=to_duration(60), run_timeout=to_duration(2.5), priority=0,
             expire_time=NOON, soft_deadline=SoftDeadline(time=NOON, reaction=2, priority=0))),
         jobs.SubmitJobResponse(job_id="j"), SubmittedJob("j", False)),
    Case("submit_many", ([job_submission("d", 1, queue="q")],), {},
         jobs.SubmitJobsRequest(jobs=[JobSubmission(definition="d", input=encode(1), queue="q")]),
         jobs.SubmitJobsResponse(jobs=[jobs.SubmissionResult(job_id="j")]), [SubmittedJob("j", False)]),
    Case("submit_many", ([job_submission("d", 1)],), {"batch": JOB},
         jobs.SubmitJobsRequest(jobs=[JobSubmission(definition="d", input=encode(1))], batch_job_id="j"),
         jobs.SubmitJobsResponse(jobs=[jobs.SubmissionResult(job_id="m")]), [SubmittedJob("m", False)]),
    Case("submit", ("d", 1), {"batch": "j"},
         jobs.SubmitJobRequest(job=JobSubmission(definition="d", input=encode(1)), batch_job_id="j"),
         jobs.SubmitJobResponse(job_id="m"), SubmittedJob("m", False)),
    Case("create_batch", (), {"labels": {"a": "b"}, "description": "x", "max_failed": 0,
             "callback": job_submission("d", {"to": "ann"})},
         batches.CreateBatchRequest(batch=Batch(
             labels={"a": "b"}, description="x", max_failed=0,
             callback=JobSubmission(definition="d", input=encode({"to": "ann"})))),
         batches.CreateBatchResponse(batch=BATCH), BATCH),
    Case("create_batch", (), {"tolerate_failed": True},
         batches.CreateBatchRequest(batch=Batch(tolerate_failed=True)),
         batches.CreateBatchResponse(batch=BATCH), BATCH),
    Case("get_batch", (JOB,), {}, batches.GetBatchRequest(job_id="j"), batches.GetBatchResponse(batch=BATCH), BATCH),
    Case("send_signal", ("e", {"a": 1}), {"key": "k", "keep_for": 60, "request_id": "mine"},
         signals.SendSignalRequest(
             name="e", key="k", payload=encode({"a": 1}), keep_for=to_duration(60), request_id="mine"),
         signals.SendSignalResponse(delivered_count=2, trigger_count=3), SentSignal(2, False, False, False, 3)),
    Case("send_signal", ("e",), {"request_id": "mine"},
         signals.SendSignalRequest(name="e", payload=encode(None), request_id="mine"),
         signals.SendSignalResponse(kept=True), SentSignal(0, False, True, False)),
    Case("approve", ("j",), {}, signals.ApproveJobRequest(job_id="j"), signals.ApproveJobResponse(job=JOB), JOB),
    Case("approve", (JOB,), {"comment": "c", "payload": [1]},
         signals.ApproveJobRequest(job_id="j", comment="c", payload=encode([1])),
         signals.ApproveJobResponse(job=JOB), JOB),
    Case("reject", ("j", "why"), {}, signals.RejectJobRequest(job_id="j", reason="why"),
         signals.RejectJobResponse(job=JOB), JOB),
    Case("seal_batch", ("j",), {}, batches.SealBatchRequest(job_id="j"),
         batches.SealBatchResponse(batch=BATCH), BATCH),
    Case("retry_batch", (JOB,), {"reason": "why"}, batches.RetryBatchRequest(job_id="j", reason="why"),
         batches.RetryBatchResponse(batch=BATCH), BATCH),
    Case("skip_step", (JOB, "notify"), {"reason": "why"},
         workflows.SkipStepRequest(job_id="j", step="notify", reason="why"),
         workflows.SkipStepResponse(step=STEP), STEP),
    Case("add_dependencies", (JOB, [DEPENDENCY]), {},
         jobs.AddDependenciesRequest(job_id="j", depends_on=[DEPENDENCY]),
         jobs.AddDependenciesResponse(job=JOB), JOB),
    Case("list_assets", (), {"page_size": 7}, assets.ListAssetsRequest(page_size=7),
         assets.ListAssetsResponse(assets=[ASSET]), [ASSET]),
    Case("get_workflow", (JOB,), {}, workflows.GetWorkflowRequest(job_id="j"),
         workflows.GetWorkflowResponse(workflow=WORKFLOW), WORKFLOW),
    Case("list_workflow_steps", ("j",), {"states": ["FAILED"], "page_size": 7},
         workflows.ListWorkflowStepsRequest(job_id="j", states=[StepState.STEP_STATE_FAILED], page_size=7),
         workflows.ListWorkflowStepsResponse(steps=[STEP]), [STEP]),
    Case("get", (JOB,), {}, jobs.GetJobRequest(job_id="j"), jobs.GetJobResponse(job=JOB), JOB),
    Case("cancel", (SubmittedJob("j", False), "why"), {}, jobs.CancelJobRequest(job_id="j", reason="why"),
         jobs.CancelJobResponse(job=JOB), JOB),
    Case("cancel", ("j",), {"grace": 0}, jobs.CancelJobRequest(job_id="j", grace=to_duration(0)),
         jobs.CancelJobResponse(job=JOB), JOB),
    Case("pause", ("j", "why"), {}, jobs.PauseJobRequest(job_id="j", reason="why"),
         jobs.PauseJobResponse(job=JOB), JOB),
    Case("pause", ("j",), {"running": True, "grace": 1.5, "stop_timeouts": True},
         jobs.PauseJobRequest(job_id="j", running=True, grace=to_duration(1.5), timeouts=jobs.PAUSED_TIMEOUTS_STOP),
         jobs.PauseJobResponse(job=JOB), JOB),
    Case("resume", ("j",), {}, jobs.ResumeJobRequest(job_id="j"), jobs.ResumeJobResponse(job=JOB), JOB),
    Case("update", ("j",), {"priority": 0, "run_time": NOON, "expire_time": NOON},
         jobs.UpdateJobRequest(job_id="j", priority=0, run_time=NOON, expire_time=NOON),
         jobs.UpdateJobResponse(job=JOB), JOB),
    Case("update", ("j",), {"priority": 3}, jobs.UpdateJobRequest(job_id="j", priority=3),
         jobs.UpdateJobResponse(job=JOB), JOB),
    Case("retry", ("j",), {}, jobs.RetryJobRequest(job_id="j"), jobs.RetryJobResponse(job=JOB), JOB),
    Case("retry", (JOB,), {"skip_steps": ["a", "b"], "reason": "why"},
         jobs.RetryJobRequest(job_id="j", skip_steps=["a", "b"], reason="why"),
         jobs.RetryJobResponse(job=JOB), JOB),
    Case("erase", ("j", "on demand"), {}, jobs.EraseJobRequest(job_id="j", reason="on demand"),
         jobs.EraseJobResponse(audit_id="a"), "a"),
    Case("explain", ("j",), {}, jobs.ExplainJobRequest(job_id="j"),
         jobs.ExplainJobResponse(explanation=EXPLANATION), EXPLANATION),
    Case("list", (JobFilter(states=["FAILED"], labels={"a": "b"}, min_create_time=NOON, parent_job_id="p"),),
         {"page_size": 7},
         jobs.ListJobsRequest(
             page_size=7,
             filter=jobs.JobFilter(
                 states=[job_pb2.JOB_STATE_FAILED], labels={"a": "b"}, min_create_time=NOON, parent_job_id="p")),
         jobs.ListJobsResponse(jobs=[JOB]), [JOB]),
    Case("cancel_jobs", (JobFilter(queue="q"),), {"reason": "why", "validate_only": True},
         jobs.CancelJobsRequest(filter=jobs.JobFilter(queue="q"), reason="why", validate_only=True),
         jobs.CancelJobsResponse(cancelled_count=3), 3),
    Case("pause_jobs", (JobFilter(queue="q"),), {"reason": "why", "running": True, "grace": 2, "stop_timeouts": True},
         jobs.PauseJobsRequest(filter=jobs.JobFilter(queue="q"), reason="why", running=True,
                               grace=to_duration(2), timeouts=jobs.PAUSED_TIMEOUTS_STOP),
         jobs.PauseJobsResponse(paused_count=3), 3),
    Case("fail", ("j", "he has left"), {}, jobs.FailJobRequest(job_id="j", reason="he has left"),
         jobs.FailJobResponse(job=JOB), JOB),
    Case("resume_jobs", (JobFilter(queue="q"),), {"validate_only": True},
         jobs.ResumeJobsRequest(filter=jobs.JobFilter(queue="q"), validate_only=True),
         jobs.ResumeJobsResponse(resumed_count=3), 3),
    Case("redrive", (JobFilter(failure_types=["ValueError"], soft_deadline_missed=True),), {},
         jobs.RetryJobsRequest(filter=jobs.JobFilter(failure_types=["ValueError"], soft_deadline_missed=True)),
         jobs.RetryJobsResponse(job_ids=["n"], retried_job_ids=["o"], skipped_count=2), Redriven(("o",), ("n",), 2)),
    Case("apply_definition", ("d",), {
             "handler": "h", "cleanup_handler": "c", "cleanup_timeout": 3, "cleanup_after": "UNSUCCESSFUL",
             "priority": 4, "retention": 60,
             "lease_loss_action": "CONTINUE", "soft_deadline": soft_deadline(after=60, reaction="CANCEL"),
             "input_json_schema": {"type": "object"}, "labels": {"a": "b"},
             "retry_policy": retry_policy(max_attempts=5), "fairness_key": "input.tenant", "max_concurrency": 5,
             "rate_limit": rate_limit(100, period=60), "rate_cost": 3,
             "key_limit": key_limit("input.tenant", max_concurrency=1, policy="REJECT_NEW", rate_limit=rate_limit(2))},
         definitions.ApplyJobDefinitionRequest(definition=JobDefinition(
             name="d", namespace="n", task=TaskBody(handler="h", cleanup_handler="c", cleanup_timeout=to_duration(3),
                          cleanup_after=CleanupCondition.CLEANUP_CONDITION_UNSUCCESSFUL),
             soft_deadline=SoftDeadline(after=to_duration(60), reaction=3),
             priority=4, retention=to_duration(60), lease_loss_action=2, input_json_schema='{"type": "object"}',
             labels={"a": "b"}, retry_policy=RetryPolicy(max_attempts=5), fairness_key="input.tenant",
             max_concurrency=5, rate_limit=RateLimit(units=100, period=to_duration(60)), rate_cost=3,
             key_limit=KeyLimit(key="input.tenant", max_concurrency=1, policy=2, rate_limit=RateLimit(units=2)))),
         definitions.ApplyJobDefinitionResponse(definition=JobDefinition(name="d", version=2)),
         JobDefinition(name="d", version=2)),
    Case("check_definition", ("d",), {"definition": JobDefinition(queue="q"), "description": "x"},
         definitions.ApplyJobDefinitionRequest(validate_only=True, definition=JobDefinition(
             name="d", namespace="n", task=TaskBody(), queue="q", description="x")),
         definitions.ApplyJobDefinitionResponse(created=True), definitions.ApplyJobDefinitionResponse(created=True)),
    Case("get_definition", ("d", 3), {}, definitions.GetJobDefinitionRequest(name="d", version=3),
         definitions.GetJobDefinitionResponse(definition=JobDefinition(name="d")), JobDefinition(name="d")),
    Case("list_definitions", (), {"show_archived": True}, definitions.ListJobDefinitionsRequest(show_archived=True),
         definitions.ListJobDefinitionsResponse(definitions=[JobDefinition(name="d")]), [JobDefinition(name="d")]),
    Case("archive_definition", ("d",), {}, definitions.ArchiveJobDefinitionRequest(name="d"),
         definitions.ArchiveJobDefinitionResponse(definition=JobDefinition(name="d")), JobDefinition(name="d")),
    Case("list_circuit_breakers", (), {}, breakers.ListCircuitBreakersRequest(),
         breakers.ListCircuitBreakersResponse(circuit_breakers=[BREAKER]), [BREAKER]),
    Case("close_circuit_breaker", ("b",), {}, breakers.CloseCircuitBreakerRequest(name="b"),
         breakers.CloseCircuitBreakerResponse(circuit_breaker=BREAKER), BREAKER),
    Case("create_queue", ("q",), {"description": "x"},
         queues.CreateQueueRequest(queue=Queue(namespace="n", name="q", description="x")),
         queues.CreateQueueResponse(queue=QUEUE), QUEUE),
    Case("create_queue", ("q",), {
             "max_concurrency": 2, "rate_limit": rate_limit(5, burst=9), "fairness_weights": {"a": 2}},
         queues.CreateQueueRequest(queue=Queue(
             namespace="n", name="q", max_concurrency=2, rate_limit=RateLimit(units=5, burst=9),
             fairness_weights={"a": 2})),
         queues.CreateQueueResponse(queue=QUEUE), QUEUE),
    Case("get_queue", ("q",), {}, queues.GetQueueRequest(name="q"), queues.GetQueueResponse(queue=QUEUE), QUEUE),
    Case("list_queues", (), {}, queues.ListQueuesRequest(), queues.ListQueuesResponse(queues=[QUEUE]), [QUEUE]),
    Case("update_queue", ("q",), {"description": "", "etag": "e"},
         queues.UpdateQueueRequest(
             queue=Queue(namespace="n", name="q", etag="e"), update_mask={"paths": ["description"]}),
         queues.UpdateQueueResponse(queue=QUEUE), QUEUE),
    Case("update_queue", ("q",), {"max_concurrency": 2},
         queues.UpdateQueueRequest(
             queue=Queue(namespace="n", name="q", max_concurrency=2), update_mask={"paths": ["max_concurrency"]}),
         queues.UpdateQueueResponse(queue=QUEUE), QUEUE),
    Case("update_queue", ("q",), {
             "rate_limit": rate_limit(5, period=dt.timedelta(hours=1)), "fairness_weights": {"a": 0.5}},
         queues.UpdateQueueRequest(
             queue=Queue(namespace="n", name="q", rate_limit=RateLimit(units=5, period=to_duration(3600)),
                         fairness_weights={"a": 0.5}),
             update_mask={"paths": ["rate_limit", "fairness_weights"]}),
         queues.UpdateQueueResponse(queue=QUEUE), QUEUE),
    Case("update_queue", ("q",), {"rate_limit": "NONE", "fairness_weights": {}},
         queues.UpdateQueueRequest(
             queue=Queue(namespace="n", name="q"), update_mask={"paths": ["rate_limit", "fairness_weights"]}),
         queues.UpdateQueueResponse(queue=QUEUE), QUEUE),
    Case("create_queue", ("b",), {"max_backlog": 5, "max_backlog_age": 300},
         queues.CreateQueueRequest(
             queue=Queue(namespace="n", name="b", max_backlog=5, max_backlog_age=to_duration(300))),
         queues.CreateQueueResponse(queue=QUEUE), QUEUE),
    Case("update_queue", ("q",), {"max_backlog": 0, "max_backlog_age": 90.0},
         queues.UpdateQueueRequest(
             queue=Queue(namespace="n", name="q", max_backlog_age=to_duration(90)),
             update_mask={"paths": ["max_backlog", "max_backlog_age"]}),
         queues.UpdateQueueResponse(queue=QUEUE), QUEUE),
    Case("update_queue", ("q",), {"max_backlog_age": 0},
         queues.UpdateQueueRequest(
             queue=Queue(namespace="n", name="q"), update_mask={"paths": ["max_backlog_age"]}),
         queues.UpdateQueueResponse(queue=QUEUE), QUEUE),
    Case("pause_queue", ("q", "why"), {}, queues.PauseQueueRequest(name="q", reason="why"),
         queues.PauseQueueResponse(queue=QUEUE), QUEUE),
    Case("resume_queue", ("q",), {}, queues.ResumeQueueRequest(name="q"),
         queues.ResumeQueueResponse(queue=QUEUE), QUEUE),
    Case("delete_queue", ("q",), {}, queues.DeleteQueueRequest(name="q"), queues.DeleteQueueResponse(), None),
    Case("apply_schedule", ("s", "d", [1]), {
             "crons": ["0 9 * * *"], "intervals": [90], "calendars": [{"hour": "9"}], "exclusions": [{"month": "dec"}],
             "time_zone": "Europe/Vienna", "start_time": NOON, "end_time": NOON, "jitter": 2, "description": "x",
             "job": {"queue": "q", "priority": 0}, "overlap_policy": "BUFFER_ONE", "catch_up_policy": "ALL",
             "catch_up_window": 60, "pause_on_failure": True, "max_runs": 3, "etag": "e"},
         schedules.ApplyScheduleRequest(schedule=schedule_pb2.Schedule(
             namespace="n", name="s", job=JobSubmission(definition="d", input=encode([1]), queue="q", priority=0),
             times=schedule_pb2.ScheduleTimes(
                 crons=["0 9 * * *"], intervals=[schedule_pb2.ScheduleInterval(every=to_duration(90))],
                 calendars=[schedule_pb2.CalendarRule(hour="9")], exclusions=[schedule_pb2.CalendarRule(month="dec")],
                 time_zone="Europe/Vienna", start_time=NOON, end_time=NOON, jitter=to_duration(2)),
             description="x", overlap_policy=2, catch_up_policy=2, catch_up_window=to_duration(60),
             pause_on_failure=True, max_runs=3, etag="e")),
         schedules.ApplyScheduleResponse(schedule=SCHEDULE), SCHEDULE),
    Case("check_schedule", ("s", "d"), {"crons": ["0 9 * * *"]},
         schedules.ApplyScheduleRequest(validate_only=True, schedule=schedule_pb2.Schedule(
             namespace="n", name="s", job=JobSubmission(definition="d", input=encode(None)),
             times=schedule_pb2.ScheduleTimes(crons=["0 9 * * *"]))),
         schedules.ApplyScheduleResponse(created=True), schedules.ApplyScheduleResponse(created=True)),
    Case("get_schedule", ("s",), {}, schedules.GetScheduleRequest(name="s"),
         schedules.GetScheduleResponse(schedule=SCHEDULE), SCHEDULE),
    Case("list_schedules", (), {}, schedules.ListSchedulesRequest(),
         schedules.ListSchedulesResponse(schedules=[SCHEDULE]), [SCHEDULE]),
    Case("delete_schedule", ("s",), {}, schedules.DeleteScheduleRequest(name="s"),
         schedules.DeleteScheduleResponse(), None),
    Case("pause_schedule", ("s", "why"), {}, schedules.PauseScheduleRequest(name="s", reason="why"),
         schedules.PauseScheduleResponse(schedule=SCHEDULE), SCHEDULE),
    Case("resume_schedule", ("s",), {}, schedules.ResumeScheduleRequest(name="s"),
         schedules.ResumeScheduleResponse(schedule=SCHEDULE), SCHEDULE),
    Case("trigger_schedule", ("s",), {"overlap_policy": "ALLOW_ALL"},
         schedules.TriggerScheduleRequest(name="s", overlap_policy=6),
         schedules.TriggerScheduleResponse(run=RUN), RUN),
    Case("backfill_schedule", ("s", NOON, NOON), {"overlap_policy": "SKIP"},
         schedules.BackfillScheduleRequest(name="s", start_time=NOON, end_time=NOON, overlap_policy=1),
         schedules.BackfillScheduleResponse(time_count=7), 7),
    Case("preview_schedule", ("s",), {"after_time": NOON, "count": 3},
         schedules.PreviewScheduleRequest(name="s", after_time=NOON, count=3),
         schedules.PreviewScheduleResponse(times=[to_timestamp(NOON)]), [NOON]),
    Case("preview_schedule", (), {"crons": ["0 9 * * *"]},
         schedules.PreviewScheduleRequest(times=schedule_pb2.ScheduleTimes(crons=["0 9 * * *"])),
         schedules.PreviewScheduleResponse(), []),
    Case("list_schedule_runs", ("s",), {"page_size": 7}, schedules.ListScheduleRunsRequest(name="s", page_size=7),
         schedules.ListScheduleRunsResponse(runs=[RUN]), [RUN]),
    *TRIGGER_CASES,
    *ROLLOUT_CASES,
    Case("list_audit_records", (), {"job": JOB, "page_size": 7},
         audit_service_pb2.ListAuditRecordsRequest(job_id="j", page_size=7),
         audit_service_pb2.ListAuditRecordsResponse(records=[AUDIT]), [AUDIT]),
    Case("list_workers", (), {}, worker_service_pb2.ListWorkersRequest(),
         worker_service_pb2.ListWorkersResponse(workers=[Worker(name="w")]), [Worker(name="w")]),
    Case("get_worker", ("s",), {}, worker_service_pb2.GetWorkerRequest(session_id="s"),
         worker_service_pb2.GetWorkerResponse(worker=Worker(name="w")),
         worker_service_pb2.GetWorkerResponse(worker=Worker(name="w"))),
    Case("drain_worker", ("s",), {}, worker_service_pb2.DrainWorkerRequest(session_id="s"),
         worker_service_pb2.DrainWorkerResponse(worker=Worker(name="w")), Worker(name="w")),
    Case("get_namespace", (), {}, namespace_service_pb2.GetNamespaceRequest(),
         namespace_service_pb2.GetNamespaceResponse(namespace=Namespace(name="n")), Namespace(name="n")),
    Case("update_namespace", (), {"retention": 3600},
         namespace_service_pb2.UpdateNamespaceRequest(
             namespace=Namespace(name="n", retention=to_duration(3600)), update_mask={"paths": ["retention"]}),
         namespace_service_pb2.UpdateNamespaceResponse(namespace=Namespace(name="n")), Namespace(name="n")),
    Case("update_namespace", (), {"retention": None},
         namespace_service_pb2.UpdateNamespaceRequest(
             namespace=Namespace(name="n"), update_mask={"paths": ["retention"]}),
         namespace_service_pb2.UpdateNamespaceResponse(namespace=Namespace(name="n")), Namespace(name="n")),
]  # fmt: skip


@pytest.mark.parametrize("ask", CLIENTS)
def test_each_method_asks_for_what_it_says(ask: Ask) -> None:
    answers = {}
    with serving(answers) as (address, services):
        for one in CASES:
            answers[one.rpc] = lambda _request, _context, reply=one.reply: reply
            assert ask(address, one.method, *one.args, options={"namespace": "n"}, **one.kwargs) == one.answer
            name, request = services.requests.pop()
            assert name == one.rpc
            is_made = "request_id" in request.DESCRIPTOR.fields_by_name and "request_id" not in one.kwargs
            if is_made and name not in ("CancelJobs", "RetryJobs"):
                assert len(request.request_id) == 36
                request.request_id = ""
            if isinstance(getattr(request, "namespace", None), str):
                assert request.namespace == "n"
                request.namespace = ""
            assert request == one.request, one.method


def test_a_request_id_of_the_callers() -> None:
    answers = {"ResumeJob": lambda _request, _context: jobs.ResumeJobResponse(job=JOB)}
    with serving(answers) as (address, services), Client(address) as client:
        client.resume("j", request_id="mine")
    assert services.requests[0][1].request_id == "mine"


def test_every_public_method_is_tested_and_in_both_clients() -> None:
    def public(client: type) -> set[str]:
        return {name for name, _ in inspect.getmembers(client, callable) if not name.startswith("_")}

    assert public(Client) == public(AsyncClient)
    elsewhere = {"wait", "result", "watch", "watch_events", "logs", "close"}
    assert {one.method for one in CASES} | elsewhere == public(Client)
    for name in public(Client):
        assert getattr(Client, name).__doc__
        assert next(iter(inspect.signature(getattr(Client, name)).parameters)) == "self"
