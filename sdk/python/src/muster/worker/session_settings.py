"""What is fixed for the life of one session."""

from __future__ import annotations

from dataclasses import dataclass

from muster.worker.handler_set import HandlerSet


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSettings:
    """Comes from the answer to OpenSession and from the worker's own configuration.

    Attributes:
        session_id: The session's UUID, 16 bytes.
        lease: How long a heartbeat is good for, in seconds from its sending.
        beat_interval: Seconds from one heartbeat to the next.
        opened_at: When OpenSession was sent, by the worker's monotonic clock.
        handlers: What the worker can run.
        max_payload: Largest result that the control plane takes, in bytes. 0: not stated.
        max_input: Largest input that the worker takes, in bytes. 0: any.
    """

    session_id: bytes
    lease: float
    beat_interval: float
    opened_at: float
    handlers: HandlerSet
    max_payload: int = 0
    max_input: int = 0
