"""Emits what handlers log as OpenTelemetry log records, if the application has set up a logger provider."""

from __future__ import annotations

import inspect
import logging
import traceback
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from muster.tracing.handler_span import attempt_attributes, attempt_context, message_of
from muster.tracing.tracer import HAS_OPENTELEMETRY, NAME
from muster.v1.log_record_pb2 import LogRecord
from muster.version import VERSION
from muster.worker.v1.assignment_pb2 import Assignment

if HAS_OPENTELEMETRY:
    from opentelemetry import _logs as logs
    from opentelemetry import context as contexts
    from opentelemetry import trace
    from opentelemetry._logs import SeverityNumber
    from opentelemetry._logs._internal import ProxyLoggerProvider

    # OpenTelemetry's logs API for Python is not stable: older releases take records in another form.
    _HAS_LOGS = "context" in inspect.signature(logs.NoOpLogger.emit).parameters
else:
    _HAS_LOGS = False

if TYPE_CHECKING:
    from opentelemetry._logs import Logger
    from opentelemetry.context import Context


class HandlerLog:
    """The records of one attempt."""

    def __init__(self, assignment: Assignment) -> None:
        self._assignment = assignment
        self._attributes: dict[str, Any] | None = None

    def emit(self, level: int, record: LogRecord, facts: Mapping[str, Any], error: BaseException | None) -> None:
        """Emits a record, if the application consumes it.

        Args:
            level: Level of the `logging` module.
            record: The stored record.
            facts: Its fields before their conversion to text: numbers and booleans keep their type.
            error: The logged exception.
        """
        otel = _active_logger()
        if otel is None:
            return
        if self._attributes is None:
            self._attributes = dict(attempt_attributes(self._assignment))
        severity = _severity_of(level)
        fields = {key: _plain(facts.get(key), text) for key, text in record.fields.items()}
        otel.emit(
            timestamp=record.log_time.ToNanoseconds(),
            context=self._context(),
            severity_number=severity,
            severity_text=severity.name,
            body=record.message,
            attributes={**fields, **_exception_of(error), **self._attributes},
        )

    def _context(self) -> Context:
        """Returns the active context, also of a span that the handler made; outside any span, the attempt's."""
        current = contexts.get_current()
        if trace.get_current_span(current).get_span_context().is_valid:
            return current
        return attempt_context(self._assignment)


def bridges(logger: logging.Logger, level: int) -> bool:
    """Whether OpenTelemetry's handler for `logging` already exports the records of this logger."""
    if not HAS_OPENTELEMETRY or not logger.isEnabledFor(level):
        return False
    found: logging.Logger | None = logger
    while found is not None:
        if any(_is_bridge(handler) for handler in found.handlers):
            return True
        found = found.parent if found.propagate else None
    return False


def _is_bridge(handler: logging.Handler) -> bool:
    kinds = type(handler).mro()
    return any(kind.__name__ == "LoggingHandler" and kind.__module__.startswith("opentelemetry.") for kind in kinds)


def _active_logger() -> Logger | None:
    """Returns None if the application has set up no logger provider; then no records are made."""
    if not _HAS_LOGS:
        return None
    provider = logs.get_logger_provider()
    if isinstance(provider, ProxyLoggerProvider | logs.NoOpLoggerProvider):
        return None
    return provider.get_logger(NAME, VERSION)


def _severity_of(level: int) -> SeverityNumber:
    if level >= logging.CRITICAL:
        return SeverityNumber.FATAL
    if level >= logging.ERROR:
        return SeverityNumber.ERROR
    if level >= logging.WARNING:
        return SeverityNumber.WARN
    return SeverityNumber.INFO if level >= logging.INFO else SeverityNumber.DEBUG


def _plain(value: Any, text: str) -> Any:
    return value if isinstance(value, bool | int | float) else text


def _exception_of(error: BaseException | None) -> dict[str, str]:
    if error is None:
        return {}
    return {
        "exception.type": type(error).__name__,
        "exception.message": message_of(error),
        "exception.stacktrace": "".join(traceback.format_exception(error)),
    }
