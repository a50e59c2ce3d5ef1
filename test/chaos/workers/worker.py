"""A Python worker process of a crash test; its handlers write records as those of `worker.ts` do."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from typing import Any

from muster import JobContext, JobStopped, Worker

address, name, file, slots = sys.argv[1:5]
_LONGEST_STEP_MS = 150
_MIN_AHEAD_MS = 1_000
records = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)


# The wall clock may be moved.
_EPOCH_MS = float(os.environ.get("MUSTER_CHAOS_EPOCH_MS") or time.time_ns() / 1e6 - time.monotonic_ns() / 1e6)


def _now_ms() -> int:
    return int(_EPOCH_MS + time.monotonic_ns() / 1e6)


def _record(kind: str, **facts: Any) -> None:
    at = _now_ms()
    ahead_ms = time.time_ns() // 1_000_000 - at
    clock = {"aheadMs": ahead_ms} if abs(ahead_ms) > _MIN_AHEAD_MS else {}
    line = json.dumps({"kind": kind, "at": at, "worker": name, **clock, **facts})
    os.write(records, line.encode() + b"\n")


def _signature(ctx: JobContext) -> dict[str, str]:
    return {"by": f"{ctx.job_id}/{ctx.attempt}/{name}"}


def _watch() -> None:
    """Records gaps in which the process did not run."""
    last = _now_ms()
    while True:
        time.sleep(0.025)
        now = _now_ms()
        if now - last > _LONGEST_STEP_MS:
            _record("gap", **{"from": last})
        last = now


worker = Worker(address, name=name, slots=int(slots), drain_timeout=5.0)


@worker.handler("quick")
def _quick(ctx: JobContext, _given: Any) -> dict[str, str]:
    _record("start", job=ctx.job_id, attempt=ctx.attempt, handler="quick")
    _record("end", job=ctx.job_id, attempt=ctx.attempt, handler="quick", how="returned")
    return _signature(ctx)


@worker.handler("slow")
def _slow(ctx: JobContext, given: dict[str, Any]) -> dict[str, str]:
    _record("start", job=ctx.job_id, attempt=ctx.attempt, handler="slow")
    if ctx.cancel_event.wait(given["ms"] / 1000):
        _record("end", job=ctx.job_id, attempt=ctx.attempt, handler="slow", how="stopped")
        raise JobStopped(ctx.cancel_reason or "")
    _record("effect", job=ctx.job_id, attempt=ctx.attempt, handler="slow")
    _record("end", job=ctx.job_id, attempt=ctx.attempt, handler="slow", how="returned")
    return _signature(ctx)


@worker.handler("flaky")
def _flaky(ctx: JobContext, given: dict[str, Any]) -> dict[str, str]:
    _record("start", job=ctx.job_id, attempt=ctx.attempt, handler="flaky")
    if ctx.attempt_count < given["failures"]:
        _record("end", job=ctx.job_id, attempt=ctx.attempt, handler="flaky", how="failed")
        raise ValueError("not yet")
    _record("effect", job=ctx.job_id, attempt=ctx.attempt, handler="flaky")
    _record("end", job=ctx.job_id, attempt=ctx.attempt, handler="flaky", how="returned")
    return _signature(ctx)


def _announce() -> None:
    while not worker.wait_open(1):
        time.sleep(0.01)  # `run` has not begun yet
    _record("event", event="process", pid=os.getpid(), sessionPid=worker.session_pid)


if __name__ == "__main__":
    threading.Thread(target=_watch, daemon=True).start()
    threading.Thread(target=_announce, daemon=True).start()
    worker.run()
    _record("event", event="over")
