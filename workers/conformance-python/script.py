"""The handler `script`: runs the steps of its input."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from muster import JobContext, NonRetryableError, ProgressCounts, RetryLater, SubmittedJob

Step = dict[str, Any]
# The result that a step returns; None: the step returns none.
Returned = tuple[Any] | None


async def run_script(ctx: JobContext, steps: list[Step]) -> Any:
    """Runs the steps in order; returns the result of the first step that has one."""
    returned = await Run(ctx).steps(steps)
    return returned[0] if returned else None


class Run:
    """One run of a script, with the state that steps share."""

    def __init__(self, ctx: JobContext) -> None:
        self._ctx = ctx
        self._children: list[SubmittedJob] = []
        self._results: list[Any] = []

    async def steps(self, steps: list[Step]) -> Returned:
        """Runs steps until one returns a result."""
        for step in steps:
            returned = await ACTIONS[step["do"]](self, step)
            if returned is not None:
                return returned
        return None

    async def return_value(self, step: Step) -> Returned:
        """Ends with a result."""
        return (step["value"],)

    async def return_bytes(self, step: Step) -> Returned:
        """Ends with this many zero bytes."""
        return (bytes(step["size"]),)

    async def return_context(self, _step: Step) -> Returned:
        """Ends with the facts about the attempt."""
        ctx = self._ctx
        facts = {
            "job_id": ctx.job_id,
            "attempt": ctx.attempt,
            "attempt_count": ctx.attempt_count,
            "definition": ctx.definition,
            "checkpoint": ctx.last_checkpoint,
            "traceparent": ctx.traceparent,
        }
        return (facts,)

    async def return_children(self, _step: Step) -> Returned:
        """Ends with the results of the awaited children."""
        return (self._results,)

    async def fail(self, step: Step) -> Returned:
        """Ends with a typed failure."""
        raise failure(step)

    async def throw(self, step: Step) -> Returned:
        """Ends with an ordinary error."""
        raise RuntimeError(step["message"])

    async def progress(self, step: Step) -> Returned:
        """Reports progress."""
        counted = "done" in step
        counts = ProgressCounts(step["done"], step.get("total"), step.get("unit", "")) if counted else step["fraction"]
        self._ctx.progress(counts, step.get("message"))
        return None

    async def checkpoint(self, step: Step) -> Returned:
        """Stores a checkpoint."""
        self._ctx.checkpoint(step["value"])
        return None

    async def suspend(self, step: Step) -> Returned:
        """Suspends the job with a checkpoint."""
        self._ctx.suspend(step["value"])

    async def log(self, step: Step) -> Returned:
        """Logs a line."""
        self._ctx.log.info("%s", step["message"])
        return None

    async def extend(self, step: Step) -> Returned:
        """Extends the run timeout."""
        self._ctx.extend_run_timeout(step["ms"] / 1_000)
        return None

    async def sleep(self, step: Step) -> Returned:
        """Sleeps until it is asked to stop."""
        await asyncio.sleep(step["ms"] / 1_000)
        return None

    async def deaf_sleep(self, step: Step) -> Returned:
        """Sleeps and ignores requests to stop."""
        sleeping = asyncio.ensure_future(asyncio.sleep(step["ms"] / 1_000))
        while not sleeping.done():
            try:
                await asyncio.shield(sleeping)
            except asyncio.CancelledError:
                continue
        return None

    async def until_stopped(self, step: Step) -> Returned:
        """Waits until it is asked to stop, then continues with other steps."""
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if "then" not in step:
                raise
        return await self.steps(step["then"])

    async def child(self, step: Step) -> Returned:
        """Submits a child."""
        call = (self._ctx.submit, step["definition"], step["input"])
        self._children.append(await asyncio.to_thread(*call, key=step["key"]))
        return None

    async def wait_children(self, _step: Step) -> Returned:
        """Waits for all children submitted so far."""
        self._results = await asyncio.to_thread(self._ctx.wait, self._children)
        return None

    async def exit(self, step: Step) -> Returned:
        """Ends the process at once."""
        os._exit(step["code"])


ACTIONS: dict[str, Callable[[Run, Step], Awaitable[Returned]]] = {
    "return": Run.return_value,
    "return_bytes": Run.return_bytes,
    "return_context": Run.return_context,
    "return_children": Run.return_children,
    "fail": Run.fail,
    "raise": Run.throw,
    "panic": Run.throw,
    "progress": Run.progress,
    "checkpoint": Run.checkpoint,
    "suspend": Run.suspend,
    "log": Run.log,
    "extend": Run.extend,
    "sleep": Run.sleep,
    "deaf_sleep": Run.deaf_sleep,
    "until_stopped": Run.until_stopped,
    "child": Run.child,
    "wait_children": Run.wait_children,
    "exit": Run.exit,
}


def failure(step: Step) -> Exception:
    """Makes an error with the step's class name; its base class controls the retry."""
    if step.get("non_retryable"):
        return type(step["type"], (NonRetryableError,), {})(step["message"])
    if "retry_delay_ms" in step:
        return type(step["type"], (RetryLater,), {})(step["retry_delay_ms"] / 1_000, step["message"])
    return type(step["type"], (Exception,), {})(step["message"])
