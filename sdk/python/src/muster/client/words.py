"""Words and Python's own times, as the contract has them."""

from __future__ import annotations

import datetime as dt
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp


def to_timestamp(moment: dt.datetime) -> Timestamp:
    """Returns a moment as a timestamp.

    Raises:
        ValueError: It says nothing of its time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} says nothing of its time zone: give a datetime with tzinfo")
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def number_of(enum: Any, prefix: str, word: str | int) -> int:
    """Returns the number of an enum's word.

    Raises:
        ValueError: The contract does not have the word.
    """
    if isinstance(word, int):
        return word
    known = [name.removeprefix(prefix) for name in enum.keys()[1:]]
    if word not in known:
        raise ValueError(f"{word!r} is none of {', '.join(known)}")
    number: int = enum.Value(prefix + word)
    return number
