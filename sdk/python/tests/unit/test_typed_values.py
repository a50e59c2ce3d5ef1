"""Typed values survive writing as JSON and reading back."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, NewType, Optional, TypedDict, Union

import pytest

from muster.json_reading import reader_for
from muster.payloads import PROTOBUF, PayloadError, decode, encode
from muster.v1.job_pb2 import Progress
from muster.v1.payload_pb2 import Payload


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1


@dataclass(frozen=True)
class Line:
    article: str
    price: decimal.Decimal = decimal.Decimal("1.50")
    colours: frozenset[Colour] = frozenset()


@dataclass
class Node:
    name: str
    children: list[Node] = field(default_factory=list)
    parent: Node | None = None
    made: str = field(init=False, default="here")


class Address(TypedDict, total=False):
    city: str
    number: int


OrderId = NewType("OrderId", str)

NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.timezone.utc)
ID = uuid.UUID(int=7)


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (int, 3),
        (float, 2.5),
        (bool, True),
        (str, "ü"),
        (None, None),
        (Any, {"a": [1]}),
        (dt.datetime, NOON),
        (dt.date, NOON.date()),
        (dt.time, dt.time(12, 30)),
        (dt.timedelta, dt.timedelta(minutes=1.5)),
        (decimal.Decimal, decimal.Decimal("0.10")),
        (uuid.UUID, ID),
        (Colour, Colour.BLUE),
        (Size, Size.SMALL),
        (Literal["a", 1], 1),
        (int | None, None),
        (int | str, "x"),
        (Optional[int], 4),  # noqa: UP045 - the older form
        (Union[int, str], 4),  # noqa: UP007 - the older form
        (list[int], [1, 2]),
        (list, [1, "a"]),
        (Sequence[str], ["a"]),
        (set[int], {1, 2}),
        (tuple[int, ...], (1, 2, 3)),
        (tuple[int, str], (1, "a")),
        (dict[str, Line], {"a": Line("tea")}),
        (dict[int, bool], {1: True}),
        (Mapping[uuid.UUID, int], {ID: 1}),
        (dict, {"a": 1}),
        (list[bytes], [b"\x00\xff"]),
        (Line, Line("tea", decimal.Decimal("2"), frozenset({Colour.RED}))),
        (Node, Node("a", [Node("b", parent=Node("c"))])),
        (Address, {"city": "Bonn"}),
        (OrderId, "o-1"),
        (Annotated[int, "cents"], 5),
        (Progress, Progress(fraction=0.5, message="half")),
        (bytes, b"\x00\x01"),
        (Payload, Payload(data=b"x", content_type="text/plain")),
    ],
)
def test_what_is_written_is_read_back(hint: Any, value: Any) -> None:
    keyed_by_text = {str(key): item for key, item in value.items()} if isinstance(value, dict) else value
    assert decode(encode(keyed_by_text), hint) == value


@pytest.mark.parametrize(
    ("hint", "value", "message"),
    [
        (int, "3", "value: a whole number is needed, not '3'"),
        (int, True, "value: a whole number is needed, not True"),
        (float, "x", "value: a number is needed"),
        (str, 3, "value: text is needed, not 3"),
        (bool, 1, "true or false"),
        (None, 1, "null"),
        (uuid.UUID, "x", "a UUID is needed, not 'x'"),
        (dt.datetime, "yesterday", "ISO 8601"),
        (decimal.Decimal, "dear", "a decimal number"),
        (bytes, "!", "base64"),
        (Colour, "green", "value: 'red' or 'blue' is needed, not 'green'"),
        (Literal["a", 1], True, "'a' or 1"),
        (list[int], {}, "a list"),
        (tuple[int, str], [1], "a list of 2"),
        (dict[str, int], [], "an object"),
        (dict[int, int], {"a": 1}, "keys that are numbers"),
        (list[Line], [{"article": "tea"}, {"article": 3}], r"value\[1\].article: text is needed, not 3"),
        (Line, {}, r"value.article: a value is needed"),
        (Line, "tea", "an object is needed"),
        (Line | None, {"article": 1}, "value.article: text"),
        (dict[str, Line], {"a": {}}, r"value\['a'\].article"),
        (Progress, {"fraction": "x"}, "muster.v1.Progress"),
        (str, "x" * 100, None),
    ],
)
def test_what_does_not_fit_is_named(hint: Any, value: Any, message: str | None) -> None:
    if message is None:
        assert decode(encode(value), hint) == value
        return
    with pytest.raises(PayloadError, match=message):
        decode(encode(value), hint)


def test_unknown_fields_are_passed_over_and_absent_ones_have_their_defaults() -> None:
    assert decode(encode({"article": "tea", "new": 1}), Line) == Line("tea")
    assert decode(encode(3.0), int) == 3
    assert decode(Payload(), Line | None) is None
    assert decode(encode("2026-03-01T12:00:00Z"), dt.datetime) == NOON


def test_protobuf_in_binary_and_as_json() -> None:
    half = Progress(fraction=0.5)
    assert encode(half).content_type == PROTOBUF
    for payload in (
        Payload(data=half.SerializeToString()),
        Payload(data=b'{"fraction":0.5,"new":1}', content_type="application/json"),
    ):
        assert decode(payload, Progress) == half
    for wrong in (Payload(data=b"\xff", content_type=PROTOBUF), Payload(data=b"x", content_type="text/plain")):
        with pytest.raises(PayloadError, match="Progress"):
            decode(wrong, Progress)


def test_one_of_several_types_that_are_not_json() -> None:
    half = Progress(fraction=0.5)
    assert decode(encode(half), Progress | None) == half
    assert decode(encode(b"\x00"), bytes | None) == b"\x00"
    for hint in (Progress | None, bytes | None, None):
        assert decode(Payload(), hint) is None
    assert decode(Payload(), Progress) == Progress()
    assert decode(Payload(), bytes) == b""


@pytest.mark.parametrize("hint", [complex, list[complex], type, "x", Sequence[object()]])
def test_types_that_json_does_not_have_are_refused(hint: Any) -> None:
    with pytest.raises(TypeError):
        reader_for(hint)


def test_values_without_a_json_form() -> None:
    with pytest.raises(TypeError, match="a complex has no JSON form"):
        encode({"a": 1j})
