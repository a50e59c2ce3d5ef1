"""Calls over a connection that is replaced: each ends with an answer or an error, and none is cancelled."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from multiprocessing.connection import Connection

import grpc
import grpc.aio

from muster.errors import MusterError
from muster.worker import session_calls
from muster.worker.session_calls import SessionCalls
from muster.worker.v1.session_service_pb2 import ReportAttemptsRequest, SendHeartbeatRequest
from muster.worker.v1.session_service_pb2_grpc import SessionServiceServicer, add_SessionServiceServicer_to_server

_BEAT_DEADLINE_SECONDS = 0.1
_REPORT_DEADLINE_SECONDS = 0.6
_LONGEST_TEST_SECONDS = 60.0


class _Silent(SessionServiceServicer):  # type: ignore[misc]
    """Answers no call."""

    async def SendHeartbeat(self, _request: object, _context: object) -> None:  # noqa: N802 - the name of the call
        await asyncio.Event().wait()

    async def ReportAttempts(self, _request: object, _context: object) -> None:  # noqa: N802 - the name of the call
        await asyncio.Event().wait()


@asynccontextmanager
async def _silent_server() -> AsyncIterator[str]:
    server = grpc.aio.server()
    add_SessionServiceServicer_to_server(_Silent(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        await server.stop(None)


async def _outcome_of(call: asyncio.Task[object]) -> str:
    try:
        await call
    except MusterError as error:
        return error.code.name
    except asyncio.CancelledError:
        return "cancelled"
    return "answered"


async def _call(progress: Connection) -> None:
    async with _silent_server() as address:
        calls = SessionCalls(address)
        report = asyncio.create_task(calls.report_attempts(ReportAttemptsRequest()))
        for _ in range(2):
            await _outcome_of(asyncio.create_task(calls.heartbeat(SendHeartbeatRequest(), _BEAT_DEADLINE_SECONDS)))
        await asyncio.sleep(0.05)  # the old connection begins to close
        progress.send("the connection is replaced")
        progress.send(await _outcome_of(report))
        await calls.close()


def _process(progress: Connection) -> None:
    session_calls.REPORT_DEADLINE_SECONDS = _REPORT_DEADLINE_SECONDS
    asyncio.run(_call(progress))


def test_a_report_ends_by_its_deadline_although_its_connection_was_replaced_and_its_process_was_stopped() -> None:
    spawning = multiprocessing.get_context("spawn")
    ours, theirs = spawning.Pipe()
    process = spawning.Process(target=_process, args=(theirs,))
    process.start()
    try:
        assert ours.poll(_LONGEST_TEST_SECONDS)
        assert ours.recv() == "the connection is replaced"
        assert process.pid is not None
        os.kill(process.pid, signal.SIGSTOP)
        time.sleep(2 * _REPORT_DEADLINE_SECONDS)  # how long it is stopped: all that is due then happens at once
        os.kill(process.pid, signal.SIGCONT)
        assert ours.poll(_LONGEST_TEST_SECONDS)
        assert ours.recv() == "DEADLINE_EXCEEDED"
        process.join(_LONGEST_TEST_SECONDS)
    finally:
        process.kill()
        process.join()
