"""The methods for roll-outs with the requests that they make."""

from __future__ import annotations

from muster import rollout_settings, rollout_step
from muster.durations import to_duration
from muster.v1 import job_definition_service_pb2 as definitions
from muster.v1 import rollout_service_pb2 as rollouts
from muster.v1.job_definition_pb2 import JobDefinition, TaskBody
from muster.v1.rollout_pb2 import Rollout, RolloutSettings, RolloutStep
from tests.support.client_case import Case

ROLLOUT = Rollout(definition="d", version=2)
SETTINGS = RolloutSettings(steps=[RolloutStep(percent=10)])

ROLLOUT_CASES = [
    Case("apply_definition", ("d",), {"priority": 4, "rollout": rollout_settings(
             [rollout_step(5, hold=600), rollout_step(25)], labels={"tier": "internal"}, min_job_count=50,
             max_failure_increase=0.0)},
         definitions.ApplyJobDefinitionRequest(
             definition=JobDefinition(name="d", namespace="n", task=TaskBody(), priority=4),
             rollout=RolloutSettings(
                 steps=[RolloutStep(percent=5, hold=to_duration(600)), RolloutStep(percent=25)],
                 labels={"tier": "internal"}, min_job_count=50, max_failure_increase=0.0)),
         definitions.ApplyJobDefinitionResponse(definition=JobDefinition(name="d", version=2), rollout=ROLLOUT),
         JobDefinition(name="d", version=2)),
    Case("check_definition", ("d",), {"rollout": rollout_settings([rollout_step(10)])},
         definitions.ApplyJobDefinitionRequest(
             validate_only=True, definition=JobDefinition(name="d", namespace="n", task=TaskBody()), rollout=SETTINGS),
         definitions.ApplyJobDefinitionResponse(created=True), definitions.ApplyJobDefinitionResponse(created=True)),
    Case("get_rollout", ("d",), {"version": 2}, rollouts.GetRolloutRequest(definition="d", version=2),
         rollouts.GetRolloutResponse(rollout=ROLLOUT), ROLLOUT),
    Case("list_rollouts", (), {"page_size": 7}, rollouts.ListRolloutsRequest(page_size=7),
         rollouts.ListRolloutsResponse(rollouts=[ROLLOUT]), [ROLLOUT]),
    Case("update_rollout", ("d", SETTINGS), {}, rollouts.UpdateRolloutRequest(definition="d", settings=SETTINGS),
         rollouts.UpdateRolloutResponse(rollout=ROLLOUT), ROLLOUT),
    Case("promote_rollout", ("d",), {"version": 2}, rollouts.PromoteRolloutRequest(definition="d", version=2),
         rollouts.PromoteRolloutResponse(rollout=ROLLOUT), ROLLOUT),
    Case("roll_back_rollout", ("d", "why"), {}, rollouts.RollBackRolloutRequest(definition="d", reason="why"),
         rollouts.RollBackRolloutResponse(rollout=ROLLOUT), ROLLOUT),
]  # fmt: skip
