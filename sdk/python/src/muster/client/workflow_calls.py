"""Calls for workflows and audit records."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from muster.client.call import Call, Method, Pages, Scope, new_id
from muster.client.job_ref import JobRef, id_of
from muster.client.listing import all_pages
from muster.client.words import number_of
from muster.v1 import audit_service_pb2
from muster.v1 import workflow_service_pb2 as messages
from muster.v1.audit_record_pb2 import AuditRecord
from muster.v1.workflow_run_pb2 import StepState, Workflow, WorkflowStepRun


def get_workflow(scope: Scope, job: JobRef, *, timeout: float | None = None) -> Call[Workflow]:
    """Reads the progress of a workflow: its phase, its steps by state, its progress, its estimated end.

    Args:
        job: The workflow's job.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND; FAILED_PRECONDITION (NOT_A_WORKFLOW).
    """
    request = messages.GetWorkflowRequest(namespace=scope.namespace, job_id=id_of(job))
    return Call(_method("GetWorkflow", messages.GetWorkflowResponse), request, _workflow, timeout)


def list_workflow_steps(
    scope: Scope,
    job: JobRef,
    *,
    states: Sequence[str | int] = (),
    page_size: int = 0,
    timeout: float | None = None,
) -> Pages[WorkflowStepRun]:
    """Yields the steps of a workflow in the order of its definition. Pages are fetched as the loop proceeds.

    Args:
        job: The workflow's job.
        states: Only steps in one of these states, such as "FAILED".
        page_size: Steps fetched per call, at most 1,000. 0: 50.
        timeout: Seconds for each page, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND; FAILED_PRECONDITION (NOT_A_WORKFLOW).
        ValueError: A state is unknown.
    """
    request = messages.ListWorkflowStepsRequest(
        namespace=scope.namespace,
        job_id=id_of(job),
        states=[number_of(StepState, "STEP_STATE_", state) for state in states],  # type: ignore[misc]
        page_size=page_size,
    )
    method = _method("ListWorkflowSteps", messages.ListWorkflowStepsResponse)
    return all_pages(method, request, lambda page: page.steps, timeout)


def skip_step(
    scope: Scope,
    workflow: JobRef,
    step: str,
    *,
    reason: str = "",
    request_id: str = "",
    timeout: float | None = None,
) -> Call[WorkflowStepRun]:
    """Skips a step manually: a waiting step never starts; of a running one, open jobs are cancelled.

    Args:
        workflow: The workflow's job.
        step: The step's name.
        reason: Reason, shown to operators. At most 1,024 characters.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: NOT_FOUND (JOB_NOT_FOUND, STEP_NOT_FOUND); FAILED_PRECONDITION (NOT_A_WORKFLOW,
            STEP_NOT_SKIPPABLE).
    """
    request = messages.SkipStepRequest(
        namespace=scope.namespace, job_id=id_of(workflow), step=step, reason=reason, request_id=new_id(request_id)
    )
    return Call(_method("SkipStep", messages.SkipStepResponse), request, _step, timeout)


def list_audit_records(
    scope: Scope, *, job: JobRef | None = None, page_size: int = 0, timeout: float | None = None
) -> Pages[AuditRecord]:
    """Yields manual actions that can't be undone, newest first. Pages are fetched as the loop proceeds.

    Args:
        job: Only actions on this job. None: all of the namespace.
        page_size: Records fetched per call, at most 1,000. 0: 50.
        timeout: Seconds for each page, retries included. None: the client's.
    """
    request = audit_service_pb2.ListAuditRecordsRequest(
        namespace=scope.namespace, job_id="" if job is None else id_of(job), page_size=page_size
    )
    method = Method("AuditService", "ListAuditRecords", audit_service_pb2.ListAuditRecordsResponse)
    return all_pages(method, request, lambda page: page.records, timeout)


def _method(name: str, reply: Any) -> Method:
    return Method("WorkflowService", name, reply)


def _step(reply: Any) -> WorkflowStepRun:
    found: WorkflowStepRun = reply.step
    return found


def _workflow(reply: Any) -> Workflow:
    found: Workflow = reply.workflow
    return found
