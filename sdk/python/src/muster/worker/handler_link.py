"""The session process's side of the pipe to the worker's process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

from muster.worker.frames import FrameReader
from muster.worker.messages import Kind, json_frame, run_frame, stop_frame
from muster.worker.session_event import SessionEvent
from muster.worker.stop_reason import StopReason
from muster.worker.v1.assignment_pb2 import Assignment


class HandlerLink(asyncio.Protocol):
    """Reads frames, and writes all frames of one turn of the event loop together."""

    def __init__(self, on_frame: Callable[[int, bytes], None], on_closed: Callable[[], None]) -> None:
        self._on_frame = on_frame
        self._on_closed = on_closed
        self._reader = FrameReader()
        self._transport: asyncio.Transport | None = None
        self._unsent: list[bytes] = []
        self._loop = asyncio.get_running_loop()

    @classmethod
    async def open(
        cls, end: socket.socket, on_frame: Callable[[int, bytes], None], on_closed: Callable[[], None]
    ) -> HandlerLink:
        """Takes over a connected socket."""
        loop = asyncio.get_running_loop()
        _, link = await loop.create_unix_connection(lambda: cls(on_frame, on_closed), sock=end)
        return link

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Part of asyncio.Protocol."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Part of asyncio.Protocol."""
        for kind, body in self._reader.feed(data):
            self._on_frame(kind, body)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """Part of asyncio.Protocol."""
        self._on_closed()

    def start_run(self, run_id: int, assignment: Assignment) -> None:
        """Starts an attempt."""
        self._send(run_frame(Kind.START, run_id, assignment.SerializeToString()))

    def stop_run(self, run_id: int, reason: StopReason) -> None:
        """Asks a handler to stop."""
        self._send(stop_frame(run_id, reason))

    def prove_lease(self, until: float) -> None:
        """Says until when the lease is proved."""
        self._send(json_frame(Kind.LEASE, until))

    def publish(self, event: SessionEvent, **facts: Any) -> None:
        """Sends an event of the session."""
        self._send(json_frame(Kind.EVENT, {"event": event.value, **facts}))

    def refuse(self, message: str) -> None:
        """Reports that the control plane refuses the worker, and why."""
        self._send(json_frame(Kind.REFUSED, message))

    def log(self, level: int, message: str) -> None:
        """Adds a line to the worker's log."""
        self._send(json_frame(Kind.LOG, {"level": level, "message": message}))

    def flush(self) -> None:
        """Writes the collected frames."""
        if self._transport is not None and self._unsent:
            self._transport.write(b"".join(self._unsent))
            self._unsent.clear()

    def close(self) -> None:
        """Writes the remaining frames and closes the pipe."""
        self.flush()
        if self._transport is not None:
            self._transport.close()

    def _send(self, data: bytes) -> None:
        if not self._unsent:
            self._loop.call_soon(self.flush)
        self._unsent.append(data)
