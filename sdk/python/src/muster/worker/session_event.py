"""What becomes of a worker's session, as its program is told."""

from __future__ import annotations

from enum import Enum


class SessionEvent(str, Enum):
    """Its values are texts, such as "ready"."""

    OPENED = "opened"
    """A session is open."""
    READY = "ready"
    """It hears the bus and has granted credits: it can be given jobs."""
    FENCED = "fenced"
    """The lease can't be proved any more: nothing is accepted until a heartbeat is answered."""
    RECOVERED = "recovered"
    """The lease is proved again."""
    LOST = "lost"
    """The control plane has closed the session, or its process has died; a new one is being opened."""
    DRAINING = "draining"
    """Nothing more is taken."""
    CLOSED = "closed"
    """The worker has finished what it held, and has closed its session."""
