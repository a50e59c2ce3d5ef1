"""Dependencies of jobs, and calls for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any, Literal

from muster.client.call import Call, Method, Pages, Scope, new_id
from muster.client.job_ref import JobRef, id_of
from muster.client.listing import all_pages
from muster.client.words import number_of, to_timestamp
from muster.v1 import asset_service_pb2
from muster.v1 import job_service_pb2 as messages
from muster.v1.asset_pb2 import Asset
from muster.v1.dependency_pb2 import AssetRef, Dependency, DependencyCondition, StepRef
from muster.v1.job_pb2 import Job

Condition = Literal["SUCCEEDED", "ENDED", "FAILED"]


def after(job: JobRef, condition: Condition = "SUCCEEDED") -> Dependency:
    """A dependency on a job.

    Args:
        job: The job.
        condition: The outcome that meets the dependency. FAILED: the job fails, is cancelled, or expires.
    """
    return Dependency(job_id=id_of(job), condition=_number(condition))


def after_step(workflow: JobRef, step: str, condition: Condition = "SUCCEEDED") -> Dependency:
    """A dependency on a step of a workflow, started or not.

    Args:
        workflow: The workflow's job.
        step: The name of the step.
        condition: The outcome that meets the dependency.
    """
    return Dependency(step=StepRef(workflow_job_id=id_of(workflow), step=step), condition=_number(condition))


def after_asset(name: str, after_time: dt.datetime | None = None) -> Dependency:
    """A dependency on a data asset, which jobs publish when they succeed (`publishes` of their definition).

    Args:
        name: Name of the asset.
        after_time: Met by a publication after this time. None: the time when the dependency was made.
    """
    asset = AssetRef(name=name)
    if after_time is not None:
        asset.after_time.CopyFrom(to_timestamp(after_time))
    return Dependency(asset=asset)


def add_dependencies(
    scope: Scope,
    job: JobRef,
    depends_on: Iterable[Dependency],
    *,
    request_id: str = "",
    timeout: float | None = None,
) -> Call[Job]:
    """Adds dependencies to a waiting job and returns the job as it is then.

    Args:
        job: The job: BLOCKED, SCHEDULED or READY.
        depends_on: See `muster.after`, `muster.after_step` and `muster.after_asset`.
        request_id: UUID that makes retries of this call idempotent. Empty: a new one.
        timeout: Seconds for the call, retries included. None: the client's.

    Raises:
        MusterError: FAILED_PRECONDITION (JOB_NOT_WAITING, or DEPENDENCY_CYCLE when a dependency waits for this job).
    """
    request = messages.AddDependenciesRequest(
        namespace=scope.namespace, job_id=id_of(job), depends_on=depends_on, request_id=new_id(request_id)
    )
    method = Method("JobService", "AddDependencies", messages.AddDependenciesResponse)
    return Call(method, request, _job, timeout)


def list_assets(scope: Scope, *, page_size: int = 0, timeout: float | None = None) -> Pages[Asset]:
    """Yields the published data assets, by name. Pages are fetched as the loop proceeds.

    Args:
        page_size: Assets fetched per call, at most 1,000. 0: 50.
        timeout: Seconds for each page, retries included. None: the client's.
    """
    request = asset_service_pb2.ListAssetsRequest(namespace=scope.namespace, page_size=page_size)
    method = Method("AssetService", "ListAssets", asset_service_pb2.ListAssetsResponse)
    return all_pages(method, request, lambda page: page.assets, timeout)


def _number(condition: Condition) -> Any:
    return number_of(DependencyCondition, "DEPENDENCY_CONDITION_", condition)


def _job(reply: Any) -> Job:
    found: Job = reply.job
    return found
