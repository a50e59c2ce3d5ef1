"""Schemas of type hints, for definitions: with them the control plane refuses inputs that a handler could not read."""

from __future__ import annotations

import datetime as dt
import decimal
import enum
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import Message

from muster.json_hints import Hints
from muster.json_models import Models, models_of
from muster.v1.job_definition_pb2 import ProtobufSchema

JsonSchema: TypeAlias = dict[str, Any]

_SCALARS: dict[Any, JsonSchema] = {
    Any: {},
    object: {},
    None: {"type": "null"},
    type(None): {"type": "null"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    str: {"type": "string"},
    bytes: {"type": "string", "contentEncoding": "base64"},
    dt.datetime: {"type": "string", "format": "date-time"},
    dt.date: {"type": "string", "format": "date"},
    dt.time: {"type": "string", "format": "time"},
    dt.timedelta: {"type": "number"},
    decimal.Decimal: {"type": ["string", "number"]},
    uuid.UUID: {"type": "string", "format": "uuid"},
}


def json_schema(hint: Any) -> JsonSchema:
    """Returns the JSON Schema (draft 2020-12) of the inputs that a handler with this hint accepts.

    Unknown fields are allowed, because reading ignores them, unless a pydantic model or a msgspec struct forbids them.

    Raises:
        TypeError: The hint is not supported; see `muster.json_hints.Hints.of`.
    """
    models = models_of(hint)
    if models is not None:
        return models.schema(hint, "#")
    schemas = _Schemas()
    schema = schemas.of(hint)
    return {**schema, "$defs": schemas.definitions} if schemas.definitions else schema


def protobuf_schema(message: type[Message]) -> ProtobufSchema:
    """Returns the schema of a protobuf message, for a definition."""
    files: dict[str, FileDescriptor] = {}
    _collect(message.DESCRIPTOR.file, files)
    descriptors = FileDescriptorSet()
    for file in files.values():
        file.CopyToProto(descriptors.file.add())
    return ProtobufSchema(
        file_descriptor_set=descriptors.SerializeToString(deterministic=True),
        message_type=message.DESCRIPTOR.full_name,
    )


def _collect(file: FileDescriptor, files: dict[str, FileDescriptor]) -> None:
    """Adds a file after all files that it imports."""
    if file.name not in files:
        for imported in file.dependencies:
            _collect(imported, files)
        files[file.name] = file


class _Schemas(Hints[JsonSchema]):
    """Makes schemas. Classes become entries of `$defs`, so that a class may contain itself."""

    def __init__(self) -> None:
        self.definitions: dict[str, JsonSchema] = {}
        self._names: dict[Any, str] = {}

    def scalar(self, hint: Any) -> JsonSchema:
        return dict(_SCALARS[hint])

    def union(self, forms: Sequence[JsonSchema]) -> JsonSchema:
        return {"anyOf": list(forms)}

    def literal(self, values: Sequence[Any]) -> JsonSchema:
        return {"enum": list(values)}

    def enum(self, hint: type[enum.Enum]) -> JsonSchema:
        return {"enum": [member.value for member in hint]}

    def sequence(self, item: JsonSchema, make: Callable[[list[Any]], Any]) -> JsonSchema:  # noqa: ARG002
        return {"type": "array", "items": item}

    def fixed(self, items: Sequence[JsonSchema]) -> JsonSchema:
        return {"type": "array", "prefixItems": list(items), "minItems": len(items), "maxItems": len(items)}

    def mapping(self, key: Any, item: JsonSchema) -> JsonSchema:
        self.of(key)
        return {"type": "object", "additionalProperties": item}

    def message(self, hint: type[Message]) -> JsonSchema:  # noqa: ARG002
        return {"type": "object"}

    def model(self, hint: Any, models: Models) -> JsonSchema:
        if hint not in self._names:
            self._names[hint] = name = self._free_name(hint.__name__)
            self.definitions[name] = models.schema(hint, f"#/$defs/{name}")
        return {"$ref": f"#/$defs/{self._names[hint]}"}

    def record(self, hint: type, fields: Callable[[], Mapping[str, Any]], required: frozenset[str]) -> JsonSchema:
        if hint not in self._names:
            self._names[hint] = name = self._free_name(hint.__name__)
            schema = self.definitions[name] = {"type": "object"}
            schema["properties"] = {field: self.of(of) for field, of in fields().items()}
            schema["required"] = sorted(required)
        return {"$ref": f"#/$defs/{self._names[hint]}"}

    def _free_name(self, name: str) -> str:
        name = re.sub(r"\W", "_", name)  # that of Page[Order] has brackets, which references may not have
        number = sum(known.partition("-")[0] == name for known in self.definitions)
        return name if number == 0 else f"{name}-{number + 1}"
