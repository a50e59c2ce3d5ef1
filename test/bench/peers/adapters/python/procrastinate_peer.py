"""Procrastinate on PostgreSQL: tasks on asyncio, deferred in batches, woken by LISTEN/NOTIFY."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from typing import Any

import procrastinate
from procrastinate import App, PsycopgConnector, SyncPsycopgConnector

from host import now, say

CONCURRENCY = 100
TELL_SECONDS = 0.01


class Counts:
    """What the handlers of this process have done."""

    handled = 0
    waits: list[float] = []


async def hold() -> None:
    say({"event": "started", "time": now()})
    try:
        await asyncio.sleep(3600)
    except asyncio.CancelledError:
        say({"event": "stopped", "time": now()})
        raise


async def handle(job: dict[str, Any]) -> None:
    if job["kind"] == "clock":
        Counts.waits.append(now() - job["sent"])
    elif job["kind"] == "sleep":
        await asyncio.sleep(job["ms"] / 1000)
    elif job["kind"] == "hold":
        await hold()
    Counts.handled += 1


async def retry_stalled(context: procrastinate.JobContext, timestamp: int) -> None:
    """As in the guide: without it, jobs of dead workers are not retried. A minute is the shortest interval of cron."""
    for job in await context.app.job_manager.get_stalled_jobs():
        await context.app.job_manager.retry_job(job)


def open_app(connector: Any) -> App:
    app = App(connector=connector)
    app.task(name="work")(handle)
    periodic = app.task(name="retry_stalled", queue="main", pass_context=True, queueing_lock="retry_stalled")
    app.periodic(cron="* * * * *")(periodic(retry_stalled))
    return app


def prepare(url: str) -> None:
    with open_app(SyncPsycopgConnector(conninfo=url)).open() as app:
        app.schema_manager.apply_schema()


class Producer:
    def __init__(self, url: str) -> None:
        self.app = open_app(SyncPsycopgConnector(conninfo=url, max_size=10))
        self.app.open()

    def submit_many(self, queue: str, jobs: list[dict[str, Any]]) -> list[str]:
        deferrer = self.app.configure_task("work", queue=queue)
        if len(jobs) == 1:
            return [str(deferrer.defer(job=jobs[0]))]
        return [str(id) for id in deferrer.batch_defer(*({"job": job} for job in jobs))]

    def cancel(self, job: str) -> None:
        self.app.job_manager.cancel_job_by_id(int(job), abort=True)

    def open(self, queues: list[str]) -> dict[str, int]:
        query = """SELECT count(*) FILTER (WHERE status IN ('todo', 'doing')) AS open,
                          count(*) FILTER (WHERE status = 'failed') AS failed
                   FROM procrastinate_jobs WHERE task_name = 'work' AND queue_name = ANY (%(queues)s)"""
        return dict(self.app.connector.get_sync_connector().execute_query_one(query, queues=queues))


async def tell() -> None:
    told = 0
    while True:
        await asyncio.sleep(TELL_SECONDS)
        if Counts.waits:
            say({"event": "waits", "waits": Counts.waits})
            Counts.waits = []
        if Counts.handled != told:
            told = Counts.handled
            say({"event": "handled", "handled": told})


async def run(url: str, queues: list[str]) -> None:
    app = open_app(PsycopgConnector(conninfo=url, max_size=20))
    async with app.open_async():
        # Each queue has slots of its own.
        workers = [
            asyncio.create_task(
                app.run_worker_async(queues=[queue], concurrency=CONCURRENCY, install_signal_handlers=False)
            )
            for queue in queues
        ]
        telling = asyncio.create_task(tell())
        await asyncio.sleep(0.2)
        say({"event": "ready"})
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        for task in [*workers, telling]:
            task.cancel()
        await asyncio.gather(*workers, telling, return_exceptions=True)


def run_worker(url: str, queues: list[str]) -> None:
    logging.disable(logging.CRITICAL)
    asyncio.run(run(url, queues))
