"""The job whose handler is running, as the running code sees it: its thread or task, and tasks started from there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar


class _Handled:
    def __init__(self, job_id: str) -> None:
        self.job_id = job_id


_HANDLED: ContextVar[_Handled | None] = ContextVar("muster_handled_job", default=None)


@contextmanager
def handling(job_id: str) -> Iterator[None]:
    """Marks the enclosed code as the handler of a job. Code that still runs afterwards no longer counts."""
    handled = _Handled(job_id)
    token = _HANDLED.set(handled)
    try:
        yield
    finally:
        handled.job_id = ""
        _HANDLED.reset(token)


def handled_job_id() -> str:
    """Returns the job's UUID; empty outside handlers."""
    handled = _HANDLED.get()
    return "" if handled is None else handled.job_id
