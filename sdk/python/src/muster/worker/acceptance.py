"""Decides what becomes of an assignment: the five steps of acceptance, in their order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from muster.v1 import session_service_pb2 as session_service


class Verdict(Enum):
    """What to do with an assignment that is not released."""

    IGNORE = "ignore"
    START = "start"
    WAIT = "wait"


# A release reason is a number of the enum ReleaseReason.
Decision: TypeAlias = "Verdict | int"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentFacts:
    """Everything that acceptance looks at.

    Attributes:
        is_known: The attempt is held, or was seen and the credit that it spent is still alive.
        is_fenced: The session can't prove its lease.
        is_full: As many attempts are held as a heartbeat can list, so that not even a release could be held.
        is_cancelled: A cancel of the attempt is on record.
        has_handler: The worker has a handler for this name and version.
        fits: The input is not larger than the worker takes.
        is_draining: The worker takes nothing more.
        has_credit: It names a live credit with a place that fits.
        has_slot: A slot is free.
        may_wait: It may wait for a slot, and there is room in the line.
    """

    is_known: bool = False
    is_fenced: bool = False
    is_full: bool = False
    is_cancelled: bool = False
    has_handler: bool = True
    fits: bool = True
    is_draining: bool = False
    has_credit: bool = True
    has_slot: bool = True
    may_wait: bool = False


def decide(facts: AssignmentFacts) -> Decision:
    """Returns what to do: a verdict, or the reason to release the attempt for."""
    if facts.is_known or facts.is_fenced or facts.is_full:
        return Verdict.IGNORE
    if facts.is_cancelled:
        return session_service.RELEASE_REASON_CANCELLED
    reason = _refusal(facts)
    if reason is not None:
        return reason
    return Verdict.START if facts.has_slot else Verdict.WAIT


def _refusal(facts: AssignmentFacts) -> int | None:
    if not facts.has_handler:
        return session_service.RELEASE_REASON_UNSUPPORTED
    if not facts.fits:
        return session_service.RELEASE_REASON_TOO_LARGE
    if facts.is_draining:
        return session_service.RELEASE_REASON_DRAIN
    if not facts.has_credit:
        return session_service.RELEASE_REASON_DEAD_CREDIT
    if not (facts.has_slot or facts.may_wait):
        return session_service.RELEASE_REASON_NO_SLOT
    return None
