"""What the worker is told of its connections to the bus."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from muster.v1.assignment_pb2 import SessionMessage
from muster.v1.session_service_pb2 import NatsCredentials
from muster.worker import session_bus
from muster.worker.bus_credentials import BusCredentials
from muster.worker.session_bus import SessionBus

PING = SessionMessage(ping=1).SerializeToString()


class Listener:
    """Writes down what it is told, in order."""

    def __init__(self, until: str) -> None:
        self.told: list[str] = []
        self.heard = asyncio.Event()
        self._until = until

    def tell(self, word: str) -> None:
        self.told.append(word)
        if word == self._until:
            self.heard.set()

    def on_bus_message(self, message: SessionMessage) -> None:
        self.tell(f"ping {message.ping}")

    def on_bus_ready(self) -> None:
        self.tell("ready")

    def on_bus_broken(self) -> None:
        self.tell("broken")

    def log(self, level: int, message: str) -> None:
        pass


class Client:
    """A NATS client whose first message comes before the server has confirmed the subscription."""

    def __init__(self, *, confirms: bool) -> None:
        self._confirms = confirms

    async def connect(self, **options: Any) -> None:
        self._end: Callable[[], Awaitable[None]] = options["closed_cb"]

    async def subscribe(self, subject: str, cb: Callable[[Any], Awaitable[None]]) -> None:
        await cb(SimpleNamespace(data=PING))

    async def flush(self, seconds: int) -> None:
        if not self._confirms:
            await self._end()
            await asyncio.sleep(seconds)

    async def close(self) -> None:
        await self._end()


@pytest.mark.parametrize(
    ("confirms", "until", "told"),
    [(False, "broken", ["ping 1", "broken"]), (True, "ready", ["ping 1", "ready"])],
)
def test_a_ping_before_the_subscription_stands(
    monkeypatch: pytest.MonkeyPatch, confirms: bool, until: str, told: list[str]
) -> None:
    """Its credits stay good where the subscription comes into force, and end with the connection where it does not."""
    monkeypatch.setattr(session_bus, "NatsClient", lambda: Client(confirms=confirms))
    listener = Listener(until)

    async def listen() -> None:
        bus = SessionBus(["nats://bus"], "session.1", BusCredentials(NatsCredentials()), listener)
        running = asyncio.ensure_future(bus.run())
        await asyncio.wait_for(listener.heard.wait(), 10)
        running.cancel()

    asyncio.run(listen())
    assert listener.told[:2] == told
