"""Decides which credits a call grants and which it voids."""

from __future__ import annotations

from collections.abc import Iterable

from muster.durations import to_seconds
from muster.worker.session_state import SessionState
from muster.worker.v1.session_pb2 import Credit
from muster.worker.v1.session_service_pb2 import SendHeartbeatResponse

MAX_HELD = 10_000
MAX_SEEN = 300_000
# With more pending reports, or more bytes of them, no credit is granted.
MAX_PENDING_REPORTS = 5_000
MAX_REPORT_BYTES = 32 * 1024 * 1024


class Grants:
    """Makes the credits of heartbeats and reports."""

    def __init__(self, state: SessionState) -> None:
        self._state = state
        self._receives_bus = False
        self._rides_in_replies = False
        self.highest_ping = 0

    def for_report(self, now: float) -> list[Credit]:
        """Grants the free capacity that no credit covers yet: at most one credit."""
        state = self._state
        if not self._may_grant():
            return []
        promised = state.credits.promised_slots + state.credits.promised_prefetch
        capacity = max(0, min(MAX_HELD - len(state.held), MAX_SEEN - len(state.seen)) - promised)
        slots = min(capacity, max(0, state.slots.free - state.credits.promised_slots))
        depth = self._depth(now) - state.held.waiting_count - state.credits.promised_prefetch
        prefetch = min(capacity - slots, max(0, depth))
        if slots == 0 and prefetch == 0:
            return []
        credit = state.credits.grant(now, slots, prefetch)
        return [Credit(credit_id=credit.credit_id, slots=slots, prefetch=prefetch)]

    def for_beat(self, now: float) -> list[Credit]:
        """Voids credits that expire soon, and prefetch that an idle session does not need; then grants anew."""
        if self._may_grant():
            self._state.credits.void_ageing(now)
            if self._depth(now) == 0:
                self._state.credits.void_prefetch()
        return self.for_report(now)

    def forget(self, granted: Iterable[Credit], *, is_broken: bool) -> None:
        """Voids the credits of a failed call or, if the connection broke, all credits."""
        if is_broken:
            self._state.credits.void_all()
        else:
            self._state.credits.void([credit.credit_id for credit in granted])

    def on_ping(self, ping: int) -> None:
        """Notes a ping: credits count from the first ping of a connection on."""
        self.highest_ping = max(self.highest_ping, ping)
        if not self._receives_bus:
            # Earlier credits were ignored, or sent to a connection that is gone.
            self._receives_bus = True
            self._state.credits.void_all()
            self._state.ports.beat_soon()

    def on_bus_broken(self) -> None:
        """Voids the credits granted over the broken connection; a ping over the next one grants anew."""
        self._receives_bus = False
        self._state.credits.void_all()

    def on_reply(self, reply: SendHeartbeatResponse) -> None:
        """While the bus is down, the control plane asks for beats sooner and their replies carry assignments."""
        self._rides_in_replies = (
            reply.HasField("next_beat") and to_seconds(reply.next_beat) < self._state.settings.beat_interval
        )

    def void_all(self) -> None:
        """Voids all credits; the next beat grants anew."""
        self._state.credits.void_all()

    def start_anew(self) -> None:
        """Voids all credits and requests a beat that grants anew."""
        self._state.credits.void_all()
        self._state.ports.beat_soon()

    def _may_grant(self) -> bool:
        state = self._state
        is_reached = self._receives_bus or self._rides_in_replies
        is_full = len(state.outbox) > MAX_PENDING_REPORTS or state.outbox.byte_count > MAX_REPORT_BYTES
        return is_reached and not (is_full or state.is_draining or state.is_fenced or state.is_lost)

    def _depth(self, now: float) -> int:
        return self._state.completions.prefetch_depth(now, self._state.slots.total)
