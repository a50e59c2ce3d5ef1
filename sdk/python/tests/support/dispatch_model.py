"""A random model of dispatch that runs the real session core on the workers' side.

Three workers with drifting clocks, pauses and graceful restarts; calls and messages are lost, duplicated, delayed and
reordered until HEAL. Time is virtual, in seconds. The workers are in `model_worker`.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from muster.worker.attempt_key import AttemptKey
from muster.worker.v1 import session_service_pb2 as messages
from muster.worker.v1.assignment_pb2 import Assignment, CancelNotice, SessionMessage
from muster.worker.v1.attempt_report_pb2 import (
    REPORT_RESULT_ACCEPTED,
    REPORT_RESULT_DUPLICATE,
    REPORT_RESULT_LEASE_LOST,
    AttemptReport,
)
from muster.worker.v1.session_pb2 import Credit
from tests.support.model_terms import END, HEAL, JOBS, LEASE, LIFE, MARGIN, WORKERS, Violation
from tests.support.model_worker import ModelWorker


@dataclass
class ModelJob:
    state: str = "READY"
    attempt: int = 0
    session: bytes | None = None
    credit: int = 0
    is_cancelled: bool = False
    assigned_at: float = 0.0
    ended_by: tuple[AttemptKey, bytes] | None = None


@dataclass
class ModelSession:
    worker: ModelWorker
    lease_end: float
    is_open: bool = True
    beat_at: float = 0.0
    counter: int = 0
    echo: int = 0
    credits: list[tuple[Credit, float]] = field(default_factory=list)


class Model:
    """The clock, the network and the control plane."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.now = 0.0
        self.counts: Counter[str] = Counter()
        self.jobs = {number.to_bytes(16, "big"): ModelJob() for number in range(JOBS)}
        self.sessions: dict[bytes, ModelSession] = {}
        self.executions: dict[tuple[AttemptKey, bytes], ModelWorker] = {}
        self._queue: list[tuple[float, int, Callable[[], None]]] = []
        self._order = 0

    def run(self) -> Counter[str]:
        """Runs the model; raises `Violation` if an invariant is broken."""
        workers = [ModelWorker(self, self.random.choice([0.99, 1.0, 1.01])) for _ in range(WORKERS)]
        for worker in workers:
            self.at(self.random.uniform(0, 3), worker.open)
            self.at(4.0, worker.tick)
            self.at(self.random.uniform(30, 240), worker.restart)
        for index, job_id in enumerate(self.jobs):
            if index % 4 == 0:
                self.at(self.random.uniform(2, 90), lambda job_id=job_id: self.cancel(job_id))
        self.at(0.0, self.sweep)
        self.at(self.random.uniform(5, 30), lambda: self.pause(workers))
        self.at(self.random.uniform(5, 60), lambda: self.break_bus(workers))
        while self._queue and self._queue[0][0] <= END:
            self.now, _, action = heapq.heappop(self._queue)
            action()
        if any(job.state not in ("DONE", "CANCELLED") for job in self.jobs.values()):
            raise Violation("a job never ended")
        return self.counts

    # ---- time and network

    @property
    def is_faulty(self) -> bool:
        return self.now <= HEAL

    def at(self, when: float, action: Callable[[], None]) -> None:
        self._order += 1
        heapq.heappush(self._queue, (when, self._order, action))

    def send(self, action: Callable[[], None]) -> None:
        """Sends a message, which may be lost, delayed or duplicated."""
        if self.is_faulty and self.random.random() < 0.12:
            return
        delay = self.random.choice([0.1, 0.2, 0.3, 0.5, 4.0, 9.0, 18.0]) if self.is_faulty else 0.2
        self.at(self.now + delay, action)
        if self.is_faulty and self.random.random() < 0.12:
            self.at(self.now + self.random.uniform(0.1, 22.0), action)

    def push(self, session_id: bytes, message: SessionMessage) -> None:
        worker = self.sessions[session_id].worker
        self.send(lambda: worker.on_message(session_id, message))

    # ---- the control plane

    def open_session(self, worker: ModelWorker) -> bytes:
        session_id = self.random.randbytes(16)
        self.sessions[session_id] = ModelSession(worker, self.now + LEASE)
        return session_id

    def heartbeat(self, request: messages.SendHeartbeatRequest) -> messages.SendHeartbeatResponse | None:
        """Answers a beat; None: the session is closed."""
        session = self.sessions[request.session_id]
        if not session.is_open:
            return None
        session.lease_end = max(session.lease_end, self.now + LEASE)
        session.echo = max(session.echo, request.ping_echo)
        self._park(session, request)
        reply = messages.SendHeartbeatResponse()
        held = {(held.job_id, held.attempt) for held in request.held_attempts}
        for job_id, job in self.jobs.items():
            if job.state != "ASSIGNED" or job.session != request.session_id:
                continue
            if job.is_cancelled:
                reply.cancels.append(CancelNotice(job_id=job_id, attempt=job.attempt))
            elif (job_id, job.attempt) not in held and job.assigned_at < session.beat_at:
                self.counts["assigned again"] += 1
                reply.assignments.append(self._assignment(job_id, job))
        session.beat_at = self.now
        session.counter += 1
        self.push(request.session_id, SessionMessage(ping=session.counter))
        self.dispatch()
        return reply

    def report_attempts(self, request: messages.ReportAttemptsRequest) -> list[int] | None:
        session = self.sessions[request.session_id]
        if not session.is_open:
            return None
        self._park(session, request)
        results = [self._close_attempt(request.session_id, report) for report in request.reports]
        self.dispatch()
        return results

    def _close_attempt(self, session_id: bytes, report: AttemptReport) -> int:
        key = (report.job_id, report.attempt)
        kind = report.WhichOneof("outcome")
        job = self.jobs[report.job_id]
        if job.state == "ASSIGNED" and job.attempt == report.attempt and job.session == session_id:
            self.counts[str(kind)] += 1
            if kind in ("result", "cancelled"):
                job.state = "DONE" if kind == "result" else "CANCELLED"
                job.ended_by = (key, session_id)
            else:
                self._give_back(job)
            return REPORT_RESULT_ACCEPTED
        if job.ended_by == (key, session_id):
            return REPORT_RESULT_DUPLICATE
        if kind == "result" and self.sessions[session_id].lease_end > self.now:
            raise Violation("finished work is refused under a live lease")
        return REPORT_RESULT_LEASE_LOST

    def close_session(self, session_id: bytes) -> None:
        self.sessions[session_id].is_open = False
        for job in self.jobs.values():
            if job.state == "ASSIGNED" and job.session == session_id:
                self._give_back(job)

    def cancel(self, job_id: bytes) -> None:
        job = self.jobs[job_id]
        if job.state in ("DONE", "CANCELLED"):
            return
        job.is_cancelled = True
        if job.state == "READY":
            job.state = "CANCELLED"
        else:
            assert job.session is not None
            self.push(job.session, SessionMessage(cancels=[CancelNotice(job_id=job_id, attempt=job.attempt)]))

    def sweep(self) -> None:
        for session_id, session in list(self.sessions.items()):
            if session.is_open and session.lease_end <= self.now:
                self.counts["leases lapsed"] += 1
                self.close_session(session_id)
        self.dispatch()
        self.at(self.now + 1.0, self.sweep)

    def dispatch(self) -> None:
        for session_id, session in self.sessions.items():
            session.credits = [(credit, end) for credit, end in session.credits if self.now < end]
            for job_id, job in self.jobs.items():
                if job.state == "READY" and session.is_open and session.credits:
                    self._assign(session_id, session, job_id, job)

    def _assign(self, session_id: bytes, session: ModelSession, job_id: bytes, job: ModelJob) -> None:
        credit = session.credits[0][0]
        is_prefetch = credit.slots == 0
        if is_prefetch:
            credit.prefetch -= 1
        else:
            credit.slots -= 1
        if credit.slots == 0 and credit.prefetch == 0:
            session.credits.pop(0)
        job.state, job.attempt, job.session = "ASSIGNED", job.attempt + 1, session_id
        job.credit, job.assigned_at = credit.credit_id, self.now
        assignment = self._assignment(job_id, job)
        assignment.prefetch = is_prefetch
        self.push(session_id, SessionMessage(assignments=[assignment]))

    def _assignment(self, job_id: bytes, job: ModelJob) -> Assignment:
        return Assignment(job_id=job_id, attempt=job.attempt, credit_id=job.credit, handler="any")

    def _give_back(self, job: ModelJob) -> None:
        job.state = "CANCELLED" if job.is_cancelled else "READY"
        job.session = None

    def _park(self, session: ModelSession, request: Any) -> None:
        voided = set(request.voided_credit_ids)
        known = {credit.credit_id for credit, _ in session.credits}
        session.credits = [item for item in session.credits if item[0].credit_id not in voided]
        for credit in request.credits:
            if session.echo > 0 and credit.credit_id not in known:
                parked = Credit()
                parked.CopyFrom(credit)
                session.credits.append((parked, self.now + LIFE - MARGIN))

    # ---- faults

    def pause(self, workers: list[ModelWorker]) -> None:
        worker = self.random.choice(workers)
        if worker.paused_until <= self.now:
            worker.paused_until = self.now + self.random.choice([2.0, 10.0, 20.0, 40.0])
        if self.is_faulty:
            self.at(self.now + self.random.uniform(10, 50), lambda: self.pause(workers))

    def break_bus(self, workers: list[ModelWorker]) -> None:
        self.random.choice(workers).lose_bus(self.random.choice([0.1, 3.0, 12.0]))
        if self.is_faulty:
            self.at(self.now + self.random.uniform(10, 60), lambda: self.break_bus(workers))
