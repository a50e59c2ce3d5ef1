"""Conversion of exceptions to failures."""

from __future__ import annotations

import asyncio
import math
import queue
import subprocess
import sys

import pytest

from muster.durations import to_seconds
from muster.errors import InfrastructureError, NonRetryableError, RetryLater, WaitsForChildren
from muster.payloads import encode
from muster.v1.failure_pb2 import FAILURE_CAUSE_APPLICATION, FAILURE_CAUSE_INFRASTRUCTURE, Failure
from muster.worker.attempt_runner import AttemptRunner
from muster.worker.failures import MAX_LEVELS, MAX_MESSAGE_BYTES, MAX_TRACE_BYTES, failure_from
from muster.worker.frames import FrameReader
from muster.worker.handler_entry import HandlerEntry
from muster.worker.handler_loop import HandlerLoop
from muster.worker.handler_pool import HandlerPool
from muster.worker.handler_run import run_async_handler, run_handler
from muster.worker.job_context import JobContext
from muster.worker.messages import Kind, read_run
from muster.worker.v1.assignment_pb2 import Assignment
from muster.worker.v1.attempt_report_pb2 import AttemptReport


def failure_of(function, value: object = None, max_payload: int = 0) -> Failure:
    assignment = Assignment(job_id=b"j" * 16, attempt=1, input=encode(value))
    report = run_handler(HandlerEntry.of(function), JobContext(1, assignment, lambda _: None, max_payload))
    assert report.HasField("failure"), report
    return report.failure


def test_type_message_and_trace() -> None:
    def handler(ctx, value):
        raise ValueError("no good")

    failure = failure_of(handler)
    assert (failure.type, failure.message) == ("ValueError", "no good")
    assert failure.failure_cause == FAILURE_CAUSE_APPLICATION
    assert not failure.non_retryable
    assert not failure.HasField("cause")
    assert "in handler" in failure.stack_trace
    assert failure.stack_trace.endswith("ValueError: no good\n")
    assert "handler_run.py" not in failure.stack_trace


@pytest.mark.parametrize("code", [1, 137, 255])
def test_the_exit_code_of_a_process(code: int) -> None:
    def handler(ctx, value):
        subprocess.run([sys.executable, "-c", f"raise SystemExit({value})"], check=True)

    failure = failure_of(handler, code)
    assert (failure.type, failure.exit_code) == ("CalledProcessError", code)


def test_a_process_that_a_signal_ended() -> None:
    def handler(ctx, value):
        raise subprocess.CalledProcessError(-9, "x")

    assert failure_of(handler).exit_code == 137


@pytest.mark.parametrize(("code", "reported"), [(3, 3), (0, 0), (256, 0), (-1, 0), ("3", 0), (1.5, 0), (None, 0)])
def test_an_exit_code_that_the_error_carries(code: object, reported: int) -> None:
    def handler(ctx, value):
        error = InfrastructureError("no disk")
        error.exit_code = code
        raise error

    failure = failure_of(handler)
    assert failure.failure_cause == FAILURE_CAUSE_INFRASTRUCTURE
    assert failure.exit_code == reported


def test_the_chain_of_causes() -> None:
    def handler(ctx, value):
        try:
            try:
                raise KeyError("inner")
            except KeyError as error:
                raise ValueError("middle") from error
        except ValueError:
            raise RuntimeError("outer")  # noqa: B904 - tests the implicit chain

    failure = failure_of(handler)
    assert [failure.type, failure.cause.type, failure.cause.cause.type] == ["RuntimeError", "ValueError", "KeyError"]
    assert not failure.cause.cause.HasField("cause")


def test_a_suppressed_context_is_not_reported() -> None:
    def handler(ctx, value):
        try:
            raise KeyError("secret")
        except KeyError:
            raise ValueError("plain") from None

    assert not failure_of(handler).HasField("cause")


def test_chains_are_bounded_also_when_they_are_rings() -> None:
    first, second = ValueError("1"), ValueError("2")
    first.__cause__, second.__cause__ = second, first
    assert failure_from(first).cause.message == "2"
    assert not failure_from(first).cause.HasField("cause")
    error: Exception = ValueError("0")
    for number in range(30):
        deeper = ValueError(str(number))
        deeper.__cause__ = error
        error = deeper
    failure, levels = failure_from(error), 1
    while failure.HasField("cause"):
        failure, levels = failure.cause, levels + 1
    assert levels == MAX_LEVELS


def test_long_texts_are_cut() -> None:
    def handler(ctx, value):
        raise ValueError("ä" * 20_000)

    failure = failure_of(handler)
    assert MAX_MESSAGE_BYTES - 2 < len(failure.message.encode()) <= MAX_MESSAGE_BYTES
    assert len(failure.stack_trace.encode()) <= MAX_TRACE_BYTES


def test_an_exception_that_can_not_be_printed() -> None:
    class BrokenError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    def handler(ctx, value):
        raise BrokenError

    assert failure_of(handler).message == "<no message: RuntimeError>"


def test_non_retryable() -> None:
    def handler(ctx, value):
        raise NonRetryableError("never", details=encode({"code": 7}))

    failure = failure_of(handler)
    assert (failure.type, failure.message, failure.non_retryable) == ("NonRetryableError", "never", True)
    assert failure.details.data == b'{"code":7}'
    assert not failure_of(handler, max_payload=5).HasField("details")


def test_retry_later() -> None:
    def handler(ctx, value):
        raise RetryLater(2.5)

    failure = failure_of(handler)
    assert to_seconds(failure.retry_delay) == 2.5
    assert failure.message == "try again in 2.5 s"


class NoExitCodeError(Exception):
    @property
    def exit_code(self) -> int:
        raise KeyError("exit_code")


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize(
    ("error", "broken"),
    [
        (RetryLater(math.inf), "OverflowError"),
        (RetryLater(1e300), "OverflowError"),
        (NoExitCodeError(), "KeyError"),
        (WaitsForChildren(["no UUID"]), "ValueError"),
    ],
)
def test_a_failure_that_can_not_be_written_gives_its_slot_back(
    error: BaseException, broken: str, *, is_async: bool
) -> None:
    def fail(ctx, value):
        raise error

    async def fail_later(ctx, value):
        raise error

    frames: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    loop = HandlerLoop()
    entry = HandlerEntry.of(fail_later if is_async else fail)
    runner = AttemptRunner({"fail": entry}, frames.put, HandlerPool().submit, loop)
    try:
        runner.start(1, Assignment(job_id=b"j" * 16, attempt=1, handler="fail").SerializeToString())
        ((kind, body),) = FrameReader().feed(frames.get(timeout=10))
        assert not runner.busy_runs()
    finally:
        runner.close()
    failure = AttemptReport.FromString(read_run(body)[1]).failure
    assert (kind, failure.type) == (Kind.RETURNED, type(error).__name__)
    assert failure.message == f"the failure can't be written: {broken}"
    assert failure.failure_cause == FAILURE_CAUSE_APPLICATION


def test_what_is_no_exception_fails_the_attempt_too() -> None:
    def handler(ctx, value):
        raise SystemExit(3)

    assert failure_of(handler).type == "SystemExit"


def ring() -> list[object]:
    values: list[object] = []
    values.append(values)
    return values


@pytest.mark.parametrize(
    ("value", "cause"), [(object(), "TypeError"), (float("nan"), "ValueError"), (ring(), "ValueError")]
)
@pytest.mark.parametrize("is_async", [False, True])
def test_a_result_that_can_not_be_written_is_non_retryable(value: object, cause: str, *, is_async: bool) -> None:
    async def later(ctx, _):
        return value

    if is_async:
        context = JobContext(1, Assignment(job_id=b"j" * 16, attempt=1, input=encode(None)), lambda _: None)
        failure = asyncio.run(run_async_handler(HandlerEntry.of(later), context)).failure
    else:
        failure = failure_of(lambda _ctx, _value: value)
    assert (failure.type, failure.non_retryable, failure.cause.type) == ("NonRetryableError", True, cause)
    assert failure.message.startswith("the result can't be written: ")


def test_memory_that_is_short_for_a_result_may_be_there_for_the_next_attempt(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_memory(value: object) -> None:
        raise MemoryError

    monkeypatch.setattr("muster.worker.handler_run.payloads.encode", no_memory)
    context = JobContext(1, Assignment(job_id=b"j" * 16, attempt=1), lambda _: None)
    failure = run_handler(HandlerEntry.of(lambda *_: 1), context).failure
    assert (failure.type, failure.non_retryable) == ("MemoryError", False)


def test_an_input_that_is_not_what_it_says_is_non_retryable() -> None:
    assignment = Assignment(job_id=b"j" * 16, attempt=1)
    assignment.input.data = b"{"
    assignment.input.content_type = "application/json"
    report = run_handler(HandlerEntry.of(lambda *_: None), JobContext(1, assignment, lambda _: None))
    assert report.failure.non_retryable
    assert report.failure.cause.type == "PayloadError"


@pytest.mark.parametrize(("most", "size"), [(10, 11), (0, 8 * 1024 * 1024 + 1)])
def test_a_result_that_is_too_large_is_non_retryable(most: int, size: int) -> None:
    failure = failure_of(lambda _ctx, _value: b"x" * size, max_payload=most)
    assert (failure.type, failure.non_retryable) == ("ResultTooLarge", True)
    assert str(size) in failure.message
