"""Celery on Redis, with the settings of its guide to optimizing for many short tasks. Tasks are acknowledged late, so
that a job counts once it has run; results are not kept, because nobody reads them."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import sys
import threading
import time
from typing import Any

from celery import Celery, signals
from redis import Redis

from host import now, say

PREFETCH = 128
TELL_SECONDS = 0.01

app = Celery("bench")
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    worker_prefetch_multiplier=PREFETCH,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    broker_connection_retry_on_startup=True,
)

# Shared with the worker's child processes, which inherit it.
handled = multiprocessing.Value("q", 0)


def hold() -> None:
    """Celery stops a running task by a signal to the child process that runs it."""

    def stopped(*_: Any) -> None:
        say({"event": "stopped", "time": now()})
        os._exit(0)

    signal.signal(signal.SIGTERM, stopped)
    say({"event": "started", "time": now()})
    while True:
        time.sleep(60)


@app.task(name="work")
def work(job: dict[str, Any]) -> None:
    if job["kind"] == "clock":
        say({"event": "waits", "waits": [now() - job["sent"]]})
    elif job["kind"] == "sleep":
        time.sleep(job["ms"] / 1000)
    elif job["kind"] == "hold":
        hold()
    with handled.get_lock():
        handled.value += 1


class Producer:
    """Celery has no call for many tasks: those of a call are sent one after the other."""

    def __init__(self, url: str) -> None:
        app.conf.broker_url = url
        self.redis = Redis.from_url(url)

    def submit_many(self, queue: str, jobs: list[dict[str, Any]]) -> list[str]:
        with app.producer_pool.acquire(block=True) as producer:
            return [work.apply_async((job,), queue=queue, producer=producer).id for job in jobs]

    def cancel(self, job: str) -> None:
        app.control.revoke(job, terminate=True)

    def open(self, queues: list[str]) -> dict[str, int]:
        waiting = sum(self.redis.llen(queue) for queue in queues)
        taken = [json.loads(one)[2] for one in self.redis.hvals("unacked")]
        return {"open": waiting + sum(queue in queues for queue in taken), "failed": 0}


def prepare(_: str) -> None:
    """Redis needs no preparation."""


def tell() -> None:
    told = 0
    while True:
        time.sleep(TELL_SECONDS)
        if handled.value != told:
            told = handled.value
            say({"event": "handled", "handled": told})


def stop_with_stdin() -> None:
    sys.stdin.read()
    os.kill(os.getpid(), signal.SIGTERM)


def run_worker(url: str, queues: list[str]) -> None:
    app.conf.broker_url = url
    logging.disable(logging.CRITICAL)

    @signals.worker_ready.connect(weak=False)
    def ready(**_: Any) -> None:
        say({"event": "ready"})
        threading.Thread(target=tell, daemon=True).start()
        threading.Thread(target=stop_with_stdin, daemon=True).start()

    app.worker_main(["worker", "--queues", ",".join(queues), "--without-gossip", "--without-mingle"])
