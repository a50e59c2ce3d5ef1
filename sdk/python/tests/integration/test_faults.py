"""A worker continues after faults around it."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading

import grpc
import pytest
from nats.aio import client as nats_client

from muster import Worker, WorkerError
from muster.worker.bus_credentials import BusCredentials
from muster.worker.session_bus import SessionBus
from muster.worker.v1.assignment_pb2 import Assignment, SessionMessage
from muster.worker.v1.attempt_report_pb2 import AttemptReport
from muster.worker.v1.session_pb2 import NatsCredentials
from tests.support.control_plane import ControlPlane, Refusal, lease_lost
from tests.support.facts import eventually


def outcome(control_plane, key) -> AttemptReport:
    return eventually(lambda: control_plane.outcomes.get(key), "the attempt is reported", 30)


def echo_worker(control_plane) -> Worker:
    worker = Worker(control_plane.address, slots=2)
    worker.add_handler("echo", lambda ctx, value: value)
    return worker


def test_a_restart_of_the_control_plane(control_plane, started) -> None:
    started(echo_worker(control_plane))
    assert outcome(control_plane, control_plane.submit("echo", 1)).HasField("result")
    control_plane.do(control_plane.stop_calls())
    control_plane.session.credits.clear()  # its knowledge of credits died with it
    key = control_plane.submit("echo", 2)
    control_plane.do(control_plane.resume_calls())
    assert outcome(control_plane, key).HasField("result")
    assert len(control_plane.sessions) == 1


def test_a_restart_of_the_bus(control_plane, nats, started) -> None:
    started(echo_worker(control_plane))
    assert outcome(control_plane, control_plane.submit("echo", 1)).HasField("result")
    beats = len(control_plane.session.beats)
    nats.stop()
    eventually(lambda: len(control_plane.session.beats) > beats + 2, "it continues beating")
    nats.start()
    assert outcome(control_plane, control_plane.submit("echo", 2)).HasField("result")
    assert len(control_plane.sessions) == 1


def test_reports_survive_calls_that_fail(control_plane, started) -> None:
    started(echo_worker(control_plane))
    codes = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED]

    def intercept(method: str, request: object) -> None:
        if method == "ReportAttempts" and codes:
            raise Refusal(codes.pop())

    control_plane.intercept = intercept
    key = control_plane.submit("echo", 5)
    assert outcome(control_plane, key).result.data == b"5"
    assert len([request for request in control_plane.session.reports if request.reports]) >= 4


@pytest.mark.parametrize("method", ["SendHeartbeat", "ReportAttempts"])
def test_a_lost_lease_stops_everything_and_opens_a_new_session(control_plane, started, method: str) -> None:
    worker = Worker(control_plane.address, slots=2)
    stopped, running = threading.Event(), threading.Event()

    @worker.handler("wait")
    def wait(ctx, value):
        running.set()
        if ctx.cancel_event.wait(20):
            assert ctx.cancel_reason == "lease_lost"
            stopped.set()
        return "dropped"

    worker.add_handler("echo", lambda ctx, value: value)
    started(worker)
    first = control_plane.session
    key = control_plane.submit("wait")
    assert running.wait(20)

    def intercept(called: str, request: object) -> None:
        if called == method and getattr(request, "session_id", None) == first.session_id:
            raise lease_lost()

    control_plane.intercept = intercept
    first.is_open = False
    if method == "ReportAttempts":
        control_plane.publish(
            first, SessionMessage(assignments=[Assignment(job_id=b"x" * 16, attempt=1, handler="echo")])
        )
    assert stopped.wait(20)
    eventually(lambda: len(control_plane.sessions) == 2, "a new session is opened")
    assert outcome(control_plane, control_plane.submit("echo", 1)).HasField("result")
    assert key not in control_plane.outcomes


def test_a_deaf_session_connects_anew(control_plane, nats, started) -> None:
    """It beats, but receives no ping, as over a connection that is open only on this side."""
    started(echo_worker(control_plane))
    session = control_plane.session
    eventually(lambda: session.echo > 0, "it receives from the bus")
    connections = nats.connections_so_far()
    control_plane.is_publishing = False

    def edit(of, reply) -> None:
        deaf = of.counter - of.echo >= 3
        reply.reconnect_bus = deaf
        if deaf:
            of.credits.clear()

    control_plane.edit_reply = edit
    eventually(lambda: nats.connections_so_far() > connections, "it connects anew")
    control_plane.is_publishing = True
    eventually(lambda: session.counter - session.echo < 3, "it receives again")
    assert nats.connections_so_far() == connections + 1
    assert outcome(control_plane, control_plane.submit("echo", 1)).HasField("result")


def test_a_server_of_the_bus_that_is_down_does_not_cost_the_connection_to_the_next(nats, monkeypatch) -> None:
    """The client reports the error of the first server, and connects to the second."""
    monkeypatch.setattr(nats_client, "shuffle", lambda servers: None)
    events: list[str] = []
    settled = asyncio.Event()

    class Listener:
        def on_bus_message(self, message: SessionMessage) -> None:
            pass

        def on_bus_ready(self) -> None:
            events.append("ready")
            settled.set()

        def on_bus_broken(self) -> None:
            events.append("broken")
            settled.set()

        def log(self, level: int, message: str) -> None:
            events.append("error")

    async def listen(dead: str) -> None:
        bus = SessionBus([dead, nats.url], "session.1", BusCredentials(NatsCredentials()), Listener())
        running = asyncio.ensure_future(bus.run())
        await asyncio.wait_for(settled.wait(), 30)
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running  # it closes its connection

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))  # it does not listen, so connections are refused
        asyncio.run(listen(f"nats://127.0.0.1:{silent.getsockname()[1]}"))
    assert events[:2] == ["error", "ready"]


def test_assignments_ride_in_replies_while_the_bus_is_down(control_plane, nats, started) -> None:
    started(echo_worker(control_plane))
    session = control_plane.session
    eventually(lambda: session.echo > 0, "it receives from the bus")
    nats.stop()
    keys = [(bytes([number]) * 16, 1) for number in range(3)]

    def edit(of, reply) -> None:
        reply.next_beat.FromMilliseconds(200)
        while of.credits and keys:
            key = keys.pop()
            assignment = Assignment(job_id=key[0], attempt=1, handler="echo", credit_id=of.credits[0].credit_id)
            of.credits.pop(0)
            control_plane.assigned[key] = (of, assignment)
            reply.assignments.append(assignment)

    control_plane.edit_reply = edit
    eventually(lambda: len(control_plane.outcomes) == 3, "all of them are done")
    assert all(report.HasField("result") for report in control_plane.outcomes.values())


def test_handlers_are_aborted_at_the_fence_and_the_session_is_kept(nats, started) -> None:
    with ControlPlane(nats.url, lease=2.0, beat_interval=0.3) as control_plane:
        worker = Worker(control_plane.address, slots=1)
        reasons: list[str | None] = []
        running = threading.Event()

        @worker.handler("wait")
        def wait(ctx, value):
            running.set()
            ctx.cancel_event.wait(20)
            reasons.append(ctx.cancel_reason)

        worker.add_handler("echo", lambda ctx, value: value)
        started(worker)
        key = control_plane.submit("wait")
        assert running.wait(20)
        is_down = True

        def intercept(method: str, request: object) -> None:
            if is_down:
                raise Refusal(grpc.StatusCode.UNAVAILABLE)

        control_plane.intercept = intercept
        eventually(lambda: reasons == ["lease_lost"], "the handler is asked to stop")
        assert key not in control_plane.outcomes
        is_down = False
        assert outcome(control_plane, key).HasField("aborted")
        assert outcome(control_plane, control_plane.submit("echo", 1)).HasField("result")
        assert len(control_plane.sessions) == 1
        # The worker has to end before its control plane does.
        worker.stop()
        assert worker.wait(20)


def test_a_worker_that_is_refused_says_so(control_plane) -> None:
    def intercept(method: str, request: object) -> None:
        raise Refusal(grpc.StatusCode.FAILED_PRECONDITION, "PROTOCOL_VERSION_UNSUPPORTED", "too old")

    control_plane.intercept = intercept
    worker = echo_worker(control_plane)
    worker.start()
    with pytest.raises(WorkerError, match="too old"):
        worker.wait(20)


def test_a_worker_waits_for_a_control_plane_that_is_not_there_yet(control_plane, started) -> None:
    control_plane.do(control_plane.stop_calls())
    worker = echo_worker(control_plane)
    worker.start()
    control_plane.do(control_plane.resume_calls())
    assert worker.wait_open(20)
    assert outcome(control_plane, control_plane.submit("echo", 1)).HasField("result")
    worker.stop()
    assert worker.wait(20)
    assert not control_plane.session.is_open
