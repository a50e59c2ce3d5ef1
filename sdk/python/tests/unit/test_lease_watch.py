"""The fence of the worker's own process."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from muster.worker import lease_watch
from muster.worker.lease_watch import LeaseWatch


class Pipe:
    """A session process under a virtual clock that writes its next message at `message_at`."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        self.message_at = float("inf")
        self.passed_at: list[float] = []
        self.watch = LeaseWatch(lambda: self.passed_at.append(self.now))
        monkeypatch.setattr(lease_watch, "monotonic_seconds", lambda: self.now)

    def has_message(self, seconds: float | None) -> bool:
        end = float("inf") if seconds is None else self.now + seconds
        self.now = max(self.now, min(end, self.message_at))
        return self.now >= self.message_at


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> Pipe:
    return Pipe(monkeypatch)


def test_it_falls_once_if_nothing_comes_in_time(pipe: Pipe) -> None:
    pipe.watch.proved(1_013.0)
    pipe.message_at = 1_030.0
    pipe.watch.wait(pipe.has_message)
    assert pipe.passed_at == [1_013.0]
    assert pipe.now == 1_030.0


def test_it_does_not_fall_before_the_first_proof_or_without_a_session(pipe: Pipe) -> None:
    pipe.message_at = 1_020.0
    pipe.watch.wait(pipe.has_message)
    pipe.watch.proved(1_021.0)
    pipe.watch.forget()
    pipe.message_at = 1_040.0
    pipe.watch.wait(pipe.has_message)
    assert pipe.passed_at == []


@pytest.mark.parametrize("is_hogged_in_the_wait", [False, True])
def test_a_message_that_was_not_read_in_time_is_read_first(pipe: Pipe, *, is_hogged_in_the_wait: bool) -> None:
    """A handler that lets no other thread run delays this one, and not the session process."""
    pipe.watch.proved(1_013.0)
    pipe.message_at = 1_005.0
    has_message: Callable[[float | None], bool] = pipe.has_message
    if is_hogged_in_the_wait:
        pipe.message_at = 1_014.0
        looks: list[float | None] = []

        def has_message(seconds: float | None) -> bool:
            looks.append(seconds)
            if len(looks) > 1:
                return pipe.has_message(seconds)
            pipe.now = 1_040.0  # it had waited until 1013, and got its next turn then
            return False
    else:
        pipe.now = 1_040.0
    pipe.watch.wait(has_message)
    assert pipe.passed_at == []
