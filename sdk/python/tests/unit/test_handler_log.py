"""Log records of handlers as OpenTelemetry log records, through its real SDK, into memory."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import _logs as logs
from opentelemetry import trace
from opentelemetry._logs import SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor

from muster.testing import FakeContext, run_handler
from tests.support.tracing import Tracing, tracing

__all__ = ["tracing"]

JOB = "0198c0de-0000-7000-8000-000000000001"
TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


class Records:
    """The written records."""

    def __init__(self) -> None:
        self._exporter = InMemoryLogRecordExporter()
        self.provider = LoggerProvider(shutdown_on_exit=False)
        self.provider.add_log_record_processor(SimpleLogRecordProcessor(self._exporter))

    @property
    def all(self) -> list[Any]:
        return [done.log_record for done in self._exporter.get_finished_logs()]


@pytest.fixture
def records(monkeypatch: pytest.MonkeyPatch) -> Iterator[Records]:
    """An application can set a provider only once; each test gets its own."""
    made = Records()
    monkeypatch.setattr(logs, "get_logger_provider", lambda: made.provider)
    yield made
    made.provider.shutdown()


def attempt() -> FakeContext:
    return FakeContext(
        job_id=JOB, attempt=2, definition="add", definition_version=3, traceparent=f"00-{TRACE}-{SPAN}-01"
    )


def test_a_record_says_what_was_written_and_of_which_attempt(records: Records) -> None:
    facts = {"rows": 2, "last": True, "file": "a.csv", "nested": {"a": [1]}, "muster.definition": "x"}
    run_handler(lambda ctx, _: ctx.log.warning("%d are left", 2, extra=facts), context=attempt())
    (record,) = records.all
    assert (record.body, record.severity_number, record.severity_text) == ("2 are left", SeverityNumber.WARN, "WARN")
    assert dict(record.attributes) == {
        "rows": 2,
        "last": True,
        "file": "a.csv",
        "nested": '{"a":[1]}',
        "messaging.system": "muster",
        "messaging.destination.name": "add",
        "messaging.message.id": JOB,
        "muster.namespace": "default",
        "muster.definition": "add",
        "muster.definition_version": 3,
        "muster.attempt.number": 2,
    }


def test_every_level_is_passed_on_with_its_severity(records: Records) -> None:
    def levels(ctx: Any, _: Any) -> None:
        for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL):
            ctx.log.log(level, "x")

    run_handler(levels, context=attempt())
    assert [record.severity_number.value for record in records.all] == [5, 9, 13, 17, 21]


def test_an_exception_comes_along(records: Records) -> None:
    def fails(ctx: Any, _: Any) -> None:
        try:
            raise TypeError("no")
        except TypeError:
            ctx.log.exception("it failed")

    run_handler(fails, context=attempt())
    attributes = records.all[0].attributes
    assert (attributes["exception.type"], attributes["exception.message"]) == ("TypeError", "no")
    assert "TypeError: no" in attributes["exception.stacktrace"]


def test_it_belongs_to_the_span_of_the_handler_or_of_what_it_does(records: Records, tracing: Tracing) -> None:
    def work(ctx: Any, _: Any) -> None:
        ctx.log.info("in the handler")
        with trace.get_tracer_provider().get_tracer("shop").start_as_current_span("step"):
            ctx.log.info("in a step")

    run_handler(work, context=attempt())
    (handler,), (step,) = tracing.named("process add"), tracing.named("step")
    assert [record.span_id for record in records.all] == [
        handler.get_span_context().span_id,
        step.get_span_context().span_id,
    ]


def test_it_belongs_to_the_attempt_where_nobody_traces(records: Records) -> None:
    run_handler(lambda ctx, _: ctx.log.info("hello"), context=attempt())
    (record,) = records.all
    assert (f"{record.trace_id:032x}", f"{record.span_id:016x}") == (TRACE, SPAN)


def test_it_is_not_doubled_where_the_handler_for_logging_passes_it_on(records: Records) -> None:
    bridge = type("LoggingHandler", (logging.Handler,), {"__module__": "opentelemetry.instrumentation.logging.handler"})
    passed: list[str] = []
    bridge.emit = lambda _, record: passed.append(record.getMessage())  # type: ignore[method-assign,attr-defined]
    root, handler = logging.getLogger(), bridge()
    root.addHandler(handler)
    try:
        run_handler(lambda ctx, _: (ctx.log.warning("once"), ctx.log.debug("not printed"))[0], context=attempt())
    finally:
        root.removeHandler(handler)
    assert "once" in passed
    assert [record.body for record in records.all if record.body == "once"] == []


def test_nothing_is_made_for_those_who_set_up_no_provider() -> None:
    assert run_handler(lambda ctx, _: ctx.log.info("hello"), context=attempt()).result is None
