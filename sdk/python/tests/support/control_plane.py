"""An in-memory control plane: a real gRPC server for SessionService, and a real NATS connection."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from google.protobuf.any_pb2 import Any as AnyMessage
from google.rpc.error_details_pb2 import ErrorInfo
from google.rpc.status_pb2 import Status
from nats.aio.client import Client as NatsClient

from muster import payloads
from muster.durations import to_duration
from muster.v1.job_definition_pb2 import JobDefinition
from muster.v1.job_definition_service_pb2 import ApplyJobDefinitionResponse
from muster.v1.job_definition_service_pb2_grpc import (
    JobDefinitionServiceServicer,
    add_JobDefinitionServiceServicer_to_server,
)
from muster.v1.job_service_pb2_grpc import JobServiceServicer, add_JobServiceServicer_to_server
from muster.worker.v1 import session_service_pb2 as messages
from muster.worker.v1.assignment_pb2 import Assignment, CancelNotice, SessionMessage
from muster.worker.v1.attempt_report_pb2 import (
    REPORT_RESULT_ACCEPTED,
    REPORT_RESULT_DUPLICATE,
    REPORT_RESULT_LEASE_LOST,
    AttemptReport,
)
from muster.worker.v1.session_pb2 import Credit, NatsCredentials
from muster.worker.v1.session_service_pb2_grpc import SessionServiceServicer, add_SessionServiceServicer_to_server

Key = tuple[bytes, int]


@dataclass
class Session:
    """The control plane's state of one session."""

    session_id: bytes
    request: messages.OpenSessionRequest
    opened_at: float
    is_open: bool = True
    is_worker_lost: bool = False
    counter: int = 0
    echo: int = 0
    credits: list[Credit] = field(default_factory=list)
    beats: list[tuple[float, messages.SendHeartbeatRequest]] = field(default_factory=list)
    reports: list[messages.ReportAttemptsRequest] = field(default_factory=list)

    @property
    def subject(self) -> str:
        return f"muster.session.{self.session_id.hex()}"


class ControlPlane(SessionServiceServicer, JobDefinitionServiceServicer):
    """Assigns jobs against credits, and lets a test break each call.

    Attributes:
        sessions: Every opened session, in order.
        definitions: Every applied definition, in order.
        outcomes: The accepted report of each attempt.
        intercept: Called with (method, request) before a call is served; may raise `Refusal`.
        edit_reply: Called with each heartbeat's reply before it is sent.
        issue: Makes the bus credentials of a new session.
        jobs: Serves JobService at the same address, if set before the start.
    """

    def __init__(self, nats_url: str, *, lease: float = 15.0, beat_interval: float = 5.0, port: int = 0) -> None:
        self.sessions: list[Session] = []
        self.definitions: list[JobDefinition] = []
        self.outcomes: dict[Key, AttemptReport] = {}
        self.intercept: Callable[[str, Any], None] = lambda _method, _request: None
        self.edit_reply: Callable[[Session, messages.SendHeartbeatResponse], None] = lambda _session, _reply: None
        self.issue: Callable[[Session], NatsCredentials] = lambda _session: NatsCredentials()
        self.jobs: JobServiceServicer | None = None
        self.nats_options: dict[str, Any] = {}
        self.assigned: dict[Key, tuple[Session, Assignment]] = {}
        self.is_publishing = True
        self.max_payload = 512 * 1024
        self.port = port
        self._nats_url = nats_url
        self._lease = lease
        self._beat_interval = beat_interval
        self._waiting: deque[Assignment] = deque()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="control-plane", daemon=True)
        self._nats: NatsClient | None = None
        self._server: grpc.aio.Server | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def session(self) -> Session:
        return self.sessions[-1]

    def __enter__(self) -> ControlPlane:
        self._thread.start()
        self.do(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self.do(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def do(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Runs a coroutine in the control plane's loop and waits for it."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(20)

    # ---- for tests

    def submit(self, handler: str, value: Any = None, **fields: Any) -> Key:
        """Makes a job that waits for a credit and returns the key of its first attempt."""
        key = (uuid.uuid4().bytes, 1)
        usual = {"definition": handler, "definition_version": 1, "run_timeout": to_duration(3600)}
        assignment = Assignment(
            job_id=key[0], attempt=1, handler=handler, input=payloads.encode(value), **{**usual, **fields}
        )
        self.do(self._add(assignment))
        return key

    def submit_many(self, handler: str, values: list[Any]) -> list[Key]:
        async def add() -> list[Key]:
            keys = []
            for value in values:
                key = (uuid.uuid4().bytes, 1)
                keys.append(key)
                self._waiting.append(
                    Assignment(
                        job_id=key[0],
                        attempt=1,
                        handler=handler,
                        definition=handler,
                        input=payloads.encode(value),
                        run_timeout=to_duration(3600),
                    )
                )
            for session in self.sessions:
                await self._dispatch(session)
            return keys

        return self.do(add())

    def cancel(self, key: Key) -> None:
        """Pushes a cancel to the session that holds the attempt."""
        session, _ = self.assigned[key]
        self.publish(session, SessionMessage(cancels=[CancelNotice(job_id=key[0], attempt=key[1])]))

    def publish(self, session: Session, message: SessionMessage) -> None:
        self.do(self._publish(session, message))

    async def _add(self, assignment: Assignment) -> None:
        self._waiting.append(assignment)
        for session in self.sessions:
            await self._dispatch(session)

    # ---- the services

    async def ApplyJobDefinition(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._intercept("ApplyJobDefinition", request, context)
        self.definitions.append(request.definition)
        return ApplyJobDefinitionResponse(definition=request.definition, created=True)

    async def OpenSession(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._intercept("OpenSession", request, context)
        session = Session(uuid.uuid4().bytes, request, time.monotonic())
        self.sessions.append(session)
        return messages.OpenSessionResponse(
            session_id=session.session_id,
            beat_interval=to_duration(self._beat_interval),
            lease=to_duration(self._lease),
            nats_urls=[self._nats_url],
            subject=session.subject,
            nats_credentials=self.issue(session),
            max_payload=self.max_payload,
        )

    async def SendHeartbeat(self, request: Any, context: Any) -> Any:  # noqa: N802
        session = self._find(request.session_id)
        session.beats.append((time.monotonic(), request))
        await self._intercept("SendHeartbeat", request, context)
        await self._require_open(session, context)
        session.echo = max(session.echo, request.ping_echo)
        self._park(session, request)
        session.counter += 1
        await self._publish(session, SessionMessage(ping=session.counter))
        await self._dispatch(session)
        reply = messages.SendHeartbeatResponse()
        self.edit_reply(session, reply)
        return reply

    async def ReportAttempts(self, request: Any, context: Any) -> Any:  # noqa: N802
        session = self._find(request.session_id)
        session.reports.append(request)
        await self._intercept("ReportAttempts", request, context)
        await self._require_open(session, context)
        results = [self._close_attempt(session, report) for report in request.reports]
        self._park(session, request)
        await self._dispatch(session)
        return messages.ReportAttemptsResponse(results=results)

    async def CloseSession(self, request: Any, context: Any) -> Any:  # noqa: N802
        await self._intercept("CloseSession", request, context)
        session = self._find(request.session_id)
        session.is_open, session.is_worker_lost = False, request.worker_lost
        return messages.CloseSessionResponse()

    # ---- inside

    def _find(self, session_id: bytes) -> Session:
        return next(session for session in self.sessions if session.session_id == session_id)

    def _park(self, session: Session, request: Any) -> None:
        voided = set(request.voided_credit_ids)
        session.credits = [credit for credit in session.credits if credit.credit_id not in voided]
        if session.echo > 0:
            for credit in request.credits:
                copy = Credit()
                copy.CopyFrom(credit)
                session.credits.append(copy)

    def _close_attempt(self, session: Session, report: AttemptReport) -> int:
        key = (report.job_id, report.attempt)
        if key in self.outcomes:
            same = self.outcomes[key] == report
            return REPORT_RESULT_DUPLICATE if same else REPORT_RESULT_LEASE_LOST
        owner, assignment = self.assigned.get(key, (None, None))
        if owner is not session or assignment is None:
            return REPORT_RESULT_LEASE_LOST
        self.outcomes[key] = report
        return REPORT_RESULT_ACCEPTED

    async def _dispatch(self, session: Session) -> None:
        chosen: list[Assignment] = []
        while self._waiting and session.is_open and session.credits and len(chosen) < 500:
            credit = session.credits[0]
            assignment = self._waiting.popleft()
            assignment.credit_id = credit.credit_id
            assignment.prefetch = credit.slots == 0
            if assignment.prefetch:
                credit.prefetch -= 1
            else:
                credit.slots -= 1
            if credit.slots == 0 and credit.prefetch == 0:
                session.credits.pop(0)
            self.assigned[(assignment.job_id, assignment.attempt)] = (session, assignment)
            chosen.append(assignment)
        if chosen:
            await self._publish(session, SessionMessage(assignments=chosen))

    async def _publish(self, session: Session, message: SessionMessage) -> None:
        if self._nats is not None and self.is_publishing and not self._nats.is_closed:
            await self._nats.publish(session.subject, message.SerializeToString())

    async def _intercept(self, method: str, request: Any, context: Any) -> None:
        try:
            self.intercept(method, request)
        except Refusal as refusal:
            await refusal.send(context)

    async def _require_open(self, session: Session, context: Any) -> None:
        if not session.is_open:
            await lease_lost().send(context)

    async def _start(self) -> None:
        async def ignore(_error: Exception) -> None:
            """Tests stop the bus on purpose."""

        self._nats = NatsClient()
        await self._nats.connect(
            self._nats_url, reconnect_time_wait=0.05, max_reconnect_attempts=-1, error_cb=ignore, **self.nats_options
        )
        self._server = grpc.aio.server()
        add_SessionServiceServicer_to_server(self, self._server)
        add_JobDefinitionServiceServicer_to_server(self, self._server)
        if self.jobs is not None:
            add_JobServiceServicer_to_server(self.jobs, self._server)
        self.port = self._server.add_insecure_port(f"127.0.0.1:{self.port}")
        await self._server.start()

    async def stop_calls(self) -> None:
        """Breaks every connection and refuses new ones."""
        assert self._server is not None
        await self._server.stop(None)
        self._server = None

    async def resume_calls(self) -> None:
        """Listens on the same port again."""
        self._server = grpc.aio.server()
        add_SessionServiceServicer_to_server(self, self._server)
        add_JobDefinitionServiceServicer_to_server(self, self._server)
        assert self._server.add_insecure_port(f"127.0.0.1:{self.port}") == self.port
        await self._server.start()

    async def _stop(self) -> None:
        if self._server is not None:
            await self._server.stop(None)
        if self._nats is not None:
            with contextlib.suppress(Exception):  # the bus may be gone already
                await self._nats.close()
        # Again and again: before Python 3.12 `wait_for` loses a cancel that comes as its work ends, and the NATS client
        # would then reconnect for ever.
        while others := asyncio.all_tasks() - {asyncio.current_task()}:
            for task in others:
                task.cancel()
            await asyncio.wait(others, timeout=1)


class Refusal(Exception):  # noqa: N818
    """Makes a call fail."""

    def __init__(self, code: grpc.StatusCode, reason: str = "", message: str = "refused by the test") -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason

    async def send(self, context: Any) -> None:
        metadata = []
        if self.reason:
            detail = AnyMessage()
            detail.Pack(ErrorInfo(reason=self.reason, domain="muster"))
            status = Status(code=self.code.value[0], message=str(self), details=[detail])
            metadata.append(("grpc-status-details-bin", status.SerializeToString()))
        await context.abort(self.code, str(self), tuple(metadata))


def lease_lost() -> Refusal:
    return Refusal(grpc.StatusCode.FAILED_PRECONDITION, "LEASE_LOST", "the session is closed")
