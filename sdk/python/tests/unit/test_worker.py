"""What can be said of a worker before it is started."""

from __future__ import annotations

import pytest

from muster import Worker


def test_handlers_are_registered_once_and_by_name() -> None:
    worker = Worker()

    @worker.handler()
    def add(ctx, value):
        return value

    worker.add_handler("other", add, min_version=2, max_version=3)
    assert [(handler.name, handler.min_version, handler.max_version) for handler in worker._request.handlers] == [
        ("add", 0, 0),
        ("other", 2, 3),
    ]
    with pytest.raises(ValueError, match="add"):
        worker.add_handler("add", add)
    with pytest.raises(ValueError, match="name"):
        worker.add_handler("", add)


def test_asynchronous_handlers_are_refused() -> None:
    async def handler(ctx, value):
        return value

    with pytest.raises(TypeError, match="asynchronous"):
        Worker().add_handler("x", handler)


@pytest.mark.parametrize("slots", [0, -1, 10_001])
def test_slots_are_bounded(slots: int) -> None:
    with pytest.raises(ValueError, match="slots"):
        Worker(slots=slots)
    with pytest.raises(ValueError, match="slots"):
        Worker().resize(slots)


def test_a_worker_without_handlers_does_not_start() -> None:
    with pytest.raises(ValueError, match="no handler"):
        Worker().start()
