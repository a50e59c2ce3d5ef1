"""Waits for conditions instead of fixed times."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

ResultT = TypeVar("ResultT")


def eventually(fact: Callable[[], ResultT], what: str, seconds: float = 60.0) -> ResultT:
    """Polls until the condition holds; fails with `what` when the time is up."""
    deadline = time.monotonic() + seconds
    while True:
        value = fact()
        if value:
            return value
        if time.monotonic() >= deadline:
            raise AssertionError(f"within {seconds:g} s: {what}")
        time.sleep(0.005)  # the polling interval


def process_is_alive(pid: int) -> bool:
    """Whether a process runs; a zombie does not count."""
    return process_state(pid) not in ("Z", "X", "")


def process_state(pid: int) -> str:
    """The kernel's state letter of a process, such as T for a stopped one. Empty: there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:  # noqa: PTH123
            return stat.read().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return ""
