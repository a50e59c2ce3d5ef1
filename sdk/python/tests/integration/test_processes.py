"""The session process and the worker's process: neither blocks the other, nor outlives it wrongly."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from itertools import pairwise

import pytest

from muster import Worker
from muster.v1.job_definition_pb2 import LEASE_LOSS_ACTION_CONTINUE
from muster.worker.handler_pool import HandlerPool
from tests.support.control_plane import ControlPlane
from tests.support.facts import eventually, process_is_alive

# Prints a line each time Python lets another thread of the process run.
_TICKER = """
def ticker():
    while True:
        say("tick")
        time.sleep(0.05)

threading.Thread(target=ticker, daemon=True).start()
"""


def test_a_backtracking_regular_expression_does_not_stop_the_beats(nats, script) -> None:
    with ControlPlane(nats.url, lease=3.0, beat_interval=0.2) as control_plane:
        worker = script(
            control_plane.address,
            """
import re

@worker.handler("match")
def match(ctx, value):
    say("matching")
    re.match("(a+)+$", value)
    say("matched")
"""
            + _TICKER,
        )
        worker.session_pid()
        key = control_plane.submit("match", "a" * 60 + "b")  # longer than anybody waits
        worker.said("matching")
        session = control_plane.session
        ticks = len(worker.lines)
        beats = len(session.beats)
        eventually(lambda: len(session.beats) >= beats + 25, "beats continue, for longer than a lease")
        assert session.beats[-1][0] - session.beats[beats][0] > 3.0
        gaps = [after[0] - before[0] for before, after in pairwise(session.beats[beats:])]
        assert max(gaps) < 2.0
        held = session.beats[-1][1].held_attempts
        assert [(attempt.job_id, attempt.started) for attempt in held] == [(key[0], True)]
        # Without this check the test would prove nothing: no other thread of the worker's process ran in that time.
        assert len(worker.lines) <= ticks + 2
        assert "matched" not in worker.lines


def test_the_session_process_ends_with_the_handler_process(control_plane, script) -> None:
    worker = script(
        control_plane.address,
        """
@worker.handler("wait")
def wait(ctx, value):
    say("waiting")
    time.sleep(60)
""",
    )
    pid = worker.session_pid()
    control_plane.submit("wait")
    worker.said("waiting")
    session = control_plane.session
    worker.signal(signal.SIGKILL)
    eventually(lambda: not process_is_alive(pid), "the session process is gone", 5)
    assert session.is_worker_lost == (sys.platform == "linux")


def test_it_ends_even_if_a_child_of_the_handler_process_keeps_the_pipe_open(control_plane, script) -> None:
    worker = script(
        control_plane.address,
        """
import os

@worker.handler("fork")
def fork(ctx, value):
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    say("child", pid)
    time.sleep(60)
""",
    )
    pid = worker.session_pid()
    control_plane.submit("fork")
    child = int(worker.said("child").split()[1])
    try:
        worker.signal(signal.SIGKILL)
        eventually(lambda: not process_is_alive(pid), "the session process is gone", 5)
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_session_process_that_dies_is_replaced(control_plane, started) -> None:
    events: list[str] = []
    worker = Worker(control_plane.address, slots=2, on_event=lambda event: events.append(event.value))
    reasons: list[str | None] = []
    running, finish = threading.Event(), threading.Event()

    @worker.handler("wait")
    def wait(ctx, value):
        running.set()
        ctx.cancel_event.wait(20)
        reasons.append(ctx.cancel_reason)
        finish.wait(20)
        return "dropped"

    worker.add_handler("echo", lambda ctx, value: value)
    started(worker)
    first = worker.session_pid
    assert first is not None
    key = control_plane.submit("wait")
    assert running.wait(20)
    # A job can arrive before the answer that makes the session ready.
    eventually(lambda: events == ["opened", "ready"], "the first session is ready")
    os.kill(first, signal.SIGKILL)
    control_plane.session.is_open = False
    eventually(lambda: reasons == ["lease_lost"], "its handlers are asked to stop")
    eventually(lambda: len(control_plane.sessions) == 2 and control_plane.session.credits, "a new session has credits")
    # The handler of the old session still runs, so one of two slots is free.
    assert sum(credit.slots for credit in control_plane.session.credits) == 1
    finish.set()
    eventually(lambda: sum(credit.slots for credit in control_plane.session.credits) == 2, "its slot is granted")
    echo = control_plane.submit("echo", 1)
    eventually(lambda: echo in control_plane.outcomes, "jobs run again")
    assert key not in control_plane.outcomes
    assert worker.session_pid != first
    eventually(lambda: events[2:] == ["lost", "opened", "ready"], "the second session is ready")
    worker.stop()
    assert worker.wait(60)
    assert events[5:] == ["draining", "closed"]


def test_the_session_process_ends_when_the_worker_can_not_continue(control_plane, monkeypatch) -> None:
    def refuse(pool: HandlerPool, work: object) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(HandlerPool, "submit", refuse)
    worker = Worker(control_plane.address)
    worker.add_handler("echo", lambda ctx, value: value)
    worker.start()
    assert worker.wait_open(20)
    pid = worker.session_pid
    assert pid is not None
    control_plane.submit("echo", 1)
    with pytest.raises(RuntimeError, match="new thread"):
        worker.wait(30)
    assert worker.session_id is None
    eventually(lambda: not process_is_alive(pid), "the session process is gone", 10)


def test_the_fence_falls_although_the_session_process_hangs(nats, started) -> None:
    """Another worker may run the job once the lease is over, so the handler has to stop before."""
    lease = 3.0
    with ControlPlane(nats.url, lease=lease, beat_interval=0.2) as control_plane:
        worker = Worker(control_plane.address, slots=2)
        runs: dict[str, threading.Event] = {"wait": threading.Event(), "continue": threading.Event()}
        stopped: list[tuple[float, str | None]] = []

        @worker.handler("wait")
        def wait(ctx, value):
            runs["wait"].set()
            ctx.cancel_event.wait(60)
            stopped.append((time.monotonic(), ctx.cancel_reason))
            ctx.raise_if_cancelled()

        @worker.handler("continue")
        def run_on(ctx, value):
            runs["continue"].set()
            return ctx.cancel_event.wait(2 * lease)

        started(worker)
        aborted = control_plane.submit("wait")
        continued = control_plane.submit("continue", lease_loss_action=LEASE_LOSS_ACTION_CONTINUE)
        assert all(run.wait(20) for run in runs.values())
        pid = worker.session_pid
        assert pid is not None
        os.kill(pid, signal.SIGSTOP)
        try:
            eventually(lambda: stopped, "the handler is asked to stop")
            ((at, reason),) = stopped
            assert reason == "lease_lost"
            assert at < control_plane.session.beats[-1][0] + lease
        finally:
            os.kill(pid, signal.SIGCONT)
        eventually(lambda: continued in control_plane.outcomes, "the other handler ran on")
        assert control_plane.outcomes[continued].result.data == b"false"
        eventually(lambda: aborted in control_plane.outcomes, "its attempt is reported")
        assert control_plane.outcomes[aborted].HasField("aborted")


def test_a_signal_drains(control_plane, script) -> None:
    worker = script(
        control_plane.address,
        """
@worker.handler("work")
def work(ctx, value):
    say("working")
    time.sleep(0.5)
    return "done"
""",
    )
    pid = worker.session_pid()
    key = control_plane.submit("work")
    worker.said("working")
    worker.signal(signal.SIGTERM)
    os.kill(pid, signal.SIGTERM)  # a service manager signals them all
    assert worker.wait(20) == 0
    assert control_plane.outcomes[key].HasField("result")
    assert control_plane.session.beats[-1][1].draining
    assert not control_plane.session.is_open
    assert not process_is_alive(pid)
    worker.said("over")


def test_a_second_signal_does_not_wait_for_handlers(control_plane, script) -> None:
    worker = script(
        control_plane.address,
        """
@worker.handler("work")
def work(ctx, value):
    say("working")
    ctx.cancel_event.wait(60)
    say("stopped", ctx.cancel_reason)
    ctx.raise_if_cancelled()
""",
    )
    worker.session_pid()
    key = control_plane.submit("work")
    worker.said("working")
    worker.signal(signal.SIGINT)
    eventually(lambda: control_plane.session.beats[-1][1].draining, "it drains")
    worker.signal(signal.SIGINT)
    worker.said("stopped shutdown")
    assert worker.wait(20) == 0
    assert key not in control_plane.outcomes
    assert not control_plane.session.is_open


def test_what_the_control_plane_drains_ends(control_plane) -> None:
    worker = Worker(control_plane.address)
    worker.add_handler("echo", lambda ctx, value: value)
    worker.start()
    assert worker.wait_open(20)

    def edit(session, reply) -> None:
        reply.drain = True

    control_plane.edit_reply = edit
    assert worker.wait(20)
    assert not control_plane.session.is_open
