"""Asynchronous and typed handlers, over real gRPC and real NATS."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from dataclasses import dataclass

from muster import Worker
from muster.payloads import encode
from muster.v1.job_pb2 import Progress
from tests.support.facts import eventually
from tests.support.outcomes import begin, outcome, run


@dataclass
class Order:
    article: str
    count: int = 1


def test_handlers_meet_in_one_loop(control_plane, started) -> None:
    worker = Worker(control_plane.address, slots=5)
    here: list[int] = []
    together = asyncio.Event()
    threads: set[int] = set()

    @worker.handler("meet")
    async def meet(ctx, value):
        threads.add(threading.get_ident())
        here.append(value)
        if len(here) == 5:
            together.set()
        await together.wait()

    started(worker)
    keys = [begin(control_plane, "meet", n, lambda n=n: len(here) > n)[0] for n in range(5)]
    assert {outcome(control_plane, key).WhichOneof("outcome") for key in keys} == {"result"}
    assert len(threads) == 1
    assert threads != {threading.get_ident()}


def test_a_handler_that_is_asked_to_stop_is_cancelled(control_plane, started) -> None:
    worker = Worker(control_plane.address, slots=1)
    seen: list[str] = []

    @worker.handler("wait")
    async def wait(ctx, value):
        seen.append("running")
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            seen.append(ctx.cancel_reason)
            if value == "finish":
                return "cleaned up"
            raise
        return "never"

    started(worker)
    for value, kind in (("stop", "cancelled"), ("finish", "result")):
        seen.clear()
        key, _ = begin(control_plane, "wait", value, lambda: seen == ["running"])
        control_plane.cancel(key)
        assert outcome(control_plane, key).WhichOneof("outcome") == kind
        assert seen == ["running", "cancelled"]


def test_failures_progress_and_checkpoints_of_asynchronous_handlers(control_plane, started) -> None:
    worker = Worker(control_plane.address)

    @worker.handler("fail")
    async def fail(ctx, value):
        ctx.progress(0.5)
        ctx.checkpoint([1])
        await asyncio.sleep(0)
        raise asyncio.CancelledError if value else ValueError("no")

    started(worker)
    assert run(control_plane, "fail", 0).failure.type == "ValueError"
    assert run(control_plane, "fail", 1).failure.type == "CancelledError"  # nothing had cancelled it
    updates = [update for _, beat in control_plane.session.beats for update in beat.progress]
    assert {update.checkpoint.data for update in updates} == {b"[1]"}


def test_typed_inputs_and_results(control_plane, started) -> None:
    worker = Worker(control_plane.address)

    @worker.handler("order")
    def order(ctx, value: Order) -> Order:
        return Order(value.article, value.count + 1)

    @worker.handler("halve")
    async def halve(ctx, value: Progress) -> Progress:
        return Progress(fraction=value.fraction / 2)

    started(worker)
    assert run(control_plane, "order", Order("tea")).result.data == b'{"article":"tea","count":2}'
    failure = run(control_plane, "order", {"article": "tea", "count": "two"}).failure
    assert (failure.non_retryable, failure.message) == (True, "input.count: a whole number is needed, not 'two'")
    halved = run(control_plane, "halve", Progress(fraction=1.0)).result
    assert halved == encode(Progress(fraction=0.5))


def test_the_end_of_the_worker_ends_what_its_handlers_have_begun(control_plane) -> None:
    worker = Worker(control_plane.address, drain_timeout=0.1)
    ended: list[str] = []
    begun: list[object] = []

    async def numbers():
        try:
            yield 1
        finally:
            ended.append("generator")

    @worker.handler("work")
    async def work(ctx, value):
        begun.append(numbers())
        await anext(begun[0])
        try:
            await asyncio.sleep(600)
        finally:
            ended.append("handler")

    worker.start()
    begin(control_plane, "work", None, lambda: begun)
    worker.stop()
    assert worker.wait(60)
    eventually(lambda: ended == ["handler", "generator"], "both have ended")


def test_a_worker_in_the_loop_of_the_program(control_plane) -> None:
    worker = Worker(control_plane.address)
    loops: list[asyncio.AbstractEventLoop] = []

    @worker.handler("loop")
    async def loop_of(ctx, value):
        loops.append(asyncio.get_running_loop())

    async def program() -> None:
        running = asyncio.create_task(worker.run_async())
        await asyncio.to_thread(eventually, lambda: worker.session_id, "a session is open")
        await asyncio.to_thread(run, control_plane, "loop")
        assert loops == [asyncio.get_running_loop()]
        os.kill(os.getpid(), signal.SIGTERM)
        await asyncio.wait_for(running, 30)

    asyncio.run(program())
    assert not control_plane.session.is_open


def test_cancelling_the_run_stops_the_worker(control_plane) -> None:
    worker = Worker(control_plane.address)
    worker.add_handler("echo", lambda ctx, value: value)

    async def program() -> bool:
        running = asyncio.create_task(worker.run_async())
        await asyncio.to_thread(eventually, lambda: worker.session_id, "a session is open")
        running.cancel()
        await asyncio.wait({running}, timeout=30)
        return running.cancelled()

    assert asyncio.run(program())
    assert not control_plane.session.is_open
