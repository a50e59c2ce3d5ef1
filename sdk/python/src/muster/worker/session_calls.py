"""The calls of SessionService, with deadlines, over a monitored connection."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import grpc
import grpc.aio

from muster.channels import channel_options
from muster.errors import MusterError, error_from
from muster.worker.v1.session_service_pb2 import (
    CloseSessionRequest,
    OpenSessionRequest,
    OpenSessionResponse,
    ReportAttemptsRequest,
    ReportAttemptsResponse,
    SendHeartbeatRequest,
    SendHeartbeatResponse,
)
from muster.worker.v1.session_service_pb2_grpc import SessionServiceStub

OPEN_DEADLINE_SECONDS = 10.0
OPEN_FIRST_RETRY_SECONDS = 0.2
OPEN_LAST_RETRY_SECONDS = 5.0
REPORT_DEADLINE_SECONDS = 10.0
CLOSE_DEADLINE_SECONDS = 3.0
# After this many consecutive deadlines the connection is considered dead, whatever the operating system reports.
_DEADLINES_TO_RECONNECT = 2


class _Connection:
    """A channel, and how many calls are in flight over it."""

    def __init__(self, address: str) -> None:
        self.channel = grpc.aio.insecure_channel(address, options=channel_options(address))
        self.stub = SessionServiceStub(self.channel)  # type: ignore[no-untyped-call]
        self._call_count = 0
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    async def call(self, method: Callable[..., Any], request: Any, deadline: float) -> Any:
        self._call_count += 1
        self._is_idle.clear()
        try:
            return await method(request, timeout=deadline)
        finally:
            self._call_count -= 1
            if self._call_count == 0:
                self._is_idle.set()

    async def close_when_idle(self) -> None:
        """Closes the channel once its calls have ended by their deadlines: it would cancel those who wait for them."""
        await self._is_idle.wait()
        await self.channel.close()


class SessionCalls:
    """Every method raises `MusterError` when the call fails."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._on_broken: Callable[[], None] = lambda: None
        self._deadlines = 0
        self._retired: set[asyncio.Task[None]] = set()
        self._connect()

    def when_broken(self, on_broken: Callable[[], None]) -> None:
        """Sets the callback for each time that a ready connection breaks."""
        self._on_broken = on_broken

    async def open_session(self, request: OpenSessionRequest) -> OpenSessionResponse:
        """Opens a session of the worker."""
        response = await self._call(self._connection.stub.OpenSession, request, OPEN_DEADLINE_SECONDS)
        assert isinstance(response, OpenSessionResponse)
        return response

    async def heartbeat(self, request: SendHeartbeatRequest, deadline: float) -> SendHeartbeatResponse:
        """Sends a heartbeat."""
        response = await self._call(self._connection.stub.SendHeartbeat, request, deadline)
        assert isinstance(response, SendHeartbeatResponse)
        return response

    async def report_attempts(self, request: ReportAttemptsRequest) -> ReportAttemptsResponse:
        """Sends reports."""
        response = await self._call(self._connection.stub.ReportAttempts, request, REPORT_DEADLINE_SECONDS)
        assert isinstance(response, ReportAttemptsResponse)
        return response

    async def close_session(self, session_id: bytes, *, is_worker_lost: bool = False) -> None:
        """Closes the session.

        Args:
            session_id: The session's UUID, 16 bytes.
            is_worker_lost: Whether the process of the handlers has died.
        """
        request = CloseSessionRequest(session_id=session_id, worker_lost=is_worker_lost)
        await self._call(self._connection.stub.CloseSession, request, CLOSE_DEADLINE_SECONDS)

    async def close(self) -> None:
        """Closes the connection."""
        self._watch.cancel()
        for retired in self._retired:
            retired.cancel()
        await self._connection.channel.close()

    def _connect(self) -> None:
        self._connection = _Connection(self._address)
        self._watch = asyncio.get_running_loop().create_task(self._watch_connection(self._connection.channel))

    def _reconnect(self) -> None:
        """Opens a new connection; calls over the old one end by their deadlines."""
        self._watch.cancel()
        retired = asyncio.get_running_loop().create_task(self._connection.close_when_idle())
        self._retired.add(retired)
        retired.add_done_callback(self._retired.discard)
        self._connect()
        self._on_broken()

    async def _watch_connection(self, channel: grpc.aio.Channel) -> None:
        state = channel.get_state()
        while state is not grpc.ChannelConnectivity.SHUTDOWN:
            await channel.wait_for_state_change(state)
            if state is grpc.ChannelConnectivity.READY:
                self._on_broken()
            state = channel.get_state()

    async def _call(self, method: Callable[..., Any], request: Any, deadline: float) -> Any:
        try:
            response = await self._connection.call(method, request, deadline)
        except grpc.aio.AioRpcError as error:
            failure = error_from(error)
            self._after_failure(failure)
            raise failure from error
        self._deadlines = 0
        return response

    def _after_failure(self, failure: MusterError) -> None:
        if failure.code is not grpc.StatusCode.DEADLINE_EXCEEDED:
            self._deadlines = 0
            return
        self._deadlines += 1
        if self._deadlines >= _DEADLINES_TO_RECONNECT:
            self._deadlines = 0
            self._reconnect()
