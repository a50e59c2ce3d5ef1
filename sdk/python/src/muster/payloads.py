"""Turns Python values into payloads and back: JSON by default, bytes as they are."""

from __future__ import annotations

import json
from typing import Any

from muster.v1.payload_pb2 import Payload

JSON = "application/json"
OCTETS = "application/octet-stream"


class PayloadError(ValueError):
    """A payload that does not hold what its content type says."""


def encode(value: Any) -> Payload:
    """Makes a payload of a value.

    Args:
        value: A `Payload` is passed on as it is; bytes become `application/octet-stream`; anything else becomes JSON.

    Raises:
        TypeError: The value has no JSON form.
        ValueError: The value holds NaN or an infinity, which JSON does not know.
    """
    if isinstance(value, Payload):
        return value
    if isinstance(value, bytes | bytearray | memoryview):
        return Payload(data=bytes(value), content_type=OCTETS)
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return Payload(data=text.encode(), content_type=JSON)


def decode(payload: Payload) -> Any:
    """Reads a payload.

    Returns:
        What JSON holds if the content type is JSON; None for a payload without data and content type; else the bytes.

    Raises:
        PayloadError: The content type is JSON and the bytes are not.
    """
    if not is_json(payload.content_type):
        return payload.data if payload.data or payload.content_type else None
    try:
        return json.loads(payload.data)
    except ValueError as error:
        raise PayloadError(f"the payload says {payload.content_type} and is not: {error}") from error


def is_json(content_type: str) -> bool:
    """Whether a media type is JSON, parameters aside."""
    if content_type == JSON:
        return True
    media_type = content_type.partition(";")[0].strip().lower()
    return media_type == JSON or media_type.endswith("+json")
