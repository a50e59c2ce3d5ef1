"""Sends reports: at once without a call in flight, otherwise collected for the next call."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable

import grpc

from muster.errors import MusterError
from muster.worker.backoff import Backoff
from muster.worker.clock import monotonic_seconds
from muster.worker.pending_calls import PendingReport
from muster.worker.session_calls import SessionCalls
from muster.worker.session_core import SessionCore

_FIRST_RETRY_SECONDS = 0.1
_LAST_RETRY_SECONDS = 2.0


class ReportSender:
    """Sends the core's outbox. After a failure, all calls wait for the retry, with growing delays."""

    def __init__(
        self, core: SessionCore, calls: SessionCalls, on_lost: Callable[[], None], log: Callable[[int, str], None]
    ) -> None:
        self._core = core
        self._calls = calls
        self._on_lost = on_lost
        self._log = log
        self._is_wanted = asyncio.Event()
        self._backoff = Backoff(_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS, random.random)
        self._resume_at = 0.0

    def wake(self) -> None:
        """Notes that the outbox may have reports to send."""
        if self._core.has_report_due:
            self._is_wanted.set()

    async def run(self) -> None:
        """Sends one call after the other until it is cancelled; run one instance per concurrent call."""
        while True:
            now = monotonic_seconds()
            if now < self._resume_at:
                await asyncio.sleep(self._resume_at - now)
                continue
            pending = self._core.begin_report(now)
            if pending is None:
                self._is_wanted.clear()
                await self._is_wanted.wait()
                continue
            wait = await self._send(pending)
            if wait > 0:
                self._resume_at = max(self._resume_at, monotonic_seconds() + wait)

    async def _send(self, pending: PendingReport) -> float:
        """Makes one call and returns the seconds to wait before the next."""
        try:
            response = await self._calls.report_attempts(pending.request)
        except MusterError as error:
            return self._on_failure(pending, error)
        if not self._core.end_report(pending, response.results):
            return self._backoff.fail()
        self._backoff.succeed()
        return 0.0

    def _on_failure(self, pending: PendingReport, error: MusterError) -> float:
        if error.is_lease_lost:
            self._on_lost()
            return 0.0
        if error.code is grpc.StatusCode.INVALID_ARGUMENT:
            self._core.refuse_report(pending, str(error))
            return 0.0
        self._log(logging.WARNING, f"report: {error}")
        self._core.fail_report(pending, is_broken=error.code is grpc.StatusCode.UNAVAILABLE)
        return max(self._backoff.fail(), min(error.retry_after or 0.0, _LAST_RETRY_SECONDS))
