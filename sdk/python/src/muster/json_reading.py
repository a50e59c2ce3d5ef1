"""Reads JSON values by type hints. A reader is made once per hint and names the place where a value does not fit."""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from google.protobuf.message import Message

from muster.json_hints import Hints
from muster.json_models import Models, violation_of
from muster.json_scalars import SCALARS, Mismatch, protobuf_reader

Reader: TypeAlias = Callable[[Any, str], Any]


def reader_for(hint: Any) -> Reader:
    """Makes a reader `(value, path) -> value of the type`; see `muster.json_hints.Hints.of`.

    Raises:
        TypeError: The hint is not supported.
    """
    return _Readers().of(hint)


class _Readers(Hints[Reader]):
    """Makes readers, one per class, so that a class may contain itself."""

    def __init__(self) -> None:
        self._of_records: dict[type, Reader] = {}

    def scalar(self, hint: Any) -> Reader:
        return SCALARS[hint]

    def union(self, forms: Sequence[Reader]) -> Reader:
        def read(value: Any, path: str) -> Any:
            failures: list[Mismatch] = []
            for one in forms:
                try:
                    return one(value, path)
                except Mismatch as error:
                    failures.append(error)
            # The longest path belongs to the type that fits best: only a part of the value is wrong there.
            raise max(failures, key=lambda failure: len(failure.path))

        return read

    def literal(self, values: Sequence[Any]) -> Reader:
        def read(value: Any, path: str) -> Any:
            for one in values:
                if type(one) is type(value) and one == value:
                    return one
            raise Mismatch(path, " or ".join(map(repr, values)), value)

        return read

    def enum(self, hint: type[enum.Enum]) -> Reader:
        def read(value: Any, path: str) -> Any:
            try:
                return hint(value)
            except ValueError:
                raise Mismatch(path, " or ".join(repr(member.value) for member in hint), value) from None

        return read

    def sequence(self, item: Reader, make: Callable[[list[Any]], Any]) -> Reader:
        def read(value: Any, path: str) -> Any:
            if not isinstance(value, list):
                raise Mismatch(path, "a list", value)
            return make([item(one, f"{path}[{index}]") for index, one in enumerate(value)])

        return read

    def fixed(self, items: Sequence[Reader]) -> Reader:
        def read(value: Any, path: str) -> Any:
            if not isinstance(value, list) or len(value) != len(items):
                raise Mismatch(path, f"a list of {len(items)}", value)
            pairs = zip(items, value, strict=True)
            return tuple(item(one, f"{path}[{index}]") for index, (item, one) in enumerate(pairs))

        return read

    def mapping(self, key: Any, item: Reader) -> Reader:
        read_key = self._key(key)

        def read(value: Any, path: str) -> Any:
            if not isinstance(value, dict):
                raise Mismatch(path, "an object", value)
            return {read_key(name, path): item(one, f"{path}[{name!r}]") for name, one in value.items()}

        return read

    def message(self, hint: type[Message]) -> Reader:
        return protobuf_reader(hint)

    def model(self, hint: Any, models: Models) -> Reader:
        return functools.partial(models.read, hint)

    def record(self, hint: type, fields: Callable[[], Mapping[str, Any]], required: frozenset[str]) -> Reader:
        if hint in self._of_records:
            return self._of_records[hint]
        readers: dict[str, Reader] = {}

        def read(value: Any, path: str) -> Any:
            return _read_record(hint, readers, required, value, path)

        self._of_records[hint] = read
        readers.update({name: self.of(of) for name, of in fields().items()})
        return read

    def _key(self, hint: Any) -> Reader:
        """JSON keys are strings, whatever their Python type."""
        read = self.of(hint)
        return (lambda text, path: read(_number(text, hint, path), path)) if hint in (int, float) else read


def _read_record(hint: type, readers: dict[str, Reader], required: frozenset[str], value: Any, path: str) -> Any:
    """Ignores fields that the class does not have: the sender may be newer."""
    if not isinstance(value, dict):
        raise Mismatch(path, "an object", value)
    missing = sorted(required - value.keys())
    if missing:
        raise Mismatch(f"{path}.{missing[0]}", "a value")
    fields = {name: read(value[name], f"{path}.{name}") for name, read in readers.items() if name in value}
    try:
        return hint(**fields)
    except ValueError as error:  # of __post_init__, or of a dataclass of pydantic
        raise violation_of(error, path) from error


def _number(text: str, hint: Any, path: str) -> Any:
    try:
        return hint(text)
    except ValueError:
        raise Mismatch(path, "keys that are numbers", text) from None
