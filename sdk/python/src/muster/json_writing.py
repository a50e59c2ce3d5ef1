"""The JSON form of Python values that `json` does not support."""

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

from muster.json_models import models_of


def json_form(value: Any) -> Any:
    """Returns a value that `json` can write; for use as its `default`.

    A dataclass becomes an object with its fields, an enum member its value, a set a list. Dates, times, UUIDs and
    decimals become strings, a timedelta a number of seconds, bytes a base64 string, a protobuf message its JSON form.
    A pydantic model and a msgspec struct become what their package writes.

    Raises:
        TypeError: The value has no JSON form.
    """
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    models = models_of(type(value))
    if models is not None:
        return models.write(value)
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
