"""Why a handler is asked to stop."""

from __future__ import annotations

from enum import IntEnum


class StopReason(IntEnum):
    """Travels as one byte between the session process and the handlers."""

    CANCELLED = 1
    """Somebody cancelled the job."""
    LEASE_LOST = 2
    """The session can't prove its lease any more, or has ended."""
    RUN_TIMEOUT = 3
    """The handler has run as long as it may."""
    SHUTDOWN = 4
    """The worker stops and does not wait any longer."""
