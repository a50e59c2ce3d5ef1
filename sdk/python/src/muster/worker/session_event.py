"""Events of a worker's session."""

from __future__ import annotations

from enum import Enum


class SessionEvent(str, Enum):
    """An event of the worker's session. Its values are strings, such as "ready"."""

    OPENED = "opened"
    """A session is open."""
    READY = "ready"
    """The session has received a ping over the bus and has granted credits: it can receive jobs."""
    FENCED = "fenced"
    """The lease can't be proved: nothing is accepted until a heartbeat is answered."""
    RECOVERED = "recovered"
    """The lease is proved again."""
    LOST = "lost"
    """The control plane has closed the session, or its process has died; a new one is being opened."""
    DRAINING = "draining"
    """The worker accepts nothing more."""
    CLOSED = "closed"
    """The worker has finished its attempts and closed its session."""
