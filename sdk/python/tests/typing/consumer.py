"""The public API as type checkers see it. Never run; mypy checks it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from typing_extensions import assert_type

from muster import (
    AsyncClient,
    Client,
    EventPage,
    Job,
    JobContext,
    JobFilter,
    LogRecord,
    SubmittedJob,
    Worker,
    decode,
    encode,
    retry_policy,
)
from muster.testing import FakeContext, HandlerOutcome, run_handler


@dataclass
class Order:
    article: str


worker = Worker("127.0.0.1:7070", name="w", slots=4)


worker.define("order", input_type=Order, run_timeout=60)
worker.define("later", priority="high")  # type: ignore[arg-type]
worker.define("later", colour="red")  # type: ignore[call-arg]


@worker.handler("order", process=True, kill_after=2.0)
def order(ctx: JobContext, value: Order) -> Order:
    assert_type(ctx.last_checkpoint_as(Order), Order | None)
    return value


@worker.handler()
async def later(ctx: JobContext, value: Order) -> None:
    ctx.progress(0.5)


def blocking(client: Client) -> None:
    job = client.submit("order", Order("tea"), labels={"a": "b"}, delay=2.0, request_id="x")
    assert_type(job, SubmittedJob)
    assert_type(client.get(job), Job)
    assert_type(client.wait(job, 3.0), Job)
    assert_type(client.result(job), Any)
    assert_type(client.result(job, as_type=Order), Order)
    assert_type(client.list(JobFilter(states=["FAILED"])), Iterator[Job])
    assert_type(client.logs(job, follow=True), Iterator[LogRecord])
    assert_type(client.cancel_jobs(JobFilter(), reason="why"), int)
    assert_type(client.pause_jobs(JobFilter(), running=True), int)
    client.apply_definition("order", run_timeout=60, retry_policy=retry_policy(max_attempts=3))
    client.submit("order", priority="high")  # type: ignore[arg-type]
    client.submit("order", colour="red")  # type: ignore[call-arg]
    client.get(7)  # type: ignore[arg-type]


async def awaiting(client: AsyncClient) -> None:
    job = await client.submit("order", Order("tea"))
    assert_type(job, SubmittedJob)
    assert_type(await client.get(job), Job)
    assert_type(await client.result(job, as_type=Order), Order)
    assert_type(client.list(), AsyncIterator[Job])
    assert_type(client.watch(job), AsyncIterator[Job])
    assert_type(client.watch_events(after=0), AsyncIterator[EventPage])
    assert_type(await client.cancel_jobs(JobFilter()), int)
    assert_type(await client.resume_jobs(JobFilter()), int)
    _ = client.submit("order").job_id  # type: ignore[attr-defined]


def in_tests() -> None:
    assert_type(run_handler(order, Order("tea"), FakeContext(attempt=2)), HandlerOutcome)
    assert_type(decode(encode(1), int), int)
