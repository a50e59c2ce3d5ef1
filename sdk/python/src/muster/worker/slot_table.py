"""The slots in which handlers run. They belong to the worker and outlive its sessions."""

from __future__ import annotations

from collections.abc import Iterable


class SlotTable:
    """Records which runs occupy a slot. A slot stays taken until its handler has returned.

    Attributes:
        total: Handlers that may run at once.
    """

    def __init__(self, total: int, busy_runs: Iterable[int] = ()) -> None:
        self.total = total
        self._busy = set(busy_runs)
        self._last_run = max(self._busy, default=0)

    @property
    def free(self) -> int:
        """Number of free slots."""
        return max(0, self.total - len(self._busy))

    def take(self) -> int:
        """Takes a slot and returns the number of its run."""
        self._last_run += 1
        self._busy.add(self._last_run)
        return self._last_run

    def give_back(self, run_id: int) -> None:
        """Frees the slot of a run."""
        self._busy.discard(run_id)
