"""The end of a session that loses one of its tasks."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from muster.worker.handler_set import HandlerSet
from muster.worker.report_sender import ReportSender
from muster.worker.session_bus import SessionBus
from muster.worker.session_life import SessionLife
from muster.worker.session_settings import SessionSettings
from muster.worker.slot_table import SlotTable
from muster.worker.v1.session_service_pb2 import OpenSessionResponse


async def _waits(*_: object) -> None:
    await asyncio.Event().wait()


async def _is_cancelled(_: object) -> None:
    raise asyncio.CancelledError


def test_a_session_whose_reports_are_no_longer_sent_fails_instead_of_living_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SessionBus, "run", _waits)
    monkeypatch.setattr(ReportSender, "run", _is_cancelled)
    calls: Any = SimpleNamespace(when_broken=lambda _: None, heartbeat=_waits)
    link: Any = SimpleNamespace(prove_lease=lambda _: None, log=lambda *_: None, publish=lambda *_: None)

    async def run() -> None:
        settings = SessionSettings(
            session_id=b"", lease=15.0, beat_interval=5.0, opened_at=0.0, handlers=HandlerSet({})
        )
        life = SessionLife(OpenSessionResponse(), settings, calls, link, SlotTable(1))
        with pytest.raises(RuntimeError, match="cancelled before the session ended"):
            await asyncio.wait_for(life.run(), 10)

    asyncio.run(run())
