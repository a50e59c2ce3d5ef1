"""Reads JSON values as type hints say: a reader is made of a hint once, and says where a value does not fit."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import types
import typing
from collections.abc import Callable
from typing import Any, TypeAlias

from google.protobuf.message import Message

from muster.json_scalars import SCALARS, Mismatch, protobuf_reader

Reader: TypeAlias = Callable[[Any, str], Any]

_LISTS: dict[Any, Callable[[list[Any]], Any]] = {
    list: list,
    collections.abc.Sequence: list,
    collections.abc.Iterable: list,
    set: set,
    collections.abc.Set: set,
    frozenset: frozenset,
}
_PAIR = 2
_MAPPINGS = (dict, collections.abc.Mapping)


def reader_for(hint: Any) -> Reader:
    """Makes a reader `(value, path) -> what the hint says`.

    Args:
        hint: `Any`, a scalar, an enum, a dataclass, a TypedDict, a protobuf message, and lists, sets, tuples, mappings,
            unions and literals of those.

    Raises:
        TypeError: The hint is none of those.
    """
    return _Readers().of(hint)


class _Readers:
    """Makes readers; a class that holds itself gets one only once."""

    def __init__(self) -> None:
        self._of_classes: dict[Any, Reader] = {}

    def of(self, hint: Any) -> Reader:
        if isinstance(hint, typing.NewType):
            return self.of(hint.__supertype__)
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            return self.of(arguments[0])
        if origin is not None:
            return self._of_generic(hint, origin, arguments)
        if hint in SCALARS:
            return SCALARS[hint]
        return self._of_class(hint)

    def _of_generic(self, hint: Any, origin: Any, arguments: tuple[Any, ...]) -> Reader:
        if origin is typing.Union or origin is types.UnionType:
            return _union([self.of(argument) for argument in arguments])
        if origin is typing.Literal:
            return _literal(arguments)
        if origin is tuple:
            return self._of_tuple(arguments)
        if origin in _LISTS:
            return _list(self.of(arguments[0]), _LISTS[origin])
        if origin in _MAPPINGS:
            return _mapping(self.of_key(arguments[0]), self.of(arguments[1]))
        raise _unknown(hint)

    def _of_tuple(self, arguments: tuple[Any, ...]) -> Reader:
        if len(arguments) == _PAIR and arguments[1] is Ellipsis:
            return _list(self.of(arguments[0]), tuple)
        return _tuple([self.of(argument) for argument in arguments])

    def of_key(self, hint: Any) -> Reader:
        """Keys are text in JSON, whatever they are in Python."""
        read = self.of(hint)
        return (lambda text, path: read(_number(text, hint, path), path)) if hint in (int, float) else read

    def _of_class(self, hint: Any) -> Reader:
        if hint in _LISTS or hint is tuple:
            return _list(self.of(Any), _LISTS.get(hint, tuple))
        if hint in _MAPPINGS:
            return _mapping(self.of(str), self.of(Any))
        if not isinstance(hint, type):
            raise _unknown(hint)
        if hint in self._of_classes:
            return self._of_classes[hint]
        if issubclass(hint, enum.Enum):
            return _enum(hint)
        if issubclass(hint, Message):
            return protobuf_reader(hint)
        if dataclasses.is_dataclass(hint) or typing.is_typeddict(hint):
            return self._of_fields(hint)
        raise _unknown(hint)

    def _of_fields(self, hint: type) -> Reader:
        readers: dict[str, Reader] = {}

        def read(value: Any, path: str) -> Any:
            return _read_fields(hint, readers, required, value, path)

        self._of_classes[hint] = read
        hints = typing.get_type_hints(hint)
        if dataclasses.is_dataclass(hint):
            fields = [field for field in dataclasses.fields(hint) if field.init]
            required = {field.name for field in fields if _has_no_default(field)}
            readers.update({field.name: self.of(hints[field.name]) for field in fields})
        else:
            required = set(getattr(hint, "__required_keys__", ()))
            readers.update({name: self.of(of) for name, of in hints.items()})
        return read


def _read_fields(hint: type, readers: dict[str, Reader], required: set[str], value: Any, path: str) -> Any:
    """Fields that the class does not know are passed over: whoever sends them may be newer."""
    if not isinstance(value, dict):
        raise Mismatch(path, "an object", value)
    missing = sorted(required - value.keys())
    if missing:
        raise Mismatch(f"{path}.{missing[0]}", "a value")
    return hint(**{name: read(value[name], f"{path}.{name}") for name, read in readers.items() if name in value})


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _union(readers: list[Reader]) -> Reader:
    def read(value: Any, path: str) -> Any:
        failures: list[Mismatch] = []
        for one in readers:
            try:
                return one(value, path)
            except Mismatch as error:
                failures.append(error)
        # Where the value is of the right kind and only a part of it is wrong, that part is worth naming.
        raise max(failures, key=lambda failure: len(failure.path))

    return read


def _literal(values: tuple[Any, ...]) -> Reader:
    def read(value: Any, path: str) -> Any:
        for one in values:
            if type(one) is type(value) and one == value:
                return one
        raise Mismatch(path, " or ".join(map(repr, values)), value)

    return read


def _enum(hint: type[enum.Enum]) -> Reader:
    def read(value: Any, path: str) -> Any:
        try:
            return hint(value)
        except ValueError:
            raise Mismatch(path, " or ".join(repr(member.value) for member in hint), value) from None

    return read


def _list(read_item: Reader, make: Callable[[list[Any]], Any]) -> Reader:
    def read(value: Any, path: str) -> Any:
        if not isinstance(value, list):
            raise Mismatch(path, "a list", value)
        return make([read_item(item, f"{path}[{place}]") for place, item in enumerate(value)])

    return read


def _tuple(readers: list[Reader]) -> Reader:
    def read(value: Any, path: str) -> Any:
        if not isinstance(value, list) or len(value) != len(readers):
            raise Mismatch(path, f"a list of {len(readers)}", value)
        pairs = zip(readers, value, strict=True)
        return tuple(one(item, f"{path}[{place}]") for place, (one, item) in enumerate(pairs))

    return read


def _mapping(read_key: Reader, read_item: Reader) -> Reader:
    def read(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise Mismatch(path, "an object", value)
        return {read_key(key, path): read_item(item, f"{path}[{key!r}]") for key, item in value.items()}

    return read


def _number(text: str, hint: Any, path: str) -> Any:
    try:
        return hint(text)
    except ValueError:
        raise Mismatch(path, "keys that are numbers", text) from None


def _unknown(hint: Any) -> TypeError:
    return TypeError(f"{hint!r} is no type that JSON can be read as: use dataclasses, or Any")
