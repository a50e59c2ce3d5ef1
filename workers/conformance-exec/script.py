"""The handler `script` of the conformance worker, as a command of `muster worker exec`.

docs/conformance.md describes the steps, docs/exec.md the interface of a command.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any, NoReturn

# Exit codes in handlers.yaml, by the failure's type, whether it is non-retryable, and its retry delay.
FAILURES = {
    ("OutOfPaper", False, None): 10,
    ("OutOfPaper", True, None): 11,
    ("OutOfPaper", False, 1500): 12,
    ("HalfWay", False, None): 13,
    ("Unfinished", False, None): 14,
}
RAISED = 1
NO_INPUT = 65
NO_STEP = 64

Step = dict[str, Any]


def fail(code: int, message: str) -> NoReturn:
    """Exits with a code; the last lines of stderr are the message of the failure."""
    print(message, file=sys.stderr)  # noqa: T201 - the interface of a command
    sys.exit(code)


def say(**words: Any) -> None:
    """Sends a message to the worker, on the descriptor for it."""
    os.write(int(os.environ["MUSTER_FD"]), (json.dumps(words) + "\n").encode())


def answer(result: bytes) -> NoReturn:
    """Exits with a result."""
    sys.stdout.buffer.write(result)
    sys.exit(0)


def context() -> Step:
    """The variables of the command about its job."""
    given = os.environ
    file = given.get("MUSTER_CHECKPOINT_FILE")
    return {
        "job_id": given["MUSTER_JOB_ID"],
        "attempt": int(given["MUSTER_ATTEMPT"]),
        "attempt_count": int(given["MUSTER_ATTEMPT_COUNT"]),
        "definition": given["MUSTER_DEFINITION"],
        "checkpoint": None if file is None else json.loads(Path(file).read_bytes()),
        "traceparent": given.get("TRACEPARENT", ""),
    }


def deaf_sleep(ms: int) -> None:
    """Sleeps and ignores SIGTERM."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    time.sleep(ms / 1000)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def until_stopped(then: list[Step] | None) -> None:
    """Without `then` the signal has its default action: it ends the process."""
    if then is None:
        signal.pause()
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    signal.sigwait({signal.SIGTERM})
    run(then or [])


def run(steps: list[Step]) -> None:
    """Runs the steps in order."""
    for step in steps:
        run_step(step)


def words_of(step: Step) -> dict[str, Any] | None:
    """The message of a step to the worker; None: none."""
    match step:
        case {"do": "progress", **said}:
            counts = {key: said[key] for key in ("done", "total", "unit") if key in said}
            message = {"message": said["message"]} if "message" in said else {}
            return {"progress": said.get("fraction", counts), **message}
        case {"do": "checkpoint", "value": value}:
            return {"checkpoint": value}
        case {"do": "log", "message": message}:
            return {"log": message}
        case {"do": "extend", "ms": ms}:
            return {"extend": f"{ms}ms"}
    return None


def run_step(step: Step) -> None:
    """Runs one step; it may end the process."""
    words = words_of(step)
    if words is not None:
        say(**words)
        return
    match step:
        case {"do": "sleep", "ms": ms}:
            time.sleep(ms / 1000)
        case {"do": "deaf_sleep", "ms": ms}:
            deaf_sleep(ms)
        case {"do": "until_stopped"}:
            until_stopped(step.get("then"))
        case {"do": "exit"}:
            os.kill(os.getppid(), signal.SIGKILL)
        case _:
            end(step)


def end(step: Step) -> NoReturn:
    """Ends the process as the step says."""
    match step:
        case {"do": "return", "value": value}:
            answer(json.dumps(value).encode())
        case {"do": "return_bytes", "size": size}:
            answer(bytes(size))
        case {"do": "return_context"}:
            answer(json.dumps(context()).encode())
        case {"do": "fail", "type": name, "message": message}:
            facts = (name, step.get("non_retryable", False), step.get("retry_delay_ms"))
            fail(FAILURES.get(facts, RAISED), message)
        case {"do": "raise" | "panic", "message": message}:
            fail(RAISED, message)
        case _:
            fail(NO_STEP, f"no step does {step.get('do')!r}")


if __name__ == "__main__":
    try:
        given = json.load(sys.stdin.buffer)
    except ValueError as error:
        fail(NO_INPUT, f"the input is not JSON: {error}")
    run(given["steps"])
    answer(b"null")
