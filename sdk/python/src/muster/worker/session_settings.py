"""Settings that are fixed for the life of one session."""

from __future__ import annotations

from dataclasses import dataclass

from muster.worker.handler_set import HandlerSet


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Comes from the answer to OpenSession and from the worker's own configuration.

    Attributes:
        session_id: The session's UUID, 16 bytes.
        lease: Seconds that the lease lasts, from the sending of a heartbeat.
        beat_interval: Seconds from one heartbeat to the next.
        opened_at: When OpenSession was sent, on the worker's monotonic clock.
        handlers: The handlers of the worker.
        max_payload: Maximum size of a result, in bytes. 0: not stated.
        max_input: Maximum size of an input that the worker accepts, in bytes. 0: any.
    """

    session_id: bytes
    lease: float
    beat_interval: float
    opened_at: float
    handlers: HandlerSet
    max_payload: int = 0
    max_input: int = 0
