"""The Python SDK's worker for `muster conformance`: its handlers follow their input; see docs/conformance.md.

MUSTER_ADDRESS=127.0.0.1:7070 python workers/conformance-python/worker.py
"""

from __future__ import annotations

import os
import sys
from typing import Any

from muster import JobContext, Payload, Worker, WorkerError
from script import run_script

worker = Worker(
    os.environ.get("MUSTER_ADDRESS", "127.0.0.1:7070"),
    name=os.environ.get("MUSTER_WORKER_NAME", "conformance"),
    slots=int(os.environ.get("MUSTER_SLOTS", "10")),
)


@worker.handler("echo")
def echo(ctx: JobContext, given: Payload) -> Payload:  # noqa: ARG001 - not needed
    """Returns its input byte for byte."""
    return given


@worker.handler("script")
async def script(ctx: JobContext, given: dict[str, Any]) -> Any:
    """Runs the steps of its input."""
    return await run_script(ctx, given["steps"])


if __name__ == "__main__":
    try:
        worker.run()
    except WorkerError as error:
        print(error, file=sys.stderr)  # noqa: T201 - the program's error message
        sys.exit(1)
