"""Progress as a handler reports it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from muster.v1.job_pb2 import Progress

MAX_MESSAGE_CHARACTERS = 256
MAX_UNIT_CHARACTERS = 32
MAX_COUNT = 2**53 - 1


@dataclass(frozen=True)
class ProgressCounts:
    """What a handler has done, as a count of units. With a total, Muster estimates from it when the handler is done.

    Attributes:
        done: Units that are done, from 0; limited to 2**53 - 1.
        total: Units in all. None or below 0: not known.
        unit: What is counted, such as "rows"; cut at 32 characters. Empty: not said.
    """

    done: int
    total: int | None = None
    unit: str = ""


def progress_message(progress: float | ProgressCounts, message: str | None) -> Progress:
    """Returns the message for a report, within the limits of the contract."""
    text = (message or "")[:MAX_MESSAGE_CHARACTERS]
    if not isinstance(progress, ProgressCounts):
        fraction = float(progress)
        return Progress(fraction=0.0 if math.isnan(fraction) else min(1.0, max(0.0, fraction)), message=text)
    done = _bounded(progress.done)
    counts = Progress(message=text, done=done, unit=progress.unit[:MAX_UNIT_CHARACTERS])
    if progress.total is not None and progress.total >= 0:
        counts.total = _bounded(progress.total)
        counts.fraction = min(1.0, done / counts.total) if counts.total > 0 else 1.0
    return counts


def _bounded(count: int) -> int:
    return min(MAX_COUNT, max(0, int(count)))
