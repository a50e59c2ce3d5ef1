"""What the session has told the control plane that it can take."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

LIFE_SECONDS = 15.0
RENEW_BELOW_SECONDS = 8.0


@dataclass(slots=True)
class GrantedCredit:
    """A credit with places that are not spent yet."""

    credit_id: int
    slots: int
    prefetch: int
    expires_at: float


class Credits:
    """Grants, spends and voids credits. Ids rise, and with them the ends of their lives.

    Attributes:
        promised_slots: Places to start at once in live credits.
        promised_prefetch: Places to wait for a slot in live credits.
    """

    def __init__(self) -> None:
        self._live: dict[int, GrantedCredit] = {}
        self._voided: dict[int, float] = {}
        self._last_id = 0
        self.promised_slots = 0
        self.promised_prefetch = 0

    def grant(self, now: float, slots: int, prefetch: int) -> GrantedCredit:
        """Makes a credit; its life starts now, before it is sent."""
        self._last_id += 1
        credit = GrantedCredit(self._last_id, slots, prefetch, now + LIFE_SECONDS)
        self._live[credit.credit_id] = credit
        self.promised_slots += slots
        self.promised_prefetch += prefetch
        return credit

    def find(self, now: float, credit_id: int, *, prefetch: bool) -> GrantedCredit | None:
        """Returns the credit if it is live and has a place of this kind left, else None."""
        credit = self._live.get(credit_id)
        if credit is None or now >= credit.expires_at:
            return None
        return credit if (credit.prefetch if prefetch else credit.slots) > 0 else None

    def spend(self, credit: GrantedCredit, *, prefetch: bool) -> None:
        """Takes one place of this kind."""
        if prefetch:
            credit.prefetch -= 1
            self.promised_prefetch -= 1
        else:
            credit.slots -= 1
            self.promised_slots -= 1
        if credit.slots == 0 and credit.prefetch == 0:
            del self._live[credit.credit_id]

    def expire(self, now: float) -> None:
        """Forgets the credits whose life is over, and voids that need not be told any more."""
        while self._live:
            oldest = next(iter(self._live.values()))
            if now < oldest.expires_at:
                break
            self._drop(oldest)
        self._voided = {credit_id: end for credit_id, end in self._voided.items() if now < end}

    def void_all(self) -> None:
        """Voids every credit that has places left."""
        self._void_where(lambda _: True)

    def void_ageing(self, now: float) -> None:
        """Voids the credits that are to be replaced because little of their life is left."""
        self._void_where(lambda credit: credit.expires_at - now < RENEW_BELOW_SECONDS)

    def void_prefetch(self) -> None:
        """Voids the credits that still offer places to wait."""
        self._void_where(lambda credit: credit.prefetch > 0)

    def void(self, credit_ids: Iterable[int]) -> None:
        """Voids these credits, as far as they have places left."""
        wanted = set(credit_ids)
        self._void_where(lambda credit: credit.credit_id in wanted)

    def voided(self) -> list[int]:
        """Returns the ids that the control plane has not been told of for sure."""
        return list(self._voided)

    def confirm_voided(self, credit_ids: Iterable[int]) -> None:
        """Takes note that the control plane has heard of these."""
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
