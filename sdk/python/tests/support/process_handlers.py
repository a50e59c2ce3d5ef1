"""Handlers that run in processes: at the top level of a module, where another process can import them."""

from __future__ import annotations

import asyncio
import ctypes
import os
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from muster import JobContext


@dataclass
class Number:
    value: int


def square(ctx: JobContext, number: Number) -> Number:
    ctx.log.info("squaring")
    ctx.progress(0.5, "half")
    ctx.checkpoint({"of": number.value})
    return Number(number.value**2)


def sums_squares(ctx: JobContext, values: list[int]) -> int:
    children = [ctx.submit("square", {"value": value}, key=str(value)) for value in values]
    return sum(one["value"] for one in ctx.wait(children))


async def squares_at_once(ctx: JobContext, values: list[int]) -> list[str]:
    calls = [asyncio.to_thread(ctx.submit, "square", {"value": value}, key=str(value)) for value in values]
    return [child.job_id for child in await asyncio.gather(*calls)]


def freezes_while_it_asks(ctx: JobContext, path: str) -> None:
    """Writes its pid, and stops its process while it waits for an answer that is too large for the pipe."""
    write_pid(f"{path}.pid")
    child = ctx.submit("large", {"value": 0}, key="large")
    threading.Thread(target=ctx.ended, args=([child],), daemon=True).start()
    while not Path(path).exists():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGSTOP)


def pid_of(ctx: JobContext, value: object) -> int:
    return os.getpid()


def fail(ctx: JobContext, value: str) -> None:
    raise ValueError(value)


def die(ctx: JobContext, value: int) -> None:
    if value < 0:
        os.kill(os.getpid(), -value)
    os._exit(value)


def crash(ctx: JobContext, value: object) -> None:
    ctypes.string_at(0)


def never_yields(ctx: JobContext, path: str) -> None:
    """Writes its pid, starts a program, and keeps Python's lock for longer than any test waits."""
    program = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(path).write_text(f"{os.getpid()} {program.pid}")
    re.match("(a+)+$", "a" * 60 + "b")


def stops(ctx: JobContext, path: str) -> str:
    write_pid(path)
    ctx.cancel_event.wait(60)
    if path.endswith("finish"):
        return str(ctx.cancel_reason)
    ctx.raise_if_cancelled()
    return "never"


def write_pid(path: str) -> None:
    Path(path).write_text(str(os.getpid()))


async def awaits(ctx: JobContext, path: str) -> str:
    write_pid(path)
    try:
        await asyncio.sleep(60)
    except asyncio.CancelledError:
        return f"{ctx.cancel_reason} in {os.getpid()}"
    return "never"


def ignores_signals(ctx: JobContext, value: object) -> str:
    os.kill(os.getpid(), signal.SIGTERM)
    os.kill(os.getpid(), signal.SIGINT)
    return "still here"
