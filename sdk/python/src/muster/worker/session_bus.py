"""The session's subscription on the message bus, over successive connections."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from typing import Any, Protocol

from google.protobuf.message import DecodeError
from nats.aio.client import Client as NatsClient
from nats.aio.msg import Msg

from muster.worker.backoff import Backoff
from muster.worker.bus_credentials import BusCredentials
from muster.worker.v1.assignment_pb2 import SessionMessage

_CONNECT_SECONDS = 3
_PING_SECONDS = 10
_FIRST_RETRY_SECONDS = 0.1
_LAST_RETRY_SECONDS = 2.0
_CLOSE_SECONDS = 2.0
# Interval at which a client is checked for being closed: if its close() was interrupted, it never calls back.
_LOOK_SECONDS = 1.0


class BusListener(Protocol):
    """Receives the events of the bus."""

    def on_bus_message(self, message: SessionMessage) -> None:
        """A message on the session's subject."""

    def on_bus_ready(self) -> None:
        """The subscription is active on a new connection."""

    def on_bus_broken(self) -> None:
        """The connection is gone."""

    def log(self, level: int, message: str) -> None:
        """A line for the log."""


class SessionBus:
    """Keeps a subscription alive until it is closed.

    The NATS client stops permanently when a server ends a connection for reasons of authentication, which happens each
    time a JWT expires. So each connection uses a new client, made with the newest credentials.
    """

    def __init__(self, urls: list[str], subject: str, credentials: BusCredentials, listener: BusListener) -> None:
        self._urls = urls
        self._subject = subject
        self._credentials = credentials
        self._listener = listener
        self._client: NatsClient | None = None
        self._gone: asyncio.Event | None = None
        self._backoff = Backoff(_FIRST_RETRY_SECONDS, _LAST_RETRY_SECONDS, random.random)

    async def run(self) -> None:
        """Connects, listens, and reconnects, until it is cancelled."""
        while True:
            try:
                await self._listen_once()
            except Exception as error:  # noqa: BLE001 - the next client may succeed
                self._listener.log(logging.WARNING, f"message bus: {type(error).__name__}: {error}")
            await asyncio.sleep(self._backoff.fail())

    def move(self, urls: list[str]) -> None:
        """Sets the addresses for the next connection."""
        self._urls = urls

    async def reconnect(self) -> None:
        """Ends the connection, if there is one; a new one follows."""
        client, gone = self._client, self._gone
        if client is None or gone is None:
            return
        try:
            await _close(client)  # first, so that it brings nothing more once the listener knows that it is gone
        finally:
            gone.set()

    async def _listen_once(self) -> None:
        gone = asyncio.Event()
        client = NatsClient()
        try:
            await client.connect(**self._options(gone))
            gone.clear()  # the client reports the error of each server that refused before another one accepted it
            try:
                await self._subscribe(client, gone)
            finally:
                # Also if the subscription never became active: a ping may have arrived by then, and credits with it.
                self._client = self._gone = None
                self._listener.on_bus_broken()
        finally:
            await _close(client)

    async def _subscribe(self, client: NatsClient, gone: asyncio.Event) -> None:
        await client.subscribe(self._subject, cb=self._on_message)
        if await _is_confirmed(client, gone):
            self._client, self._gone = client, gone
            self._backoff.succeed()
            self._listener.on_bus_ready()
            await _end_of(client, gone)

    def _options(self, gone: asyncio.Event) -> dict[str, Any]:
        async def on_end() -> None:
            gone.set()

        async def on_error(error: Exception) -> None:
            self._listener.log(logging.WARNING, f"message bus: {error}")
            gone.set()  # a refused subscription leaves the connection open, and deaf

        options: dict[str, Any] = {
            "servers": self._urls,
            "allow_reconnect": False,
            "connect_timeout": _CONNECT_SECONDS,
            "ping_interval": _PING_SECONDS,
            "closed_cb": on_end,
            "disconnected_cb": on_end,
            "error_cb": on_error,
        }
        if self._credentials.are_needed:
            options["user_jwt_cb"] = self._credentials.jwt
            options["signature_cb"] = self._credentials.sign
        return options

    async def _on_message(self, message: Msg) -> None:
        try:
            content = SessionMessage.FromString(message.data)
        except DecodeError:
            self._listener.log(logging.ERROR, "message bus: a message could not be read")
            return
        self._listener.on_bus_message(content)


async def _is_confirmed(client: NatsClient, gone: asyncio.Event) -> bool:
    """Whether the server has accepted the subscription; stops waiting when the connection ends."""
    flush = asyncio.ensure_future(client.flush(_CONNECT_SECONDS))
    end = asyncio.ensure_future(gone.wait())
    try:
        await asyncio.wait({flush, end}, return_when=asyncio.FIRST_COMPLETED)
        if flush.done():
            flush.result()
        return not gone.is_set()
    finally:
        flush.cancel()
        end.cancel()


async def _end_of(client: NatsClient, gone: asyncio.Event) -> None:
    """Waits until the connection is gone or the client is closed, even if its callbacks are never called."""
    end = asyncio.ensure_future(gone.wait())
    try:
        while not (end.done() or client.is_closed):
            await asyncio.wait({end}, timeout=_LOOK_SECONDS)
    finally:
        end.cancel()


async def _close(client: NatsClient) -> None:
    """Closes a client within two seconds. A client with a dead connection may fail in many ways and is dropped."""
    with contextlib.suppress(Exception):
        await asyncio.wait_for(client.close(), _CLOSE_SECONDS)
