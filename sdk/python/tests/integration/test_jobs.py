"""Jobs from assignment to report, over real gRPC and real NATS."""

from __future__ import annotations

import threading
from typing import Any

from muster import NonRetryableError, RetryLater, Worker
from muster.durations import to_duration, to_seconds
from muster.payloads import encode
from muster.worker.v1.attempt_report_pb2 import RELEASE_REASON_UNSUPPORTED
from muster.worker.v1.session_pb2 import ProgressUpdate
from tests.support.facts import eventually
from tests.support.outcomes import begin, outcome


def test_a_job_runs(control_plane, started) -> None:
    worker = Worker(control_plane.address, name="py", slots=4, labels={"zone": "a"}, resources={"gpu": 2.0})

    @worker.handler("add")
    def add(ctx, value):
        return {"sum": value["a"] + value["b"]}

    started(worker)
    key = control_plane.submit("add", {"a": 1, "b": 2})
    assert outcome(control_plane, key).result.data == b'{"sum":3}'
    request = control_plane.session.request
    assert (request.worker_name, request.slots, request.protocol_version) == ("py", 4, 1)
    assert (dict(request.labels), dict(request.resources)) == ({"zone": "a"}, {"gpu": 2.0})
    assert [handler.name for handler in request.handlers] == ["add"]
    assert request.sdk.name == "muster-python"
    eventually(lambda: not control_plane.session.beats[-1][1].held_attempts, "nothing is held any more")


def test_a_worker_applies_its_definitions_before_its_session_opens(control_plane, started) -> None:
    worker = Worker(control_plane.address, namespace="shop")
    worker.define("add", input_type=list[int], run_timeout=60)
    worker.define("add-later", handler="add", priority=-1)
    applied_before: list[str] = []

    @worker.handler("add")
    def add(ctx, values: list[int]) -> int:
        return sum(values)

    def note(method: str, request: Any) -> None:
        if method == "OpenSession":
            applied_before.extend(definition.name for definition in control_plane.definitions)

    control_plane.intercept = note
    started(worker)
    assert applied_before == ["add", "add-later"]
    first, second = control_plane.definitions
    assert (first.namespace, first.input_json_schema) == ("shop", '{"items": {"type": "integer"}, "type": "array"}')
    assert (second.namespace, second.task.handler, second.priority) == ("shop", "add", -1)
    assert outcome(control_plane, control_plane.submit("add", [2, 3])).result.data == b"5"


def test_many_jobs_run_once_each(control_plane, started) -> None:
    worker = Worker(control_plane.address, slots=4)
    runs: list[int] = []
    lock = threading.Lock()

    @worker.handler("count")
    def count(ctx, value):
        with lock:
            runs.append(value)

    started(worker)
    total = 3_000
    keys = control_plane.submit_many("count", list(range(total)))
    accepted = control_plane.outcomes
    eventually(lambda: sum(key in accepted for key in keys) == total, "all are reported", 60)
    # Attempts that were released for want of a slot, more on a busy machine, are not assigned again here.
    released = {key for key in keys if accepted[key].HasField("released")}
    assert sorted(runs) == sorted(value for value, key in enumerate(keys) if key not in released)
    assert len(runs) > len(released)
    batches = [len(request.reports) for request in control_plane.session.reports]
    assert max(batches) > 1


def test_failures_are_reported(control_plane, started) -> None:
    worker = Worker(control_plane.address)

    @worker.handler("fail")
    def fail(ctx, value):
        if value == "non_retryable":
            raise NonRetryableError("never")
        if value == "later":
            raise RetryLater(7.0)
        raise ValueError(value)

    started(worker)
    plain, permanent, later = (control_plane.submit("fail", value) for value in ("plain", "non_retryable", "later"))
    assert outcome(control_plane, plain).failure.type == "ValueError"
    assert outcome(control_plane, permanent).failure.non_retryable
    assert to_seconds(outcome(control_plane, later).failure.retry_delay) == 7.0


def test_progress_and_checkpoints(control_plane, started) -> None:
    worker = Worker(control_plane.address)
    proceed = threading.Event()

    @worker.handler("steps")
    def steps(ctx, value):
        ctx.progress(0.5, "half")
        ctx.checkpoint({"row": ctx.last_checkpoint["row"] + 1})
        proceed.wait(20)
        ctx.checkpoint({"row": 99})
        raise RetryLater(1.0)

    started(worker)
    key = control_plane.submit("steps", checkpoint=encode({"row": 41}))

    def updates() -> list[ProgressUpdate]:
        return [update for _, beat in control_plane.session.beats for update in beat.progress]

    # The number varies: a beat may come between the two calls of the handler.
    eventually(lambda: any(update.checkpoint.data == b'{"row":42}' for update in updates()), "a beat carries it")
    first = updates()[0]
    assert (first.job_id, first.progress.fraction, first.progress.message) == (key[0], 0.5, "half")
    proceed.set()
    outcome(control_plane, key)
    assert updates()[-1].checkpoint.data == b'{"row":99}'


def test_a_cancel_over_the_bus(control_plane, started) -> None:
    worker = Worker(control_plane.address, slots=1)
    running = threading.Event()

    @worker.handler("wait")
    def wait(ctx, value):
        running.set()
        ctx.cancel_event.wait(20)
        if value == "finish":
            return ctx.cancel_reason
        ctx.raise_if_cancelled()
        return "never"

    started(worker)
    for value, kind in (("stop", "cancelled"), ("finish", "result")):
        running.clear()
        key = control_plane.submit("wait", value)
        assert running.wait(20)
        control_plane.cancel(key)
        assert outcome(control_plane, key).WhichOneof("outcome") == kind


def test_a_run_timeout(control_plane, started) -> None:
    worker = Worker(control_plane.address)

    @worker.handler("wait")
    def wait(ctx, value):
        ctx.cancel_event.wait(20)
        ctx.raise_if_cancelled()

    started(worker)
    key = control_plane.submit("wait", run_timeout=to_duration(0.3))
    assert outcome(control_plane, key).failure.type == "RunTimeout"


def test_a_version_without_a_handler_is_released(control_plane, started) -> None:
    worker = Worker(control_plane.address)
    worker.add_handler("old", lambda ctx, value: value, max_version=1)
    started(worker)
    key = control_plane.submit("old")
    assert outcome(control_plane, key).HasField("result")
    other = control_plane.submit("old", definition_version=2)
    assert outcome(control_plane, other).released.reason == RELEASE_REASON_UNSUPPORTED


def test_more_slots(control_plane, started) -> None:
    worker = Worker(control_plane.address, slots=1)
    together = threading.Barrier(3)
    worker.add_handler("meet", lambda ctx, value: together.wait(20))
    started(worker)
    # It runs before `resize`, which voids the credits: an assignment under a voided credit is released.
    first, _ = begin(control_plane, "meet", None, lambda: together.n_waiting == 1)
    worker.resize(3)
    for key in [first, *(control_plane.submit("meet") for _ in range(2))]:
        assert outcome(control_plane, key).HasField("result")
