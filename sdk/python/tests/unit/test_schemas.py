"""Schemas of type hints."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass, field
from typing import Any, Literal, TypedDict

import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorSet

from muster.client.definition import definition_message
from muster.json_scalars import SCALARS
from muster.schemas import json_schema, protobuf_schema
from muster.v1.job_pb2 import Progress
from muster.worker.v1.session_pb2 import ProgressUpdate


class Colour(enum.Enum):
    RED = "red"


class Address(TypedDict, total=False):
    city: str


@dataclass
class Node:
    name: str
    children: list[Node] = field(default_factory=list)
    colour: Colour | None = None


@pytest.mark.parametrize(
    ("hint", "schema"),
    [
        (Any, {}),
        (int, {"type": "integer"}),
        (dt.datetime, {"type": "string", "format": "date-time"}),
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Literal["a", 1], {"enum": ["a", 1]}),
        (Colour, {"enum": ["red"]}),
        (list[str], {"type": "array", "items": {"type": "string"}}),
        (dict[str, int], {"type": "object", "additionalProperties": {"type": "integer"}}),
        (
            tuple[int, str],
            {
                "type": "array",
                "prefixItems": [{"type": "integer"}, {"type": "string"}],
                "minItems": 2,
                "maxItems": 2,
            },
        ),
        (Progress, {"type": "object"}),
        (
            Address,
            {
                "$ref": "#/$defs/Address",
                "$defs": {"Address": {"type": "object", "properties": {"city": {"type": "string"}}, "required": []}},
            },
        ),
    ],
)
def test_json(hint: Any, schema: dict[str, Any]) -> None:
    assert json_schema(hint) == schema


def test_a_class_that_holds_itself() -> None:
    node = {"$ref": "#/$defs/Node"}
    assert json_schema(Node) == {
        **node,
        "$defs": {
            "Node": {
                "type": "object",
                "properties": {
                    "name": {"type": "string"},
                    "children": {"type": "array", "items": node},
                    "colour": {"anyOf": [{"enum": ["red"]}, {"type": "null"}]},
                },
                "required": ["name"],
            }
        },
    }


def test_classes_of_one_name_are_distinguished() -> None:
    other = dataclass(type("Address", (), {"__annotations__": {"street": "str"}}))
    schema = json_schema(tuple[Address, other])
    assert [item["$ref"] for item in schema["prefixItems"]] == ["#/$defs/Address", "#/$defs/Address-2"]


def test_every_scalar_has_one() -> None:
    for hint in SCALARS:
        json_schema(hint)
    with pytest.raises(TypeError):
        json_schema(complex)


def test_protobuf_with_all_that_it_imports() -> None:
    schema = protobuf_schema(ProgressUpdate)
    assert schema.message_type == "muster.worker.v1.ProgressUpdate"
    names = [file.name for file in FileDescriptorSet.FromString(schema.file_descriptor_set).file]
    assert names[-1] == "muster/worker/v1/session.proto"
    assert {"muster/v1/job.proto", "google/protobuf/timestamp.proto"} < set(names)
    assert len(set(names)) == len(names)


def test_in_a_definition() -> None:
    made = definition_message("d", "", {"input_type": Address, "output_type": Progress})
    assert '"city"' in made.input_json_schema
    assert made.output_protobuf_schema.message_type == "muster.v1.Progress"
