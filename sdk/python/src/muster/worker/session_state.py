"""The state of one session that its rules share."""

from __future__ import annotations

from dataclasses import dataclass

from muster.worker import reports
from muster.worker.attempt_key import AttemptKey
from muster.worker.cancels import RememberedCancels
from muster.worker.completions import Completions
from muster.worker.credits import Credits
from muster.worker.fence import Fence
from muster.worker.held import HeldAttempts
from muster.worker.outbox import Outbox
from muster.worker.progress import ProgressBoard
from muster.worker.seen import SeenAttempts
from muster.worker.session_ports import SessionPorts
from muster.worker.session_settings import SessionSettings
from muster.worker.slot_table import SlotTable
from muster.worker.v1.attempt_report_pb2 import AttemptReport

# After this many failed heartbeats with a checkpoint, the report of its attempt no longer waits for it.
CHECKPOINT_TRIES = 3


@dataclass(slots=True)
class DeferredReport:
    """A failure that waits for its checkpoint to be delivered, and the number of failed heartbeats with it."""

    report: AttemptReport
    failures: int = 0


class SessionState:
    """Holds the parts of the session; other modules have its rules.

    Attributes:
        awaiting_beat: Failures that are sent once a heartbeat has delivered their checkpoint.
        is_fenced: Whether the lease could not be proved at the last check of the clock.
        is_draining: Whether nothing more is accepted.
        is_lost: Whether the control plane has closed the session.
    """

    def __init__(self, settings: SessionSettings, ports: SessionPorts, slots: SlotTable) -> None:
        self.settings = settings
        self.ports = ports
        self.slots = slots
        self.credits = Credits()
        self.held = HeldAttempts()
        self.seen = SeenAttempts()
        self.cancels = RememberedCancels()
        self.outbox = Outbox()
        self.progress = ProgressBoard()
        self.completions = Completions()
        self.fence = Fence(settings.lease, settings.opened_at)
        self.awaiting_beat: dict[AttemptKey, DeferredReport] = {}
        self.is_fenced = False
        self.is_draining = False
        self.is_lost = False

    def report(self, key: AttemptKey, report: AttemptReport) -> None:
        """Puts a report into the outbox; the attempt stays held until it is acknowledged."""
        report.logs.extend(self.progress.take_logs(key))
        self.outbox.put(key, report)
        self.ports.report_soon()

    def checkpoint_failed(self, key: AttemptKey) -> None:
        """Counts a failed heartbeat that carried an update of this attempt."""
        waiting = self.awaiting_beat.get(key)
        if waiting is not None:
            waiting.failures += 1

    def release(self, key: AttemptKey, reason: int) -> None:
        """Releases an attempt that was never accepted."""
        self.cancels.forget(key)
        self.held.hold_released(key)
        self.report(key, reports.released(key, reason))

    def release_waiting(self, reason: int) -> None:
        """Releases the attempt that has waited longest for a slot."""
        held = self.held.oldest_waiting()
        assert held is not None
        self.held.settle_waiting(held)
        self.report(held.key, reports.released(held.key, reason))

    def release_all_waiting(self, reason: int) -> None:
        """Releases all attempts that wait for a slot."""
        while self.held.waiting_count > 0:
            self.release_waiting(reason)
