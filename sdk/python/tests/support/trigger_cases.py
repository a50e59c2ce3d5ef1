"""The methods for triggers with the requests that they make."""

from __future__ import annotations

from muster import all_of, any_of, when_asset, when_job_ends, when_schedule_runs, when_signal
from muster.durations import to_duration
from muster.v1 import job_pb2
from muster.v1 import trigger_service_pb2 as triggers
from muster.v1.job_pb2 import JobSubmission
from muster.v1.trigger_pb2 import (
    AllOfConditions,
    AnyOfConditions,
    AssetCause,
    JobCause,
    ScheduleCause,
    SignalCause,
    Trigger,
    TriggerCause,
    TriggerCondition,
    TriggerProgress,
    TriggerRun,
)
from tests.support.client_case import Case

TRIGGER = Trigger(name="t")
RUN = TriggerRun(key="k", job_id="j")
PROGRESS = triggers.ExplainTriggerResponse(progress=[TriggerProgress(key="k")], missing=["asset a"])

TRIGGER_CASES = [
    Case("apply_trigger",
         ("t", "d", all_of(
             when_signal("e", filter="cause.payload.paid", key="cause.key"),
             any_of(
                 when_asset("a", key="cause.name"),
                 when_job_ends("p", states=["FAILED"], key="cause.labels.order"),
                 when_schedule_runs("s", key="cause.name")),
             within=60)), {
             "job": {"queue": "q", "priority": 0}, "overlap_policy": "BUFFER_ONE", "pause_on_failure": True,
             "expire_after": 3600, "description": "x", "etag": "v"},
         triggers.ApplyTriggerRequest(trigger=Trigger(
             namespace="n", name="t", job=JobSubmission(definition="d", queue="q", priority=0),
             condition=TriggerCondition(all_of=AllOfConditions(within=to_duration(60), conditions=[
                 TriggerCondition(cause=TriggerCause(
                     signal=SignalCause(name="e"), filter="cause.payload.paid", key="cause.key")),
                 TriggerCondition(any_of=AnyOfConditions(conditions=[
                     TriggerCondition(cause=TriggerCause(asset=AssetCause(name="a"), key="cause.name")),
                     TriggerCondition(cause=TriggerCause(
                         job=JobCause(definition="p", states=[job_pb2.JOB_STATE_FAILED]), key="cause.labels.order")),
                     TriggerCondition(cause=TriggerCause(schedule=ScheduleCause(name="s"), key="cause.name"))]))])),
             overlap_policy=2, pause_on_failure=True, expire_after=to_duration(3600), description="x", etag="v")),
         triggers.ApplyTriggerResponse(trigger=TRIGGER), TRIGGER),
    Case("check_trigger", ("t", "d", when_signal("e")), {},
         triggers.ApplyTriggerRequest(validate_only=True, trigger=Trigger(
             namespace="n", name="t", job=JobSubmission(definition="d"),
             condition=TriggerCondition(cause=TriggerCause(signal=SignalCause(name="e"))))),
         triggers.ApplyTriggerResponse(created=True), triggers.ApplyTriggerResponse(created=True)),
    Case("get_trigger", ("t",), {}, triggers.GetTriggerRequest(name="t"),
         triggers.GetTriggerResponse(trigger=TRIGGER), TRIGGER),
    Case("list_triggers", (), {}, triggers.ListTriggersRequest(),
         triggers.ListTriggersResponse(triggers=[TRIGGER]), [TRIGGER]),
    Case("delete_trigger", ("t",), {}, triggers.DeleteTriggerRequest(name="t"), triggers.DeleteTriggerResponse(), None),
    Case("pause_trigger", ("t", "why"), {}, triggers.PauseTriggerRequest(name="t", reason="why"),
         triggers.PauseTriggerResponse(trigger=TRIGGER), TRIGGER),
    Case("resume_trigger", ("t",), {}, triggers.ResumeTriggerRequest(name="t"),
         triggers.ResumeTriggerResponse(trigger=TRIGGER), TRIGGER),
    Case("list_trigger_runs", ("t",), {"page_size": 7}, triggers.ListTriggerRunsRequest(name="t", page_size=7),
         triggers.ListTriggerRunsResponse(runs=[RUN]), [RUN]),
    Case("explain_trigger", ("t",), {"page_size": 7, "page_token": "p"},
         triggers.ExplainTriggerRequest(name="t", page_size=7, page_token="p"), PROGRESS, PROGRESS),
]  # fmt: skip
