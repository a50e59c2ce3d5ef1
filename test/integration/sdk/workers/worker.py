"""The handlers of the tests in Python; worker.ts has the same ones."""

import sys
import time

from muster import Worker

worker = Worker(sys.argv[1], name="python", slots=4)


@worker.handler("python-slow")
def slow(ctx, job):
    """Runs that long, and asks for more time if its input says so."""
    if job["extend"] > 0:
        ctx.extend_run_timeout(job["extend"] / 1000)
    end = time.monotonic() + job["run"] / 1000
    while time.monotonic() < end:
        ctx.raise_if_cancelled()
        time.sleep(0.01)
    return "done"


@worker.handler("python-chatty")
def chatty(ctx, job):
    """Fails on its first attempt, and logs the attempt's number."""
    for i in range(1, job["lines"] + 1):
        ctx.log.info("attempt %d, line %d", ctx.attempt, i, extra={"i": i})
    if ctx.attempt == 1:
        raise RuntimeError("once more")
    ctx.log.warning("ready")


@worker.handler("python-waiting")
def waiting(ctx, _job):
    """Logs a line and waits for its cancel."""
    ctx.log.debug("waiting")
    ctx.cancel_event.wait(60)
    ctx.raise_if_cancelled()


worker.run()
