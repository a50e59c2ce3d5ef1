"""Waits for facts instead of for time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

ResultT = TypeVar("ResultT")


def eventually(fact: Callable[[], ResultT], what: str, seconds: float = 60.0) -> ResultT:
    """Looks again and again until the fact is true; fails with `what` when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        value = fact()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"within {seconds:g} s: {what}")
        time.sleep(0.005)  # the pace of looking, not a wait


def process_is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not."""
    return process_state(pid) not in ("Z", "X", "")


def process_state(pid: int) -> str:
    """The letter that the kernel has for what a process does, such as T for a stopped one. Empty: there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123
            return stat.read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""
