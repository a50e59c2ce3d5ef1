"""Children of handlers that run in processes: the worker makes their calls."""

from __future__ import annotations

import asyncio
import threading
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from muster import Worker
from muster.payloads import decode, encode
from muster.v1 import job_service_pb2 as messages
from muster.v1.job_pb2 import JOB_STATE_RUNNING, JOB_STATE_SUCCEEDED, Job
from muster.v1.job_service_pb2_grpc import JobServiceServicer
from tests.support import process_handlers as handlers
from tests.support.control_plane import ControlPlane, Refusal
from tests.support.facts import eventually, process_state
from tests.support.outcomes import begin, outcome, run

LARGE = 3 * 1024 * 1024


class Jobs(JobServiceServicer):
    """Keeps children by their keys, and ends them when a test says so."""

    def __init__(self) -> None:
        self.submitted: dict[str, messages.SubmitJobRequest] = {}
        self.have_ended = False
        self.refusals: list[Refusal] = []
        self.large_asked = threading.Event()
        self.large_may_come = threading.Event()

    async def SubmitJob(self, request: Any, context: Any) -> Any:  # noqa: N802
        if self.refusals:
            await self.refusals.pop(0).send(context)
        name = f"{request.parent.job_id} {request.job.idempotency_key}"
        self.submitted[str(uuid.uuid5(uuid.NAMESPACE_OID, name))] = request
        return messages.SubmitJobResponse(job_id=list(self.submitted)[-1])

    async def GetJob(self, request: Any, context: Any) -> Any:  # noqa: N802
        if self.submitted[request.job_id].job.definition == "large":
            self.large_asked.set()
            await asyncio.to_thread(self.large_may_come.wait, 60)
            large = Job(job_id=request.job_id, state=JOB_STATE_SUCCEEDED, result=encode(b"x" * LARGE))
            return messages.GetJobResponse(job=large)
        job = Job(job_id=request.job_id, state=JOB_STATE_SUCCEEDED if self.have_ended else JOB_STATE_RUNNING)
        if self.have_ended:
            value = decode(self.submitted[request.job_id].job.input)["value"]
            job.result.CopyFrom(encode({"value": value**2}))
        return messages.GetJobResponse(job=job)


@pytest.fixture
def plane(nats) -> Iterator[ControlPlane]:
    """A control plane with `Jobs`."""
    plane = ControlPlane(nats.url, lease=6.0, beat_interval=0.5)
    plane.jobs = Jobs()
    with plane:
        yield plane


@pytest.fixture
def worker(plane, started) -> Worker:
    """A worker whose handlers have children."""
    worker = Worker(plane.address, slots=2)
    worker.add_handler("sums", handlers.sums_squares, process=True)
    worker.add_handler("freezes", handlers.freezes_while_it_asks, process=True, kill_after=1.0)
    worker.add_handler("together", handlers.squares_at_once, process=True)
    return started(worker)


def test_a_handler_waits_for_its_children_and_finds_their_results(plane, worker) -> None:
    report = run(plane, "sums", [3, 4])
    assert report.WhichOneof("outcome") == "suspended"
    children = [str(uuid.UUID(bytes=one)) for one in report.suspended.child_job_ids]
    assert sorted(children) == sorted(plane.jobs.submitted)
    job_id = str(uuid.UUID(bytes=report.job_id))
    for request in plane.jobs.submitted.values():
        parent = request.parent
        assert (parent.job_id, parent.attempt, parent.session_id) == (job_id, report.attempt, worker.session_id)
        assert request.job.idempotency_key.startswith(f"child/{job_id}/")
    plane.jobs.have_ended = True
    assert decode(run(plane, "sums", [3, 4]).result) == 25


def test_calls_of_several_threads_are_distinguished(plane, worker) -> None:
    children = decode(run(plane, "together", list(range(20))).result)
    values = [decode(plane.jobs.submitted[child].job.input)["value"] for child in children]
    assert values == list(range(20))


def test_a_call_that_may_be_repeated_is_and_a_refusal_reaches_the_handler(plane, worker) -> None:
    plane.jobs.refusals = [Refusal(grpc.StatusCode.UNAVAILABLE)]
    assert run(plane, "sums", [1]).WhichOneof("outcome") == "suspended"
    plane.jobs.refusals = [Refusal(grpc.StatusCode.FAILED_PRECONDITION, "PARENT_ATTEMPT_CLOSED", "it is over")]
    failure = run(plane, "sums", [2]).failure
    assert (failure.type, failure.message) == ("MusterError", "FAILED_PRECONDITION: it is over")
    assert plane.jobs.refusals == []


def test_a_process_that_reads_nothing_holds_up_no_other(plane, worker, tmp_path) -> None:
    path = tmp_path / "asked"
    key, _ = begin(plane, "freezes", str(path), plane.jobs.large_asked.is_set)
    path.touch()
    pid = int(Path(f"{path}.pid").read_text())
    eventually(lambda: process_state(pid) == "T", "the process is stopped")
    plane.jobs.large_may_come.set()
    assert run(plane, "sums", [3]).WhichOneof("outcome") == "suspended"
    assert key not in plane.outcomes
    plane.cancel(key)
    assert outcome(plane, key).WhichOneof("outcome") == "cancelled"
    names = {f"muster-process-{pid}", f"muster-process-{pid}-writer"}
    eventually(lambda: not names & {thread.name for thread in threading.enumerate()}, "its threads have ended")
