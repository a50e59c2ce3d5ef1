"""The JSON form of Python values that JSON has no form of its own for."""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import decimal
import enum
import uuid
from collections.abc import Callable
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message


def json_form(value: Any) -> Any:
    """Returns what `json` can write in place of a value; made to be its `default`.

    A dataclass is an object with its fields, an enum's member its value, a set a list. Dates, times, UUIDs and decimals
    are text, a timedelta is a number of seconds, bytes are text in base64, a protobuf message is its own JSON form.

    Raises:
        TypeError: There is none.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    for types, write in _FORMS:
        if isinstance(value, types):
            return write(value)
    raise TypeError(f"a {type(value).__name__} has no JSON form")


_FORMS: tuple[tuple[tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((enum.Enum,), lambda member: member.value),
    ((dt.datetime, dt.date, dt.time), lambda moment: moment.isoformat()),
    ((dt.timedelta,), dt.timedelta.total_seconds),
    ((uuid.UUID, decimal.Decimal), str),
    ((set, frozenset), list),
    ((bytes, bytearray, memoryview), lambda data: base64.b64encode(data).decode()),
    ((Message,), json_format.MessageToDict),
)
