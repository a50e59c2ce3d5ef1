"""The handler `script`: runs the steps that its input names."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from typing import Any

from muster import FinalError, JobContext, RetryLater, SubmittedJob

Step = dict[str, Any]
# The result that a step returns; None: it returns none.
Returned = tuple[Any] | None


async def run_script(ctx: JobContext, steps: list[Step]) -> Any:
    """Runs the steps in order; the result of the first that returns one is the handler's."""
    returned = await Run(ctx).steps(steps)
    return returned[0] if returned else None


class Run:
    """One run of a script: what its steps leave to those after them."""

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
        """Ends with so many zero bytes."""
        return (bytes(step["size"]),)

    async def return_context(self, _step: Step) -> Returned:
        """Ends with what the handler knows of its attempt."""
        ctx = self._ctx
        facts = {
            "job_id": ctx.job_id,
            "attempt": ctx.attempt,
            "attempts_counted": ctx.attempts_counted,
            "definition": ctx.definition,
            "checkpoint": ctx.last_checkpoint,
            "traceparent": ctx.traceparent,
        }
        return (facts,)

    async def return_children(self, _step: Step) -> Returned:
        """Ends with the results of the children that were waited for."""
        return (self._results,)

    async def fail(self, step: Step) -> Returned:
        """Ends with a typed failure."""
        raise failure(step)

    async def throw(self, step: Step) -> Returned:
        """Ends with an ordinary error."""
        raise RuntimeError(step["message"])

    async def progress(self, step: Step) -> Returned:
        """Says how far it is."""
        self._ctx.progress(step["fraction"], step.get("message"))
        return None

    async def checkpoint(self, step: Step) -> Returned:
        """Leaves a checkpoint."""
        self._ctx.checkpoint(step["value"])
        return None

    async def log(self, step: Step) -> Returned:
        """Logs a line."""
        self._ctx.log.info("%s", step["message"])
        return None

    async def extend(self, step: Step) -> Returned:
        """Asks for more run time."""
        self._ctx.extend_run_timeout(step["ms"] / 1_000)
        return None

    async def sleep(self, step: Step) -> Returned:
        """Sleeps until it is told to stop."""
        await asyncio.sleep(step["ms"] / 1_000)
        return None

    async def deaf_sleep(self, step: Step) -> Returned:
        """Sleeps, whatever it is told."""
        sleeping = asyncio.ensure_future(asyncio.sleep(step["ms"] / 1_000))
        while not sleeping.done():
            try:
                await asyncio.shield(sleeping)
            except asyncio.CancelledError:
                continue
        return None

    async def until_stopped(self, step: Step) -> Returned:
        """Waits until it is told to stop, and goes on with other steps then."""
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
        """Waits for all children so far."""
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
    """Makes an error of a class named as the step says, which tells by its bases what else it wants."""
    if step.get("final"):
        return type(step["type"], (FinalError,), {})(step["message"])
    if "retry_delay_ms" in step:
        return type(step["type"], (RetryLater,), {})(step["retry_delay_ms"] / 1_000, step["message"])
    return type(step["type"], (Exception,), {})(step["message"])
