"""Calls in flight: their request, and the state that their answer confirms."""

from __future__ import annotations

from dataclasses import dataclass

from muster.worker.outbox import Batch
from muster.worker.v1.session_service_pb2 import ReportAttemptsRequest, SendHeartbeatRequest


@dataclass(frozen=True, slots=True)
class PendingBeat:
    """A heartbeat; `sent_at` is the time just before it was sent."""

    request: SendHeartbeatRequest
    sent_at: float


@dataclass(frozen=True, slots=True)
class PendingReport:
    """A call of ReportAttempts."""

    request: ReportAttemptsRequest
    batch: Batch
