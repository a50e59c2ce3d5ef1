"""Reads single JSON values strictly: a string with a number is not a number."""

from __future__ import annotations

import base64
import datetime as dt
import decimal
import uuid
from collections.abc import Callable
from typing import Any

from google.protobuf import json_format
from google.protobuf.message import Message

_MAX_SHOWN = 40
_ABSENT = object()


class Mismatch(ValueError):  # noqa: N818 - describes a value, not an error of the program
    """A value that does not fit the type hint.

    Attributes:
        path: Location of the value, such as "input.lines[2].price".
    """

    def __init__(self, path: str, needed: str, value: Any = _ABSENT) -> None:
        super().__init__(f"{path}: {needed} is needed" + ("" if value is _ABSENT else f", not {_shown(value)}"))
        self.path = path


class Violation(Mismatch):
    """A value that its own class refuses.

    Args:
        path: Location of the value.
        reason: Why it is refused.
    """

    def __init__(self, path: str, reason: str) -> None:
        ValueError.__init__(self, f"{path}: {reason}")
        self.path = path


def protobuf_reader(message: type[Message]) -> Callable[[Any, str], Message]:
    """Makes a reader of a message's JSON form."""

    def read(value: Any, path: str) -> Message:
        if not isinstance(value, dict):
            raise Mismatch(path, "an object", value)
        try:
            return json_format.ParseDict(value, message(), ignore_unknown_fields=True)
        except json_format.ParseError as error:
            raise Mismatch(path, f"{message.DESCRIPTOR.full_name} ({error})") from error

    return read


def _anything(value: Any, _path: str) -> Any:
    return value


def _nothing(value: Any, path: str) -> None:
    if value is not None:
        raise Mismatch(path, "null", value)


def _boolean(value: Any, path: str) -> bool:
    if not isinstance(value, bool):
        raise Mismatch(path, "true or false", value)
    return value


def _integer(value: Any, path: str) -> int:
    # JSON has one kind of number: other languages may write 3 as 3.0.
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Mismatch(path, "a whole number", value)
    return value


def _number(value: Any, path: str) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise Mismatch(path, "a number", value)
    return float(value)


def _text(value: Any, path: str) -> str:
    if not isinstance(value, str):
        raise Mismatch(path, "text", value)
    return value


def _seconds(value: Any, path: str) -> dt.timedelta:
    return dt.timedelta(seconds=_number(value, path))


def _decimal(value: Any, path: str) -> Any:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return decimal.Decimal(str(value))
    return _decimal_text(value, path)


def _parsed(parse: Callable[[str], Any], needed: str) -> Callable[[Any, str], Any]:
    def read(value: Any, path: str) -> Any:
        if not isinstance(value, str):
            raise Mismatch(path, f"{needed} as text", value)
        try:
            return parse(value)
        except (ValueError, ArithmeticError):
            raise Mismatch(path, needed, value) from None

    return read


def _moment(text: str) -> dt.datetime:
    return dt.datetime.fromisoformat(_with_offset(text))


def _time(text: str) -> dt.time:
    return dt.time.fromisoformat(_with_offset(text))


def _with_offset(text: str) -> str:
    """Before Python 3.11 `fromisoformat` does not accept "Z"."""
    return f"{text[:-1]}+00:00" if text[-1:] in ("Z", "z") else text


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= _MAX_SHOWN else f"{text[:_MAX_SHOWN]}..."


_decimal_text = _parsed(decimal.Decimal, "a decimal number")

SCALARS: dict[Any, Callable[[Any, str], Any]] = {
    Any: _anything,
    object: _anything,
    None: _nothing,
    type(None): _nothing,
    bool: _boolean,
    int: _integer,
    float: _number,
    str: _text,
    bytes: _parsed(_bytes, "base64"),
    dt.datetime: _parsed(_moment, "a date and time in ISO 8601"),
    dt.date: _parsed(dt.date.fromisoformat, "a date in ISO 8601"),
    dt.time: _parsed(_time, "a time in ISO 8601"),
    dt.timedelta: _seconds,
    decimal.Decimal: _decimal,
    uuid.UUID: _parsed(uuid.UUID, "a UUID"),
}
