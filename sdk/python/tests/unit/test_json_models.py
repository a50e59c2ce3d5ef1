"""pydantic models and msgspec structs as inputs and results."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar

import msgspec
import pydantic
import pytest

from muster.client.definition import definition_message
from muster.payloads import PayloadError, decode, encode
from muster.schemas import json_schema
from muster.testing import run_handler

ItemT = TypeVar("ItemT")
NOON = dt.datetime(2026, 3, 1, 12, 0, tzinfo=dt.timezone.utc)


class Line(pydantic.BaseModel):
    price: float
    colours: tuple[str, ...] = ()


class Order(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(strict=True)

    article: str = pydantic.Field(alias="articleName")
    made: dt.datetime = NOON
    lines: list[Line] = []
    parts: list[Order] = []


class Page(pydantic.BaseModel, Generic[ItemT]):
    items: list[ItemT]


class Point(msgspec.Struct):
    x: int
    made: dt.datetime = NOON
    raw: bytes = b""
    weights: dict[int, float] = {}
    near: list[Point] = []

    def __post_init__(self) -> None:
        if self.x < 0:
            raise ValueError("x is negative")


class Box(msgspec.Struct, Generic[ItemT]):
    item: ItemT


class Circle(msgspec.Struct, tag=True):
    radius: int


class Square(msgspec.Struct, tag=True):
    side: int


@pydantic.dataclasses.dataclass
class Checked:
    count: Annotated[int, pydantic.Field(gt=0)]


@dataclass
class Mixed:
    order: Order
    points: list[Point]
    page: Page[Line] | None = None
    box: Box[int] | None = None


@dataclass
class Span:
    first: int
    last: int

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError("it ends before it begins")


ORDER = Order(articleName="tea", lines=[Line(price=2, colours=("red",))], parts=[Order(articleName="cup")])
POINT = Point(3, raw=b"\x00\xff", weights={1: 0.5}, near=[Point(4)])


@pytest.mark.parametrize(
    ("hint", "value"),
    [
        (Order, ORDER),
        (list[Order], [ORDER]),
        (dict[str, Order | None], {"a": ORDER, "b": None}),
        (pydantic.RootModel[list[int]], pydantic.RootModel[list[int]]([1])),
        (Page[Line], Page[Line](items=[Line(price=1)])),
        (Point, POINT),
        (tuple[Point, ...], (POINT,)),
        (Box[int], Box(3)),
        (Circle | Square, Square(2)),
        (Checked, Checked(1)),
        (Mixed, Mixed(ORDER, [POINT], Page[Line](items=[]), Box(1))),
    ],
)
def test_what_is_written_is_read_back(hint: Any, value: Any) -> None:
    assert decode(encode(value), hint) == value


@pytest.mark.parametrize(
    ("hint", "value", "message"),
    [
        (Order, {"articleName": 3}, "value.articleName: Input should be a valid string"),
        (Order, {"article": "tea"}, "value.articleName: Field required"),
        (
            Order,
            {"articleName": "tea", "lines": [{"price": 1}, {"price": "x"}, {}, {}, {}]},
            r"value.lines\[1\].price: Input should be .*; value.lines\[2\].price: Field required; .*; and 1 more$",
        ),
        (list[Order], [{}], r"value\[0\].articleName: Field required"),
        (Order, [], "value: Input should be an object"),
        (Point, {"x": "3"}, "value.x: Expected `int`, got `str`"),
        (Point, {}, "value: Object missing required field `x`"),
        (Point, {"x": 1, "near": [{"x": -1}]}, r"value.near\[0\]: x is negative"),
        (Point, {"x": 1, "weights": {"a": 1}}, "value.weights: Expected `int`, got `str`"),
        (Box[int], {"item": "x"}, "value.item: Expected `int`, got `str`"),
        (Mixed, {"order": {}, "points": []}, "value.order.articleName: Field required"),
        (Checked, {"count": 0}, "value.count: Input should be greater than 0"),
        (list[Span], [{"first": 2, "last": 1}], r"value\[0\]: it ends before it begins"),
    ],
)
def test_what_does_not_fit_is_named(hint: Any, value: Any, message: str) -> None:
    with pytest.raises(PayloadError, match=f"^{message}"):
        decode(encode(value), hint)


@pytest.mark.parametrize("hint", [Order, Point])
def test_bytes_are_no_model(hint: Any) -> None:
    with pytest.raises(PayloadError, match=r"value: .*b(ytes|'x')"):
        decode(encode(b"x"), hint)


def test_values_that_json_does_not_have_are_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        encode(Line(price=float("nan")))
    with pytest.raises(TypeError):
        encode(Box(1j))


def test_an_input_that_a_model_refuses_fails_its_job_for_good() -> None:
    def price(_ctx: Any, order: Order) -> Line:
        return Line(price=len(order.article))

    def move(_ctx: Any, point: Point) -> Point:
        return Point(point.x + 1)

    assert run_handler(price, ORDER).result == {"price": 3.0, "colours": []}
    assert run_handler(move, Point(1)).result["x"] == 2
    for handler, value, message in (
        (price, {"articleName": 1}, "input.articleName: Input should be a valid string"),
        (move, {"x": "a"}, "input.x: Expected `int`, got `str`"),
    ):
        failure = run_handler(handler, value).failure
        assert failure is not None
        assert (failure.message, failure.non_retryable) == (message, True)


def test_the_schema_is_that_of_the_package() -> None:
    assert json_schema(Order) == Order.model_json_schema()
    assert json_schema(Point) == msgspec.json.schema(Point)
    made = definition_message("d", "", {"input_type": Order, "output_type": Point})
    assert '"articleName"' in made.input_json_schema
    assert '"contentEncoding"' in made.output_json_schema


def test_references_of_a_schema_lead_to_its_own_parts() -> None:
    schema = json_schema(Mixed)

    def find(reference: str) -> Any:
        found: Any = schema
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]
        return found

    def references(part: Any) -> list[str]:
        if isinstance(part, dict):
            own = [part["$ref"]] if "$ref" in part else []
            return own + [one for inner in part.values() for one in references(inner)]
        return [one for inner in part for one in references(inner)] if isinstance(part, list) else []

    assert set(schema["$defs"]) == {"Mixed", "Order", "Point", "Page_Line_", "Box"}
    found = [find(reference) for reference in references(schema)]
    assert {part["title"] for part in found if "title" in part} >= {"Order", "Point", "Page[Line]", "Line", "Box[int]"}


def test_neither_package_is_imported_without_need() -> None:
    program = "import sys, muster; sys.exit(bool({'pydantic', 'pydantic_core', 'msgspec'} & sys.modules.keys()))"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
