"""Decides what to do with an assignment: five checks in the only safe order."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from muster.worker.v1.attempt_report_pb2 import (
    RELEASE_REASON_CANCELLED,
    RELEASE_REASON_DEAD_CREDIT,
    RELEASE_REASON_DRAIN,
    RELEASE_REASON_NO_SLOT,
    RELEASE_REASON_TOO_LARGE,
    RELEASE_REASON_UNSUPPORTED,
)


class Verdict(Enum):
    """A decision other than a release."""

    IGNORE = "ignore"
    START = "start"
    WAIT = "wait"


# A release reason is a number of the enum ReleaseReason.
Decision: TypeAlias = "Verdict | int"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentFacts:
    """What the session knows about an assignment when it arrives.

    Attributes:
        is_known: The attempt is held, or was seen before and the credit that it spent is still live.
        is_fenced: The session can't prove its lease.
        is_full: The held list has reached its maximum: the session could not even hold a release.
        is_cancelled: A cancel for the attempt arrived earlier.
        has_handler: The worker has a handler for this name and version.
        fits: The input does not exceed the worker's maximum.
        is_draining: The worker accepts nothing more.
        has_credit: The assignment names a live credit with an unspent permit of its kind.
        has_slot: A slot is free.
        may_wait: The attempt is prefetched and may wait for a slot.
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
    """Returns a verdict, or the reason for a release."""
    if facts.is_known or facts.is_fenced or facts.is_full:
        return Verdict.IGNORE
    if facts.is_cancelled:
        return RELEASE_REASON_CANCELLED
    reason = _refusal(facts)
    if reason is not None:
        return reason
    return Verdict.START if facts.has_slot else Verdict.WAIT


def _refusal(facts: AssignmentFacts) -> int | None:
    if not facts.has_handler:
        return RELEASE_REASON_UNSUPPORTED
    if not facts.fits:
        return RELEASE_REASON_TOO_LARGE
    if facts.is_draining:
        return RELEASE_REASON_DRAIN
    if not facts.has_credit:
        return RELEASE_REASON_DEAD_CREDIT
    if not (facts.has_slot or facts.may_wait):
        return RELEASE_REASON_NO_SLOT
    return None
