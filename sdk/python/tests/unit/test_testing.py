"""The helpers for tests of handlers."""

from __future__ import annotations

import asyncio
import threading
import uuid
from dataclasses import dataclass

import pytest

from muster import JobContext, NonRetryableError, RetryLater
from muster.durations import to_seconds
from muster.testing import FakeContext, run_handler, run_handler_async


@dataclass
class Order:
    article: str
    count: int = 1


def test_the_way_of_input_and_result() -> None:
    def double(ctx: JobContext, order: Order) -> Order:
        assert isinstance(order, Order)
        return Order(order.article, order.count * 2)

    for value in (Order("tea", 2), {"article": "tea", "count": 2}):
        outcome = run_handler(double, value)
        assert (outcome.result, outcome.failure) == ({"article": "tea", "count": 4}, None)
    failure = run_handler(double, {"count": 2}).failure
    assert failure is not None
    assert (failure.non_retryable, failure.message) == (True, "input.article: a value is needed")
    with pytest.raises(TypeError, match="no JSON form"):
        run_handler(double, object())
    with pytest.raises(TypeError, match="two arguments"):
        run_handler(lambda ctx: None)


def test_failures_as_the_control_plane_receives_them() -> None:
    def fail(ctx, value):
        raise NonRetryableError("never") if value else RetryLater(7)

    permanent, later = run_handler(fail, 1).failure, run_handler(fail, 0).failure
    assert permanent is not None
    assert later is not None
    assert (permanent.type, permanent.non_retryable, to_seconds(later.retry_delay)) == ("NonRetryableError", True, 7.0)


def test_what_a_handler_says_is_kept() -> None:
    def report(ctx, value):
        ctx.progress(0.25, "reading")
        ctx.checkpoint({"row": ctx.last_checkpoint["row"] + 1})
        ctx.progress(2)
        ctx.extend_run_timeout(30)
        ctx.extend_run_timeout(30)
        ctx.log.info("read %d rows", 7, extra={"table": "a"})
        return [ctx.job_id, ctx.attempt, ctx.idempotency_key, ctx.run_timeout]

    job_id = str(uuid.uuid4())
    context = FakeContext(job_id=job_id, attempt=3, last_checkpoint={"row": 41}, run_timeout=60)
    outcome = run_handler(report, context=context)
    assert outcome.result == [job_id, 3, job_id, 60.0]
    assert outcome.context is context
    assert [(one.fraction, one.message) for one in context.reported_progress] == [(0.25, "reading"), (1.0, "")]
    assert (context.checkpoints, context.extension) == ([{"row": 42}], 60)
    assert [(one.message, dict(one.fields)) for one in context.log_records] == [("read 7 rows", {"table": "a"})]
    assert FakeContext().last_checkpoint is None
    assert FakeContext(last_checkpoint={"article": "tea"}).last_checkpoint_as(Order) == Order("tea")
    assert FakeContext().last_checkpoint_as(Order) is None


def test_limits_are_those_of_production() -> None:
    with pytest.raises(ValueError, match="the maximum is 10"):
        FakeContext(max_payload=10).checkpoint("x" * 20)
    failure = run_handler(lambda ctx, value: "x" * 20, context=FakeContext(max_payload=10)).failure
    assert failure is not None
    assert failure.type == "ResultTooLarge"


def test_a_handler_that_is_asked_to_stop() -> None:
    context = FakeContext()

    def wait(ctx, value):
        threading.Thread(target=context.cancel).start()
        ctx.cancel_event.wait(30)
        return ctx.cancel_reason

    assert run_handler(wait, context=context).result == "cancelled"
    stopped = FakeContext()
    stopped.cancel("shutdown")
    failure = run_handler(lambda ctx, value: ctx.raise_if_cancelled(), context=stopped).failure
    assert failure is not None
    assert (failure.type, failure.message) == ("JobStopped", "shutdown")


def test_asynchronous_handlers() -> None:
    async def wait(ctx, value: int):
        try:
            await asyncio.sleep(value)
        except asyncio.CancelledError:
            return ctx.cancel_reason
        return "slept"

    assert run_handler(wait, 0).result == "slept"

    async def program() -> object:
        context = FakeContext()
        running = asyncio.create_task(run_handler_async(wait, 600, context))
        await asyncio.sleep(0)
        context.cancel("run_timeout")
        return (await running).result

    assert asyncio.run(program()) == "run_timeout"
