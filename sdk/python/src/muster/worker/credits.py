"""The credits that the session has granted."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

LIFE_SECONDS = 15.0
RENEW_BELOW_SECONDS = 8.0


@dataclass(slots=True)
class GrantedCredit:
    """A credit with unspent permits."""

    credit_id: int
    slots: int
    prefetch: int
    expires_at: float


class Credits:
    """Grants, spends and voids credits. A higher id expires later.

    Attributes:
        promised_slots: Unspent slot permits of live credits.
        promised_prefetch: Unspent prefetch permits of live credits.
    """

    def __init__(self) -> None:
        self._live: dict[int, GrantedCredit] = {}
        self._voided: dict[int, float] = {}
        self._last_id = 0
        self.promised_slots = 0
        self.promised_prefetch = 0

    def grant(self, now: float, slots: int, prefetch: int) -> GrantedCredit:
        """Makes a credit. Its life starts now, before it is sent."""
        self._last_id += 1
        credit = GrantedCredit(self._last_id, slots, prefetch, now + LIFE_SECONDS)
        self._live[credit.credit_id] = credit
        self.promised_slots += slots
        self.promised_prefetch += prefetch
        return credit

    def find(self, now: float, credit_id: int, *, prefetch: bool) -> GrantedCredit | None:
        """Returns the credit if it is live and has an unspent permit of this kind, else None."""
        credit = self._live.get(credit_id)
        if credit is None or now >= credit.expires_at:
            return None
        return credit if (credit.prefetch if prefetch else credit.slots) > 0 else None

    def spend(self, credit: GrantedCredit, *, prefetch: bool) -> None:
        """Takes one permit of this kind."""
        if prefetch:
            credit.prefetch -= 1
            self.promised_prefetch -= 1
        else:
            credit.slots -= 1
            self.promised_slots -= 1
        if credit.slots == 0 and credit.prefetch == 0:
            del self._live[credit.credit_id]

    def expire(self, now: float) -> None:
        """Drops expired credits, and voided ids that need no repetition any more."""
        while self._live:
            oldest = next(iter(self._live.values()))
            if now < oldest.expires_at:
                break
            self._drop(oldest)
        self._voided = {credit_id: end for credit_id, end in self._voided.items() if now < end}

    def void_all(self) -> None:
        """Voids every credit with unspent permits."""
        self._void_where(lambda _: True)

    def void_ageing(self, now: float) -> None:
        """Voids the credits that expire soon, so that they are replaced."""
        self._void_where(lambda credit: credit.expires_at - now < RENEW_BELOW_SECONDS)

    def void_prefetch(self) -> None:
        """Voids the credits with unspent prefetch permits."""
        self._void_where(lambda credit: credit.prefetch > 0)

    def void(self, credit_ids: Iterable[int]) -> None:
        """Voids these credits, as far as they have unspent permits."""
        wanted = set(credit_ids)
        self._void_where(lambda credit: credit.credit_id in wanted)

    def voided(self) -> list[int]:
        """Returns the voided ids that the control plane has not acknowledged."""
        return list(self._voided)

    def confirm_voided(self, credit_ids: Iterable[int]) -> None:
        """Notes that the control plane has acknowledged these voided ids."""
        for credit_id in credit_ids:
            self._voided.pop(credit_id, None)

    def _void_where(self, unwanted: Callable[[GrantedCredit], bool]) -> None:
        for credit in [credit for credit in self._live.values() if unwanted(credit)]:
            self._drop(credit)
            self._voided[credit.credit_id] = credit.expires_at

    def _drop(self, credit: GrantedCredit) -> None:
        del self._live[credit.credit_id]
        self.promised_slots -= credit.slots
        self.promised_prefetch -= credit.prefetch
