"""The worker's own fence: it falls when the session process does not prove the lease in time."""

from __future__ import annotations

from collections.abc import Callable

from muster.worker.clock import monotonic_seconds

_NEVER = float("inf")


class LeaseWatch:
    """Holds although the session process hangs: its messages are all that proves the lease.

    Args:
        on_passed: Called each time the lease can't be proved any more.
    """

    def __init__(self, on_passed: Callable[[], None]) -> None:
        self._on_passed = on_passed
        self._until = _NEVER

    def proved(self, until: float) -> None:
        """The session process has proved the lease until this time."""
        self._until = until

    def forget(self) -> None:
        """There is no session."""
        self._until = _NEVER

    def wait(self, has_message: Callable[[float | None], bool]) -> None:
        """Waits for the next message of the session process.

        Args:
            has_message: Waits up to this many seconds for a message; None: for ever. Returns whether there is one.
        """
        while True:
            # Read before the last look at the pipe: a thread that gets no turn for long must not overlook a proof that
            # came meanwhile.
            left = self._until - monotonic_seconds()
            if has_message(None if left == _NEVER else max(0.0, left)):
                return
            if left <= 0:
                self._until = _NEVER
                self._on_passed()
