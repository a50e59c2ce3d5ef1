"""The attempts that a session has accepted or released and whose report is not acknowledged yet."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from muster.worker.attempt_key import AttemptKey
from muster.worker.fence import may_continue
from muster.worker.stop_reason import StopReason
from muster.worker.v1.assignment_pb2 import Assignment
from muster.worker.v1.session_pb2 import HeldAttempt as HeldAttemptMessage


@dataclass(slots=True, eq=False)
class HeldAttempt:
    """A held attempt: waiting for a slot, running, or settled (its report is decided).

    Attributes:
        assignment: The assignment, while it waits for a slot.
        run_id: The number of its run; 0 before its start.
        extension: Seconds of `run_deadline` that its handler requested beyond its run timeout.
        stopped_for: Why its handler was asked to stop, if it was.
        is_settled: Whether its report is decided; an outcome that the handler returns later is dropped.
    """

    key: AttemptKey
    assignment: Assignment | None = None
    run_id: int = 0
    accepted_at: float = 0.0
    started_at: float = 0.0
    run_deadline: float = float("inf")
    extension: float = 0.0
    continues_without_lease: bool = False
    stopped_for: StopReason | None = None
    is_settled: bool = False


class HeldAttempts:
    """The held list, with quick access to waiting and running attempts."""

    def __init__(self) -> None:
        self._all: dict[AttemptKey, HeldAttempt] = {}
        self._waiting: deque[HeldAttempt] = deque()
        self._running: dict[int, HeldAttempt] = {}
        self._earliest_deadline = float("inf")

    def __len__(self) -> int:
        return len(self._all)

    def __contains__(self, key: AttemptKey) -> bool:
        return key in self._all

    @property
    def waiting_count(self) -> int:
        """Number of attempts that wait for a slot."""
        return len(self._waiting)

    @property
    def running_count(self) -> int:
        """Number of handlers of this session that have not returned."""
        return len(self._running)

    def get(self, key: AttemptKey) -> HeldAttempt | None:
        """Returns a held attempt by its key."""
        return self._all.get(key)

    def running(self) -> Iterator[HeldAttempt]:
        """Iterates over a snapshot of the attempts whose handler has not returned."""
        return iter(list(self._running.values()))

    def oldest_waiting(self) -> HeldAttempt | None:
        """Returns the attempt that has waited longest."""
        return self._waiting[0] if self._waiting else None

    def hold_released(self, key: AttemptKey) -> None:
        """Holds an attempt that is released without a start."""
        self._all[key] = HeldAttempt(key, is_settled=True)

    def hold_waiting(self, key: AttemptKey, assignment: Assignment, now: float) -> None:
        """Holds an accepted attempt that waits for a slot."""
        held = HeldAttempt(key, assignment, accepted_at=now)
        self._all[key] = held
        self._waiting.append(held)

    def start(self, key: AttemptKey, assignment: Assignment, run_id: int, now: float) -> HeldAttempt:
        """Holds an attempt whose handler starts now."""
        held = self._all.get(key) or HeldAttempt(key, accepted_at=now)
        held.assignment = None
        held.run_id = run_id
        held.started_at = now
        held.continues_without_lease = may_continue(assignment)
        self._all[key] = held
        self._running[run_id] = held
        return held

    def next_waiting(self) -> HeldAttempt:
        """Removes the attempt that has waited longest from the queue; it stays held."""
        return self._waiting.popleft()

    def settle_waiting(self, held: HeldAttempt) -> None:
        """Removes an attempt from the queue because it is released."""
        self._waiting.remove(held)
        held.assignment = None
        held.is_settled = True

    def expect_deadline(self, deadline: float) -> None:
        """Notes a run deadline, so that the runs are not scanned before the earliest one."""
        self._earliest_deadline = min(self._earliest_deadline, deadline)

    def overdue(self, now: float) -> list[HeldAttempt]:
        """Returns the attempts whose handler has not returned by its deadline."""
        if now < self._earliest_deadline:
            return []
        overdue = [held for held in self._running.values() if now >= held.run_deadline]
        open_deadlines = [held.run_deadline for held in self._running.values() if not held.is_settled]
        self._earliest_deadline = min(open_deadlines, default=float("inf"))
        return overdue

    def returned(self, run_id: int) -> HeldAttempt | None:
        """Notes that a handler has returned; None if the run belongs to another session."""
        return self._running.pop(run_id, None)

    def acknowledged(self, key: AttemptKey) -> None:
        """Drops an attempt whose report is acknowledged."""
        self._all.pop(key, None)

    def messages(self) -> list[HeldAttemptMessage]:
        """Returns the held attempts of a heartbeat.

        An attempt counts as started once it was sent to the handlers: from then on nobody can know that it has not
        started.
        """
        return [
            HeldAttemptMessage(job_id=key[0], attempt=key[1], started=held.run_id != 0)
            for key, held in self._all.items()
        ]
