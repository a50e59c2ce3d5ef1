"""A worker before its start."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import pytest

from muster import JobDefinition, Worker
from muster.payloads import encode
from muster.worker.handler_entry import HandlerEntry


def test_handlers_are_registered_once_and_by_name() -> None:
    worker = Worker()

    @worker.handler()
    def add(ctx, value):
        return value

    worker.add_handler("other", add, min_version=2, max_version=3)
    assert [(handler.name, handler.min_version, handler.max_version) for handler in worker._offers] == [
        ("add", 0, 0),
        ("other", 2, 3),
    ]
    with pytest.raises(ValueError, match="add"):
        worker.add_handler("add", add)
    with pytest.raises(ValueError, match="name"):
        worker.add_handler("", add)


@dataclass
class Order:
    article: str


class Callables:
    def method(self, ctx, value: Order):
        return value

    async def __call__(self, ctx, value: int):
        return value


def test_what_a_handler_is_read_from() -> None:
    def typed(ctx: NotThere, value: Order) -> None:  # noqa: F821 - only the input's hint matters
        pass

    order = encode({"article": "tea"})
    for function in (typed, Callables().method, functools.partial(typed)):
        entry = HandlerEntry.of(function)
        assert (entry.read_input(order), entry.is_async) == (Order("tea"), False)
    called = HandlerEntry.of(Callables())
    assert (called.read_input(encode(3)), called.is_async) == (3, True)
    assert HandlerEntry.of(lambda *_: None).read_input(order) == {"article": "tea"}


def test_handlers_that_can_not_be_called_are_refused() -> None:
    def one(ctx):
        pass

    def unknown(ctx, value: Missing):  # noqa: F821
        pass

    def unreadable(ctx, value: Worker):
        pass

    for function, why in ((one, "two arguments"), (unknown, "Missing"), (unreadable, "Worker")):
        with pytest.raises(TypeError, match=why):
            Worker().add_handler("x", function)


@pytest.mark.parametrize("slots", [0, -1, 10_001])
def test_slots_are_bounded(slots: int) -> None:
    with pytest.raises(ValueError, match="slots"):
        Worker(slots=slots)
    with pytest.raises(ValueError, match="slots"):
        Worker().resize(slots)


def test_a_worker_without_handlers_does_not_start() -> None:
    with pytest.raises(ValueError, match="no handler"):
        Worker().start()


def test_definitions_are_checked_when_they_are_added() -> None:
    worker = Worker(namespace="shop")
    worker.define("add", run_timeout=5)
    with pytest.raises(ValueError, match="'add' already"):
        worker.define("add")
    with pytest.raises(TypeError, match="option 'input_schema' of a definition: did you mean 'input_json_schema'"):
        worker.define("other", input_schema={})  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"definition=JobDefinition\(demands="):
        worker.define("other", demands=None)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="complex"):
        worker.define("other", input_type=complex)


def test_a_definition_from_another_namespace_is_applied_in_that_of_the_worker() -> None:
    worker = Worker(namespace="shop")
    worker.define("add", definition=JobDefinition(name="other", namespace="staging", priority=3))
    ((definition, _),) = worker._definitions._wanted.values()
    assert (definition.name, definition.namespace, definition.priority) == ("add", "shop", 3)
