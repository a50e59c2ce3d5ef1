"""Spans of handlers: children of the attempt, linked to the previous one; none without tracing."""

from __future__ import annotations

import asyncio
import logging
import uuid

import pytest
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from muster.errors import WaitsForChildren
from muster.testing import FakeContext, run_handler, run_handler_async
from muster.tracing import tracer
from muster.tracing.attempt_span_id import attempt_span_id
from tests.support.tracing import Tracing, tracing

__all__ = ["tracing"]

JOB = "0198c0de-0000-7000-8000-000000000001"
JOB_BYTES = uuid.UUID(JOB).bytes
TRACE = "0af7651916cd43dd8448eb211c80319c"


def attempt(number: int, span_id: int, flags: str = "01") -> FakeContext:
    return FakeContext(
        job_id=JOB,
        attempt=number,
        namespace="shop",
        definition="add",
        definition_version=3,
        traceparent=f"00-{TRACE}-{span_id:016x}-{flags}",
        tracestate="vendor=1",
    )


@pytest.mark.parametrize(("number", "span_id"), [(1, "6b5fbd87c6ef150b"), (2**31 - 1, "765abc181920de96")])
def test_spans_are_named_as_the_control_plane_names_them(number: int, span_id: str) -> None:
    assert f"{attempt_span_id(JOB_BYTES, number):016x}" == span_id  # as in docs/traces.md


def test_under_the_attempt_and_linked_to_the_one_before(tracing: Tracing) -> None:
    seen = run_handler(
        lambda ctx, _: [ctx.traceparent, ctx.tracestate, trace.get_current_span().get_span_context().span_id],
        context=attempt(2, attempt_span_id(JOB_BYTES, 2)),
    ).result
    (span,) = tracing.named("process add")
    own = span.get_span_context()
    assert seen == [f"00-{TRACE}-{own.span_id:016x}-01", "vendor=1", own.span_id]
    assert (f"{own.trace_id:032x}", span.kind, span.status.status_code) == (TRACE, SpanKind.CONSUMER, StatusCode.UNSET)
    assert span.parent is not None
    assert (span.parent.span_id, span.parent.is_remote) == (attempt_span_id(JOB_BYTES, 2), True)
    (link,) = span.links
    assert (link.context.span_id, dict(link.attributes or {})) == (
        attempt_span_id(JOB_BYTES, 1),
        {"muster.link.kind": "retry_of"},
    )
    assert dict(span.attributes or {}) == {
        "messaging.system": "muster",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "add",
        "messaging.message.id": JOB,
        "muster.namespace": "shop",
        "muster.definition": "add",
        "muster.definition_version": 3,
        "muster.attempt.number": 2,
    }


def test_no_link_in_a_first_attempt_nor_where_the_control_plane_sends_no_spans(tracing: Tracing) -> None:
    for context in (attempt(1, attempt_span_id(JOB_BYTES, 1)), attempt(2, 7)):
        run_handler(lambda ctx, _: None, context=context)
    assert [span.links for span in tracing.spans] == [(), ()]


def test_what_a_handler_raises_is_recorded(tracing: Tracing) -> None:
    def fail(ctx, value):
        raise ValueError("too much")

    failure = run_handler(fail, context=attempt(1, 7)).failure
    (span,) = tracing.spans
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, "too much")
    assert (span.attributes or {})["error.type"] == "ValueError"
    assert [event.name for event in span.events] == ["exception"]
    assert failure is not None
    assert "handler_run.py" not in failure.stack_trace


def test_a_handler_that_waits_for_children_has_not_failed(tracing: Tracing) -> None:
    def wait(ctx, value):
        raise WaitsForChildren([JOB])

    run_handler(wait, context=attempt(1, 7))
    assert [(span.status.status_code, span.events) for span in tracing.spans] == [(StatusCode.UNSET, ())]


def test_asynchronous_handlers_have_each_their_own_in_what_they_await(tracing: Tracing) -> None:
    async def look(ctx, value):
        await asyncio.sleep(0)
        return trace.get_current_span().get_span_context().span_id

    async def program() -> list[int]:
        outcomes = await asyncio.gather(*(run_handler_async(look) for _ in range(3)))
        return [outcome.result for outcome in outcomes]

    seen = asyncio.run(program())
    assert sorted(seen) == sorted(span.get_span_context().span_id for span in tracing.spans)
    assert len(set(seen)) == 3


def test_records_of_the_log_are_written_within_the_span(tracing: Tracing) -> None:
    """So OpenTelemetry's handler for `logging` adds trace and span to them."""
    written: list[tuple[str, int]] = []

    class Bridge(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append((record.getMessage(), trace.get_current_span().get_span_context().span_id))

    logger, bridge = logging.getLogger("muster.job"), Bridge()
    logger.addHandler(bridge)
    try:
        run_handler(lambda ctx, _: ctx.log.warning("read %d rows", 7))
    finally:
        logger.removeHandler(bridge)
    (span,) = tracing.spans
    assert written == [("read 7 rows", span.get_span_context().span_id)]


def test_a_trace_that_its_caller_does_not_keep(tracing: Tracing) -> None:
    seen = run_handler(lambda ctx, _: ctx.traceparent, context=attempt(1, 7, "00")).result
    assert seen.startswith(f"00-{TRACE}-")
    assert seen.endswith("-00")
    assert tracing.spans == ()


@pytest.mark.parametrize("traceparent", ["", "00-x", f"00-{'0' * 32}-{'0' * 16}-01"])
def test_without_a_trace_of_the_caller_it_is_a_root(tracing: Tracing, traceparent: str) -> None:
    run_handler(lambda ctx, _: None, context=FakeContext(traceparent=traceparent))
    (span,) = tracing.spans
    assert span.parent is None


@pytest.mark.parametrize("installed", [True, False])
def test_nothing_for_those_who_do_not_trace(monkeypatch: pytest.MonkeyPatch, installed: bool) -> None:
    monkeypatch.setattr(tracer, "HAS_OPENTELEMETRY", installed)
    assert tracer.active_tracer() is None
    context = attempt(1, 7)
    assert run_handler(lambda ctx, _: ctx.traceparent, context=context).result == f"00-{TRACE}-{7:016x}-01"
