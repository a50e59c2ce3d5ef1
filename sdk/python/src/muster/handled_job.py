"""The job whose handler the running code belongs to: its thread or task, and the tasks that those start."""

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
    """Marks what runs within it as the handler of a job; what goes on behind it is no handler's any more."""
    handled = _Handled(job_id)
    token = _HANDLED.set(handled)
    try:
        yield
    finally:
        handled.job_id = ""
        _HANDLED.reset(token)


def handled_job_id() -> str:
    """Returns the job's UUID; empty outside of handlers."""
    handled = _HANDLED.get()
    return "" if handled is None else handled.job_id
