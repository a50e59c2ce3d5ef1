"""Reason why a handler is asked to stop."""

from __future__ import annotations

from enum import IntEnum


class StopReason(IntEnum):
    """Sent as one byte between the session process and the handlers."""

    CANCELLED = 1
    """The job was cancelled."""
    LEASE_LOST = 2
    """The session can't prove its lease, or has ended."""
    RUN_TIMEOUT = 3
    """The handler has reached its run timeout."""
    SHUTDOWN = 4
    """The worker stops and waits no longer."""
    SUSPENDED = 5
    """The job was paused, or its queue: it continues later."""
