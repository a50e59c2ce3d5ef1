"""Events of the bus connection that the worker receives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from types import SimpleNamespace
from typing import Any

import pytest

from muster.worker import session_bus
from muster.worker.bus_credentials import BusCredentials
from muster.worker.session_bus import SessionBus
from muster.worker.v1.assignment_pb2 import SessionMessage
from muster.worker.v1.session_pb2 import NatsCredentials

PING = SessionMessage(ping=1).SerializeToString()


class Listener:
    """Records its events, in order."""

    def __init__(self, until: str) -> None:
        self.events: list[str] = []
        self.is_done = asyncio.Event()
        self._until = until

    def record(self, word: str) -> None:
        self.events.append(word)
        if word == self._until:
            self.is_done.set()

    def on_bus_message(self, message: SessionMessage) -> None:
        self.record(f"ping {message.ping}")

    def on_bus_ready(self) -> None:
        self.record("ready")

    def on_bus_broken(self) -> None:
        self.record("broken")

    def log(self, level: int, message: str) -> None:
        pass


class Client:
    """A NATS client whose first message comes before the server has confirmed the subscription."""

    def __init__(self, *, confirms: bool) -> None:
        self._confirms = confirms
        self.is_closed = False

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
    ("confirms", "until", "events"),
    [(False, "broken", ["ping 1", "broken"]), (True, "ready", ["ping 1", "ready"])],
)
def test_a_ping_before_the_subscription_stands(
    monkeypatch: pytest.MonkeyPatch, confirms: bool, until: str, events: list[str]
) -> None:
    """If the subscription becomes active, the credits of the ping stay valid; if not, they end with the connection."""
    monkeypatch.setattr(session_bus, "NatsClient", lambda: Client(confirms=confirms))
    listener = Listener(until)

    async def listen() -> None:
        bus = SessionBus(["nats://bus"], "session.1", BusCredentials(NatsCredentials()), listener)
        running = asyncio.ensure_future(bus.run())
        await asyncio.wait_for(listener.is_done.wait(), 10)
        running.cancel()

    asyncio.run(listen())
    assert listener.events[:2] == events


def test_the_next_connection_is_made_to_the_newest_addresses(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    class Recorded(Client):
        async def connect(self, **options: Any) -> None:
            asked.append(options["servers"])
            await super().connect(**options)

    monkeypatch.setattr(session_bus, "NatsClient", lambda: Recorded(confirms=True))

    async def listen() -> None:
        listener = Listener("ready")
        bus = SessionBus(["nats://bus"], "session.1", BusCredentials(NatsCredentials()), listener)
        running = asyncio.ensure_future(bus.run())
        await asyncio.wait_for(listener.is_done.wait(), 10)
        listener.is_done.clear()
        bus.move(["nats://moved"])
        await bus.reconnect()
        await asyncio.wait_for(listener.is_done.wait(), 10)
        running.cancel()

    asyncio.run(listen())
    assert asked == [["nats://bus"], ["nats://moved"]]


class SilentClient(Client):
    """A NATS client that is closed at once, then waits for its connection, and calls back only after that."""

    def __init__(self, made: list[SilentClient]) -> None:
        super().__init__(confirms=True)
        made.append(self)

    async def close(self) -> None:
        if not self.is_closed:
            self.is_closed = True
            await asyncio.sleep(3_600)
            await super().close()


@pytest.mark.parametrize("is_asked_to", [True, False])
def test_a_client_that_closes_without_a_word_is_followed_by_another(
    monkeypatch: pytest.MonkeyPatch, *, is_asked_to: bool
) -> None:
    made: list[SilentClient] = []
    monkeypatch.setattr(session_bus, "NatsClient", lambda: SilentClient(made))
    monkeypatch.setattr(session_bus, "_CLOSE_SECONDS", 0.05)
    # If it is asked to, it must not poll to find out.
    monkeypatch.setattr(session_bus, "_LOOK_SECONDS", 3_600 if is_asked_to else 0.05)

    async def listen() -> list[str]:
        listener = Listener("ready")
        bus = SessionBus(["nats://bus"], "session.1", BusCredentials(NatsCredentials()), listener)
        running = asyncio.ensure_future(bus.run())
        await asyncio.wait_for(listener.is_done.wait(), 10)
        listener.is_done.clear()
        if is_asked_to:
            await bus.reconnect()
        else:
            made[0].is_closed = True
        await asyncio.wait_for(listener.is_done.wait(), 10)
        running.cancel()
        return listener.events

    events = asyncio.run(listen())
    assert [word for word in events if word != "ping 1"][:3] == ["ready", "broken", "ready"]
    assert len(made) == 2
