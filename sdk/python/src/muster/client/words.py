"""Converts enum names and Python times to the contract's types."""

from __future__ import annotations

import datetime as dt
from typing import Any

from google.protobuf.timestamp_pb2 import Timestamp


def to_timestamp(moment: dt.datetime) -> Timestamp:
    """Converts a datetime to a timestamp.

    Raises:
        ValueError: The datetime has no time zone.
    """
    if moment.tzinfo is None:
        raise ValueError(f"{moment} has no time zone: pass a datetime with tzinfo")
    timestamp = Timestamp()
    timestamp.FromDatetime(moment)
    return timestamp


def number_of(enum: Any, prefix: str, word: str | int) -> int:
    """Returns the number of an enum value.

    Raises:
        ValueError: The enum has no value of this name.
    """
    if isinstance(word, int):
        return word
    known = [name.removeprefix(prefix) for name in enum.keys()[1:]]
    if word not in known:
        raise ValueError(f"{word!r} is none of {', '.join(known)}")
    number: int = enum.Value(prefix + word)
    return number
