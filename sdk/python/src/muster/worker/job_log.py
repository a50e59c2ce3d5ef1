"""The log of one attempt: records for the control plane and for the `logging` module."""

from __future__ import annotations

import json
import logging
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

from muster.tracing.handler_log import HandlerLog, bridges
from muster.v1.log_record_pb2 import (
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_ERROR,
    LOG_LEVEL_INFO,
    LOG_LEVEL_WARN,
    LogLevel,
    LogRecord,
)
from muster.worker.log_tail import LogTail

MAX_LINE_BYTES = 8 * 1024
MAX_FIELDS = 32
_logger = logging.getLogger("muster.job")

if TYPE_CHECKING:
    _LoggerAdapter = logging.LoggerAdapter[logging.Logger]
else:
    _LoggerAdapter = logging.LoggerAdapter  # not generic before Python 3.11


class AttemptLog:
    """Numbers the records and keeps the newest until they are taken. Thread-safe."""

    def __init__(self, notify: Callable[[], None]) -> None:
        self._notify = notify
        self._lock = threading.Lock()
        self._tail = LogTail()
        self._sequence = 0

    def write(self, level: int, text: str, facts: Mapping[str, Any]) -> LogRecord:
        """Adds a record of bounded size and returns it."""
        record = LogRecord(level=_level_of(level))
        record.log_time.FromNanoseconds(time.time_ns())
        _fill(record, text, facts)
        with self._lock:
            self._sequence += 1
            record.sequence = self._sequence
            self._tail.extend([record])
        self._notify()
        return record

    def take(self) -> list[LogRecord]:
        """Returns the records since the last call; when there are too many, only the newest."""
        with self._lock:
            return self._tail.take()


class JobLog(_LoggerAdapter):
    """Keeps every record of any level, and passes it on to "muster.job" with `job_id` and `attempt`.

    OpenTelemetry receives it too, unless its own handler for `logging` already exports the records of "muster.job".
    """

    def __init__(self, log: AttemptLog, telemetry: HandlerLog, job_id: str, attempt: int) -> None:
        super().__init__(_logger, {"job_id": job_id, "attempt": attempt})
        self._kept = log
        self._telemetry = telemetry

    def log(self, level: int, msg: object, *args: Any, **kwargs: Any) -> None:
        """Writes a record; all other methods call this one."""
        text, facts, error = _text_of(msg, args), kwargs.get("extra") or {}, _error_of(kwargs.get("exc_info"))
        record = self._kept.write(level, text + _trace_of(error), facts)
        if not bridges(_logger, level):
            self._telemetry.emit(level, record, facts, error)
        kwargs["stacklevel"] = kwargs.get("stacklevel", 1) + 1
        super().log(level, msg, *args, **kwargs)

    def process(self, msg: Any, kwargs: MutableMapping[str, Any]) -> tuple[Any, MutableMapping[str, Any]]:
        """Part of LoggerAdapter: adds job_id and attempt to every record."""
        kwargs["extra"] = {**(self.extra or {}), **(kwargs.get("extra") or {})}
        return msg, kwargs


def _level_of(level: int) -> LogLevel:
    if level >= logging.ERROR:
        return LOG_LEVEL_ERROR
    if level >= logging.WARNING:
        return LOG_LEVEL_WARN
    return LOG_LEVEL_INFO if level >= logging.INFO else LOG_LEVEL_DEBUG


def _text_of(message: object, args: tuple[Any, ...]) -> str:
    # As `logging` does it, except that a value that can't be written must not fail the attempt.
    try:
        values = args[0] if len(args) == 1 and isinstance(args[0], Mapping) and args[0] else args
        return str(message) % values if args else str(message)
    except Exception:  # noqa: BLE001 - a user's __str__ may raise anything
        return f"{message!r} {len(args)} arguments that do not fit"


def _error_of(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    if isinstance(exc_info, tuple):
        return exc_info[1] if isinstance(exc_info[1], BaseException) else None
    return sys.exc_info()[1] if exc_info else None


def _trace_of(error: BaseException | None) -> str:
    return "" if error is None else "\n" + "".join(traceback.format_exception(error)).rstrip()


def _fill(record: LogRecord, text: str, facts: Mapping[str, Any]) -> None:
    data = text.encode("utf-8", "replace")
    record.message = data[:MAX_LINE_BYTES].decode("utf-8", "ignore")
    record.truncated = len(data) > MAX_LINE_BYTES
    space = MAX_LINE_BYTES - min(MAX_LINE_BYTES, len(data))
    for number, (key, value) in enumerate(facts.items()):
        name, field = _clean(str(key)), _clean(_field_text(value))
        size = len(name.encode()) + len(field.encode())
        if number >= MAX_FIELDS or size > space:
            record.truncated = True
            continue
        space -= size
        record.fields[name] = field


def _clean(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _field_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
    except Exception:  # noqa: BLE001 - a cycle, or a user's __str__
        return "(not to be written)"
