"""Analyzes type hints: the JSON form of their values, and results derived from it."""

from __future__ import annotations

import collections.abc
import dataclasses
import enum
import types
import typing
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

from google.protobuf.message import Message

from muster.json_models import Models, models_of
from muster.json_scalars import SCALARS

FormT = TypeVar("FormT")

_LISTS: dict[Any, Callable[[list[Any]], Any]] = {
    list: list,
    collections.abc.Sequence: list,
    collections.abc.Iterable: list,
    set: set,
    collections.abc.Set: set,
    frozenset: frozenset,
}
_MAPPINGS = (dict, collections.abc.Mapping)
_PAIR = 2


class Hints(ABC, Generic[FormT]):
    """Derives a result from a type hint, and first from its parts."""

    def of(self, hint: Any) -> FormT:
        """Returns the result for a hint.

        Args:
            hint: `Any`, a scalar, an enum, a dataclass, a TypedDict, a protobuf message, a pydantic model, a msgspec
                struct, and lists, sets, tuples, mappings, unions and literals of those.

        Raises:
            TypeError: The hint is of another kind.
        """
        if isinstance(hint, typing.NewType):
            return self.of(hint.__supertype__)
        origin, arguments = typing.get_origin(hint), typing.get_args(hint)
        if origin is typing.Annotated:
            return self.of(arguments[0])
        models = models_of(hint)
        if models is not None:
            return self.model(hint, models)
        if origin is not None:
            return self._of_generic(hint, origin, arguments)
        if hint in SCALARS:
            return self.scalar(hint)
        return self._of_class(hint)

    @abstractmethod
    def scalar(self, hint: Any) -> FormT:
        """The result for a type in `SCALARS`."""

    @abstractmethod
    def union(self, forms: Sequence[FormT]) -> FormT:
        """The result for a union of types."""

    @abstractmethod
    def literal(self, values: Sequence[Any]) -> FormT:
        """The result for a literal with these values."""

    @abstractmethod
    def enum(self, hint: type[enum.Enum]) -> FormT:
        """The result for an enum, by its members' values."""

    @abstractmethod
    def sequence(self, item: FormT, make: Callable[[list[Any]], Any]) -> FormT:
        """The result for a list of any length."""

    @abstractmethod
    def fixed(self, items: Sequence[FormT]) -> FormT:
        """The result for a tuple of fixed length."""

    @abstractmethod
    def mapping(self, key: Any, item: FormT) -> FormT:
        """The result for an object with any keys; `key` is their hint."""

    @abstractmethod
    def message(self, hint: type[Message]) -> FormT:
        """The result for a protobuf message in its JSON form."""

    @abstractmethod
    def model(self, hint: Any, models: Models) -> FormT:
        """The result for a class of pydantic or msgspec."""

    @abstractmethod
    def record(self, hint: type, fields: Callable[[], Mapping[str, Any]], required: frozenset[str]) -> FormT:
        """The result for a dataclass or a TypedDict; `fields` returns the hints, which may name the type itself."""

    def _of_generic(self, hint: Any, origin: Any, arguments: tuple[Any, ...]) -> FormT:
        if origin is typing.Union or origin is types.UnionType:
            return self.union([self.of(argument) for argument in arguments])
        if origin is typing.Literal:
            return self.literal(arguments)
        if origin is tuple:
            if len(arguments) == _PAIR and arguments[1] is Ellipsis:
                return self.sequence(self.of(arguments[0]), tuple)
            return self.fixed([self.of(argument) for argument in arguments])
        if origin in _LISTS:
            return self.sequence(self.of(arguments[0]), _LISTS[origin])
        if origin in _MAPPINGS:
            return self.mapping(arguments[0], self.of(arguments[1]))
        raise _unknown(hint)

    def _of_class(self, hint: Any) -> FormT:
        if hint in _LISTS or hint is tuple:
            return self.sequence(self.of(Any), _LISTS.get(hint, tuple))
        if hint in _MAPPINGS:
            return self.mapping(str, self.of(Any))
        if not isinstance(hint, type):
            raise _unknown(hint)
        if issubclass(hint, enum.Enum):
            return self.enum(hint)
        if issubclass(hint, Message):
            return self.message(hint)
        return self._of_record(hint)

    def _of_record(self, hint: type) -> FormT:
        if typing.is_typeddict(hint):
            required = frozenset(getattr(hint, "__required_keys__", ()))
            return self.record(hint, lambda: typing.get_type_hints(hint), required)
        if not dataclasses.is_dataclass(hint):
            raise _unknown(hint)
        given = [field for field in dataclasses.fields(hint) if field.init]
        required = frozenset(field.name for field in given if _has_no_default(field))

        def fields() -> dict[str, Any]:
            hints = typing.get_type_hints(hint)
            return {field.name: hints[field.name] for field in given}

        return self.record(hint, fields, required)


def _has_no_default(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


def _unknown(hint: Any) -> TypeError:
    return TypeError(f"{hint!r} is no type that JSON can be read as: use a dataclass, a pydantic model, or Any")
