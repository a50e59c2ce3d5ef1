"""The worker of the cancel benchmark, like `cancel-worker.ts`."""

from __future__ import annotations

import sys
import time
from typing import Any

from muster import JobContext, Worker

worker = Worker(sys.argv[1], name="cancel-bench", slots=10)


def _say(what: str, job_id: str) -> None:
    print(what, job_id, time.time() * 1000, flush=True)


@worker.handler("wait")
def _wait(ctx: JobContext, _given: Any) -> None:
    _say("started", ctx.job_id)
    ctx.cancel_event.wait()
    _say("stopped", ctx.job_id)
    ctx.raise_if_cancelled()


worker.run()
