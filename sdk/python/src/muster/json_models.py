"""Classes of pydantic and of msgspec, which write, check and describe their own JSON.

Neither package is needed: a class is recognized by the protocol of its package, which is imported by then.
"""

from __future__ import annotations

import json
import re
import sys
import typing
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

from muster.json_scalars import Mismatch, Violation

_MAX_FAULTS = 3
# The end of msgspec's messages: "Expected `int`, got `str` - at `$.lines[2].price`", "... - at `key` in `$.prices`".
_MSGSPEC_PLACE = re.compile(r" - at (?:`key` in )?`\$([^`]*)`$")


class Models(ABC):
    """What all classes of one package have in common."""

    @abstractmethod
    def write(self, value: Any) -> Any:
        """Returns an instance as a value that `json` can write."""

    @abstractmethod
    def read(self, hint: Any, value: Any, path: str) -> Any:
        """Makes an instance of a JSON value.

        Args:
            hint: The class.
            value: The JSON value.
            path: Location of the value, such as "input.lines[2]".

        Raises:
            Mismatch: The class refuses the value. The message has the path and the reason of each of the first three
                faults.
        """

    @abstractmethod
    def schema(self, hint: Any, root: str) -> dict[str, Any]:
        """Returns the JSON Schema of the accepted values.

        Args:
            hint: The class.
            root: Where the schema will stand, such as "#/$defs/Order": its references begin with it.
        """


def models_of(hint: Any) -> Models | None:
    """Returns how a class, also a generic one, is treated. None: it belongs to neither package."""
    origin = typing.get_origin(hint) or hint
    if hasattr(origin, "model_validate_json") and hasattr(origin, "model_json_schema"):
        return _PYDANTIC
    return _MSGSPEC if hasattr(origin, "__struct_fields__") else None


def violation_of(error: ValueError, path: str) -> Violation:
    """Describes why a class refuses a value, each fault by its path and reason."""
    pydantic = sys.modules.get("pydantic_core")
    if pydantic is None or not isinstance(error, pydantic.ValidationError):
        return Violation(path, str(error))
    faults = error.errors()
    return _violation([(path + _place(fault["loc"]), fault["msg"]) for fault in faults])


class _Pydantic(Models):
    """By alias, because validation and schema take aliases, too."""

    def write(self, value: Any) -> Any:
        return value.model_dump(mode="json", by_alias=True)

    def read(self, hint: Any, value: Any, path: str) -> Any:
        if isinstance(value, bytes):
            raise Mismatch(path, "JSON", value)
        try:
            # As JSON: a strict model takes a date or a tuple from JSON, and not from a Python string or list.
            return hint.model_validate_json(json.dumps(value))
        except ValueError as error:
            raise violation_of(error, path) from error

    def schema(self, hint: Any, root: str) -> dict[str, Any]:
        found: dict[str, Any] = hint.model_json_schema(ref_template=f"{root}/$defs/{{model}}")
        return found


class _Msgspec(Models):
    """All imports are late: only programs with structs have the package."""

    def write(self, value: Any) -> Any:
        import msgspec  # noqa: PLC0415

        return msgspec.to_builtins(value, str_keys=True)

    def read(self, hint: Any, value: Any, path: str) -> Any:
        import msgspec  # noqa: PLC0415

        try:
            return msgspec.convert(value, hint, str_keys=True)
        except msgspec.ValidationError as error:
            text = str(error)
            found = _MSGSPEC_PLACE.search(text)
            reason, place = (text, "") if found is None else (text[: found.start()], found[1])
            raise Violation(path + place, reason) from error

    def schema(self, hint: Any, root: str) -> dict[str, Any]:
        import msgspec  # noqa: PLC0415

        (schema,), parts = msgspec.json.schema_components((hint,), ref_template=f"{root}/$defs/{{name}}")
        return {**schema, "$defs": parts}


def _violation(faults: Sequence[tuple[str, str]]) -> Violation:
    (path, reason), *others = faults[:_MAX_FAULTS]
    more = len(faults) - _MAX_FAULTS
    texts = [reason, *(f"{place}: {why}" for place, why in others), *([f"and {more} more"] if more > 0 else [])]
    return Violation(path, "; ".join(texts))


def _place(location: Sequence[str | int]) -> str:
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)


_PYDANTIC = _Pydantic()
_MSGSPEC = _Msgspec()
