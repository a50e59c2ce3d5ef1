"""Calls as values: built here, sent by the blocking or the asynchronous client."""

from __future__ import annotations

import functools
import inspect
import uuid
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from google.protobuf.message import Message

if TYPE_CHECKING:
    from muster.client.following import Following

ResultT = TypeVar("ResultT")
ItemT = TypeVar("ItemT")
MethodT = TypeVar("MethodT", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Scope:
    """The parts that all calls of a client share.

    Attributes:
        namespace: Empty: "default".
    """

    namespace: str


@dataclass(frozen=True, slots=True)
class Method:
    """A method of a service of the contract."""

    service: str
    name: str
    reply: type[Message]

    @property
    def path(self) -> str:
        """The method's gRPC path."""
        return f"/muster.v1.{self.service}/{self.name}"


@dataclass(frozen=True, slots=True)
class Call(Generic[ResultT]):
    """One call.

    Attributes:
        method: The method to call.
        request: The request. It has a request id if a repetition would do harm otherwise.
        read: Extracts the result from the reply.
        timeout: Seconds for all tries together. None: the client's.
        is_patient: Whether the number of tries is unlimited within the timeout.
        submits: The definitions of the submitted jobs.
    """

    method: Method
    request: Message
    read: Callable[[Any], ResultT]
    timeout: float | None = None
    is_patient: bool = False
    submits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Items(Generic[ItemT]):
    """The items of one page."""

    items: Sequence[ItemT]


# Several calls: a generator that yields the next call and receives the reply.
Steps: TypeAlias = Generator["Call[Any]", Any, ResultT]
Pages: TypeAlias = Generator["Call[Any] | Items[ItemT] | Following[ItemT]", Any, None]


def described_by(build: Callable[..., Any]) -> Callable[[MethodT], MethodT]:
    """Gives a method the name, parameters and docstring of the function that builds its calls."""

    def describe(method: MethodT) -> MethodT:
        functools.update_wrapper(method, build)
        signature = inspect.signature(build)
        own = inspect.Parameter("self", inspect.Parameter.POSITIONAL_ONLY)
        parameters = [own, *list(signature.parameters.values())[1:]]
        described = signature.replace(parameters=parameters, return_annotation=inspect.Signature.empty)
        method.__signature__ = described  # type: ignore[attr-defined]
        return method

    return describe


def new_id(request_id: str) -> str:
    """Returns the request id of a call: the caller's, or a new one."""
    return request_id or str(uuid.uuid4())


def whole(reply: ItemT) -> ItemT:
    """Returns the reply unchanged."""
    return reply
