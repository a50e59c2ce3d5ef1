"""The time until which the worker may assume that its lease holds."""

from __future__ import annotations

from muster.v1.job_definition_pb2 import LEASE_LOSS_ACTION_CONTINUE
from muster.worker.v1.assignment_pb2 import Assignment

MARGIN_SECONDS = 2.0
# Leases shorter than the usual 15 s keep the same ratio of margin to lease.
_MARGIN_SHARE = MARGIN_SECONDS / 15.0


class Fence:
    """Moves with each answered heartbeat, counted from the *sending* of that heartbeat.

    The control plane renewed the lease after that, so the worker's fence always falls before the control plane's.

    Attributes:
        at: When the fence falls, in seconds of the worker's monotonic clock.
    """

    def __init__(self, lease: float, sent_at: float) -> None:
        self._span = lease - min(MARGIN_SECONDS, lease * _MARGIN_SHARE)
        self.at = sent_at + self._span

    def extend(self, sent_at: float) -> None:
        """Notes an answered heartbeat; a late answer never moves the fence back."""
        self.at = max(self.at, sent_at + self._span)

    def is_passed(self, now: float) -> bool:
        """Whether the lease can no longer be proved."""
        return now >= self.at


def may_continue(assignment: Assignment) -> bool:
    """Whether the handler may run on while the lease can't be proved."""
    return assignment.lease_loss_action == LEASE_LOSS_ACTION_CONTINUE
