"""The context of a handler."""

from __future__ import annotations

import logging
import uuid

import pytest

from muster import payloads
from muster.durations import to_duration, to_seconds
from muster.errors import JobStopped
from muster.worker.frames import FrameReader
from muster.worker.job_context import JobContext
from muster.worker.messages import Kind, read_run
from muster.worker.progress_counts import ProgressCounts
from muster.worker.stop_reason import StopReason
from muster.worker.v1.assignment_pb2 import Assignment
from muster.worker.v1.session_pb2 import ProgressUpdate

JOB = uuid.UUID(int=7)


def context(sent: list | None = None, **fields: object) -> JobContext:
    assignment = Assignment(job_id=JOB.bytes, attempt=3, **fields)
    return JobContext(5, assignment, (sent if sent is not None else []).append, max_payload=100)


def update_of(ctx: JobContext) -> ProgressUpdate:
    ((kind, body),) = FrameReader().feed(ctx.take_frame())
    run_id, data = read_run(body)
    assert (kind, run_id) == (Kind.PROGRESS, 5)
    return ProgressUpdate.FromString(data)


def test_identity() -> None:
    ctx = context(
        definition="d",
        definition_version=2,
        namespace="n",
        attempt_count=1,
        traceparent="00-1-2-01",
        tracestate="s",
        input=payloads.encode(1),
    )
    assert (ctx.job_id, ctx.attempt, ctx.fencing_token, ctx.attempt_count) == (str(JOB), 3, 3, 1)
    assert (ctx.definition, ctx.definition_version, ctx.namespace) == ("d", 2, "n")
    assert (ctx.traceparent, ctx.tracestate, ctx.input.data) == ("00-1-2-01", "s", b"1")


def test_the_last_checkpoint() -> None:
    assert context().last_checkpoint is None
    assert context(checkpoint=payloads.encode({"row": 5})).last_checkpoint == {"row": 5}


@pytest.mark.parametrize(
    ("counts", "fraction", "done", "total"),
    [
        (ProgressCounts(3, 4, "rows"), 0.75, 3, 4),
        (ProgressCounts(9, 4), 1.0, 9, 4),
        (ProgressCounts(0, 0), 1.0, 0, 0),
        (ProgressCounts(-1), 0.0, 0, None),
        (ProgressCounts(3, -1), 0.0, 3, None),
        (ProgressCounts(2**60, 2**60, "u" * 40), 1.0, 2**53 - 1, 2**53 - 1),
    ],
)
def test_progress_as_a_count_of_units(counts: ProgressCounts, fraction: float, done: int, total: int | None) -> None:
    ctx = context()
    ctx.progress(counts, "copying")
    progress = update_of(ctx).progress
    assert (progress.fraction, progress.message, progress.done) == (fraction, "copying", done)
    assert (progress.total if progress.HasField("total") else None, progress.unit) == (total, counts.unit[:32])


def test_a_fraction_has_no_counts() -> None:
    ctx = context()
    ctx.progress(float("nan"))
    progress = update_of(ctx).progress
    assert (progress.fraction, progress.HasField("done"), progress.HasField("total")) == (0.0, False, False)


def test_progress_and_checkpoint_go_together_and_rise() -> None:
    sent: list[JobContext] = []
    ctx = context(sent)
    ctx.progress(0.25, "reading")
    ctx.checkpoint([1])
    ctx.progress(0.5)
    assert len(sent) == 1  # the writer takes the newest update
    update = update_of(ctx)
    assert (update.progress.fraction, update.progress.message, update.sequence) == (0.5, "", 1)
    assert update.checkpoint.data == b"[1]"
    ctx.progress(2.0, "x" * 500)
    update = update_of(ctx)
    assert (update.progress.fraction, len(update.progress.message), update.sequence) == (1.0, 256, 2)
    assert not update.HasField("checkpoint")
    assert len(sent) == 2


def test_a_checkpoint_that_is_too_large() -> None:
    with pytest.raises(ValueError, match="the maximum is 100"):
        context().checkpoint("x" * 200)


def test_more_time_adds_up_within_bounds() -> None:
    sent: list[JobContext] = []
    ctx = context(sent, run_timeout=to_duration(60))
    assert (ctx.run_timeout, context().run_timeout) == (60.0, 3_600.0)
    ctx.extend_run_timeout(1.5)
    ctx.extend_run_timeout(2)
    assert to_seconds(update_of(ctx).run_timeout_extension) == 3.5
    for seconds in (0, -1.0, float("nan"), float("inf")):
        with pytest.raises(ValueError, match="can't be extended by"):
            ctx.extend_run_timeout(seconds)
    with pytest.raises(ValueError, match="the maximum is 2592000"):
        ctx.extend_run_timeout(30 * 86_400)
    ctx.progress(0.5)
    assert to_seconds(update_of(ctx).run_timeout_extension) == 3.5
    assert len(sent) == 2


@pytest.mark.parametrize("reason", list(StopReason))
def test_being_asked_to_stop(reason: StopReason) -> None:
    ctx = context()
    early = ctx.cancel_event
    assert (ctx.cancelled(), ctx.cancel_reason, early.is_set()) == (False, None, False)
    ctx.raise_if_cancelled()
    ctx.stop(reason)
    ctx.stop(StopReason.SHUTDOWN)  # the first reason stays
    assert (ctx.cancelled(), ctx.cancel_reason, early.is_set()) == (True, reason.name.lower(), True)
    with pytest.raises(JobStopped) as stopped:
        ctx.raise_if_cancelled()
    assert stopped.value.reason == reason.name.lower()


def test_an_event_that_is_asked_for_late_is_set() -> None:
    ctx = context()
    ctx.stop(StopReason.CANCELLED)
    assert ctx.cancel_event.is_set()


def test_the_log_names_the_attempt(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "muster.job"):
        context().log.info("hello %d", 1, extra={"more": 2})
    (record,) = caplog.records
    assert (record.getMessage(), record.job_id, record.attempt, record.more) == ("hello 1", str(JOB), 3, 2)


def test_records_of_every_level_go_to_the_log_of_the_attempt() -> None:
    sent: list[JobContext] = []
    ctx = context(sent)
    ctx.log.debug("read %d rows of %s", 7, "a", extra={"rows": 7, "table": "a", "list": [1]})
    ctx.log.warning("careful")
    try:
        raise ValueError("no")
    except ValueError:
        ctx.log.exception("it broke")
    assert len(sent) == 1
    update = update_of(ctx)
    assert [(record.sequence, record.level) for record in update.logs] == [(1, 1), (2, 3), (3, 4)]
    first, _, last = update.logs
    assert (first.message, dict(first.fields)) == ("read 7 rows of a", {"rows": "7", "table": "a", "list": "[1]"})
    assert first.log_time.seconds > 1_700_000_000
    assert last.message.startswith("it broke\nTraceback")
    assert last.message.endswith("ValueError: no")
    assert (update.sequence, update.HasField("progress")) == (0, False)


def test_records_leave_progress_as_it_was() -> None:
    ctx = context()
    ctx.progress(0.5)
    ctx.log.info("a")
    assert (update_of(ctx).sequence, len(update_of(ctx).logs)) == (1, 0)
    ctx.log.info("b")
    update = update_of(ctx)
    assert (update.sequence, update.HasField("progress"), [record.sequence for record in update.logs]) == (
        0,
        False,
        [2],
    )


def test_a_flood_keeps_the_newest() -> None:
    ctx = context()
    for number in range(1_000):
        ctx.log.info("%s %d", "x" * 1_000, number)
    logs = update_of(ctx).logs
    assert [record.sequence for record in logs] == list(range(1_001 - len(logs), 1_001))
    assert 50 < len(logs) <= 64


class Unwritable:
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = object.__repr__


def test_a_record_is_cut_to_size_and_never_raises() -> None:
    ctx = context()
    ctx.log.info("\u00e4" * 8_000)
    ctx.log.info("odd \ud800", extra={"long": "x" * 9_000, "short": Unwritable()})
    ctx.log.info("%d", "no number")
    ctx.log.info("many", extra={f"f{number}": number for number in range(40)})
    cut, odd, wrong, many = update_of(ctx).logs
    assert (len(cut.message.encode()), cut.truncated) == (8_192, True)
    assert (odd.message, dict(odd.fields), odd.truncated) == ("odd ?", {"short": "(not to be written)"}, True)
    assert wrong.message == "'%d' 1 arguments that do not fit"
    assert (len(many.fields), many.truncated) == (32, True)
