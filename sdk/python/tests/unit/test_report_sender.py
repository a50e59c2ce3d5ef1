"""The calls that carry reports: how many are concurrent, and when the next one is made."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import grpc
import pytest

from muster.errors import MusterError
from muster.worker import report_sender
from muster.worker.outbox import MAX_FLIGHTS, SECOND_FLIGHT_FROM
from muster.worker.report_sender import ReportSender
from muster.worker.v1 import session_service_pb2 as messages
from tests.support.virtual_session import ACCEPTED, VirtualSession

MAX_POLLS = 1_000


class Line:
    """A sender, its core with running handlers, and calls that the test answers."""

    def __init__(self, slots: int) -> None:
        self.session = VirtualSession(slots)
        (credit,) = self.session.first_credits()
        keys = self.session.deliver(*(self.session.assignment(credit.credit_id) for _ in range(slots)))
        self._running = iter(keys)
        self.calls: list[tuple[int, asyncio.Future[Any]]] = []
        core = OwnTime(self.session)
        self.sender = ReportSender(core, SimpleNamespace(report_attempts=self._call), lambda: None, lambda *_: None)  # type: ignore[arg-type]

    def ends(self, count: int) -> None:
        for _ in range(count):
            self.session.returns(next(self._running))
            self.sender.wake()

    async def has_called(self, *sizes: int) -> None:
        """Waits for calls with these numbers of reports; there must be no others."""
        for _ in range(MAX_POLLS):
            if len(self.calls) >= len(sizes):
                break
            await asyncio.sleep(0.01)
        for _ in range(10):
            await asyncio.sleep(0)
        assert [size for size, _ in self.calls] == list(sizes)

    def answer(self, number: int) -> None:
        size, call = self.calls[number]
        call.set_result(messages.ReportAttemptsResponse(results=[ACCEPTED] * size))

    def fail(self, number: int) -> None:
        self.calls[number][1].set_exception(MusterError("no", grpc.StatusCode.INTERNAL))

    async def _call(self, request: messages.ReportAttemptsRequest) -> messages.ReportAttemptsResponse:
        answer = asyncio.get_running_loop().create_future()
        self.calls.append((len(request.reports), answer))
        return await answer


class OwnTime:
    """A core that uses its session's virtual time instead of the real clock."""

    def __init__(self, session: VirtualSession) -> None:
        self._session = session

    def begin_report(self, _: float) -> Any:
        return self._session.begin_report()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session.core, name)


def under_way(slots: int, script: Callable[[Line], Awaitable[None]]) -> None:
    async def run() -> None:
        line = Line(slots)
        senders = [asyncio.create_task(line.sender.run()) for _ in range(MAX_FLIGHTS)]
        try:
            await script(line)
        finally:
            for sender in senders:
                sender.cancel()
            await asyncio.wait(senders)
        assert line.session.held() == {}

    asyncio.run(run())


def test_with_enough_waiting_a_second_call_goes_beside_the_first() -> None:
    async def script(line: Line) -> None:
        line.ends(1)
        await line.has_called(1)
        line.ends(SECOND_FLIGHT_FROM - 1)
        await line.has_called(1)
        line.ends(1)
        await line.has_called(1, SECOND_FLIGHT_FROM)
        line.ends(SECOND_FLIGHT_FROM)
        await line.has_called(1, SECOND_FLIGHT_FROM)
        line.answer(1)
        await line.has_called(1, SECOND_FLIGHT_FROM, SECOND_FLIGHT_FROM)
        line.answer(0)
        line.answer(2)
        await line.has_called(1, SECOND_FLIGHT_FROM, SECOND_FLIGHT_FROM)

    under_way(1 + 2 * SECOND_FLIGHT_FROM, script)


def test_after_a_failure_nothing_goes_for_a_while_and_then_all_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(report_sender, "_FIRST_RETRY_SECONDS", 1.0)

    async def script(line: Line) -> None:
        line.ends(1)
        await line.has_called(1)
        line.fail(0)
        await asyncio.sleep(0)
        line.ends(2)
        await line.has_called(1)
        await line.has_called(1, 3)
        line.answer(1)
        await line.has_called(1, 3)

    under_way(3, script)
