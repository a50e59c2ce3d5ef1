"""Converts Python values to payloads and back: JSON by default, bytes unchanged, protobuf messages in binary."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable
from typing import Any, TypeAlias, TypeVar, overload

from google.protobuf.message import DecodeError, Message

from muster.json_reading import reader_for
from muster.json_scalars import Mismatch
from muster.json_writing import json_form
from muster.v1.payload_pb2 import Payload

JSON = "application/json"
OCTETS = "application/octet-stream"
PROTOBUF = "application/x-protobuf"
_PROTOBUF_TYPES = frozenset({"", PROTOBUF, "application/protobuf"})

ValueT = TypeVar("ValueT")
PayloadReader: TypeAlias = Callable[[Payload], Any]


class PayloadError(ValueError):
    """A payload that does not fit its content type or the type hint."""


def encode(value: Any) -> Payload:
    """Encodes a value as a payload.

    Args:
        value: A `Payload` is returned unchanged; bytes become `application/octet-stream`, a protobuf message
            `application/x-protobuf`, and any other value JSON, see `muster.json_writing`.

    Raises:
        TypeError: The value has no JSON form.
        ValueError: The value contains NaN or an infinity, which JSON does not support.
    """
    if isinstance(value, Payload):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return Payload(data=bytes(value), content_type=OCTETS)
    if isinstance(value, Message):
        return Payload(data=value.SerializeToString(deterministic=True), content_type=PROTOBUF)
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=json_form)
    return Payload(data=text.encode(), content_type=JSON)


@overload
def decode(payload: Payload) -> Any: ...
@overload
def decode(payload: Payload, as_type: type[ValueT]) -> ValueT: ...
@overload
def decode(payload: Payload, as_type: Any) -> Any: ...
def decode(payload: Payload, as_type: Any = Any) -> Any:
    """Reads a payload.

    Args:
        payload: The payload.
        as_type: Type of the value, see `payload_reader`.

    Returns:
        With a type, a value of it. Without: the JSON value if the content type is JSON; None for a payload without data
        and content type; else the bytes.

    Raises:
        PayloadError: The bytes do not fit the content type or the type.
        TypeError: The type is not supported.
    """
    return payload_reader(as_type)(payload)


def payload_reader(hint: Any, name: str = "value") -> PayloadReader:
    """Makes a function that reads payloads by a type hint.

    Args:
        hint: A protobuf message is read from its binary or its JSON form; `bytes` are taken unchanged from any payload
            that is not JSON; `Payload` is the payload itself; other types are read from JSON, see
            `muster.json_reading.reader_for`.
        name: Name of the value in error messages.

    Raises:
        TypeError: The type is not supported.
    """
    if hint is Any or hint is object:
        return _untyped
    if hint is Payload:
        return lambda payload: payload
    read_json = reader_for(hint)
    choices = _choices_of(hint)
    message = next((one for one in choices if isinstance(one, type) and issubclass(one, Message)), None)

    def read(payload: Payload) -> Any:
        if is_json(payload.content_type):
            return _fitting(read_json, _json_of(payload), name)
        if type(None) in choices and not (payload.data or payload.content_type):
            return None
        if message is not None:
            return _message(message, payload, name)
        return payload.data if bytes in choices else _fitting(read_json, _untyped(payload), name)

    return read


def is_json(content_type: str) -> bool:
    """Whether a media type is JSON, ignoring parameters."""
    if content_type == JSON:
        return True
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == JSON or media_type.endswith("+json")


def _choices_of(hint: Any) -> tuple[Any, ...]:
    is_union = typing.get_origin(hint) in (typing.Union, types.UnionType)
    return typing.get_args(hint) if is_union else (type(None) if hint is None else hint,)


def _untyped(payload: Payload) -> Any:
    if is_json(payload.content_type):
        return _json_of(payload)
    return payload.data if payload.data or payload.content_type else None


def _json_of(payload: Payload) -> Any:
    try:
        return json.loads(payload.data)
    except ValueError as error:
        raise PayloadError(f"the payload says {payload.content_type} and is not: {error}") from error


def _fitting(read: Callable[[Any, str], Any], value: Any, name: str) -> Any:
    try:
        return read(value, name)
    except Mismatch as error:
        raise PayloadError(str(error)) from error


def _message(hint: type[Message], payload: Payload, name: str) -> Message:
    full_name = hint.DESCRIPTOR.full_name
    media_type = payload.content_type.partition(";")[0].strip().lower()
    if media_type not in _PROTOBUF_TYPES:
        raise PayloadError(f"{name}: {full_name} is needed, not {payload.content_type}")
    try:
        return hint.FromString(payload.data)
    except DecodeError as error:
        raise PayloadError(f"{name}: these bytes are no {full_name}: {error}") from error
