"""Encoding and decoding of values."""

from __future__ import annotations

import pytest

from muster.payloads import PayloadError, decode, encode
from muster.v1.payload_pb2 import Payload


@pytest.mark.parametrize("value", [None, 0, "ü", [1, {"a": None}], {"big": 9007199254740993}, True, ""])
def test_json(value: object) -> None:
    payload = encode(value)
    assert payload.content_type == "application/json"
    assert decode(payload) == value


@pytest.mark.parametrize("value", [b"", b"\x00\xff", bytearray(b"x"), memoryview(b"y")])
def test_bytes_are_kept(value: bytes) -> None:
    payload = encode(value)
    assert payload.content_type == "application/octet-stream"
    assert decode(payload) == bytes(value)


def test_a_payload_is_passed_on() -> None:
    payload = Payload(data=b"1", content_type="text/csv", metadata={"a": "b"})
    assert encode(payload) is payload
    assert decode(payload) == b"1"


def test_nothing() -> None:
    assert decode(Payload()) is None


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON; charset=utf-8", "application/a+json"])
def test_what_counts_as_json(content_type: str) -> None:
    assert decode(Payload(data=b"[1]", content_type=content_type)) == [1]
    with pytest.raises(PayloadError):
        decode(Payload(data=b"[", content_type=content_type))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_no_json_number(value: float) -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode(value)
