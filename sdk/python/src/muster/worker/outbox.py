"""Reports on their way: they pile up while calls are in flight and stay until they are acknowledged."""

from __future__ import annotations

from muster.v1.session_service_pb2 import AttemptReport
from muster.worker.attempt_key import AttemptKey

MOST_REPORTS = 1_000
# 3 MiB a call, less room for the credits and the framing of the call.
MOST_BYTES = 3 * 1024 * 1024 - 64 * 1024
_FRAMING_BYTES = 8
# Batches in flight at once.
MOST_FLIGHTS = 2
# A second one waits until so many reports are in the line: smaller ones only cost both sides.
SECOND_FLIGHT_FROM = 100

Batch = list[tuple[AttemptKey, AttemptReport]]


class Outbox:
    """A line of reports of which at most two batches are in flight.

    Attributes:
        byte_count: Bytes of all reports that are not acknowledged.
    """

    def __init__(self) -> None:
        self._line: dict[AttemptKey, AttemptReport] = {}
        self._flights = 0
        self._in_flight = 0
        self._singles = 0
        self.byte_count = 0

    def __len__(self) -> int:
        return len(self._line) + self._in_flight

    @property
    def is_ready(self) -> bool:
        """Whether a batch could be taken."""
        if self._flights == 0:
            return bool(self._line)
        return self._flights < MOST_FLIGHTS and len(self._line) >= SECOND_FLIGHT_FROM and self._singles == 0

    @property
    def has_line(self) -> bool:
        """Whether a report waits to be sent, now or after a batch in flight."""
        return bool(self._line)

    def put(self, key: AttemptKey, report: AttemptReport) -> None:
        """Adds a report to the end of the line."""
        self._line[key] = report
        self.byte_count += _size_of(report)

    def take(self) -> Batch:
        """Takes the next batch, at most 1,000 reports and 3 MiB; empty while it has to wait for those in flight."""
        if not self.is_ready:
            return []
        most = 1 if self._singles > 0 else MOST_REPORTS
        self._singles = max(0, self._singles - 1)
        batch: Batch = []
        batch_bytes = 0
        for key, report in self._line.items():
            batch_bytes += _size_of(report)
            if batch and (batch_bytes > MOST_BYTES or len(batch) >= most):
                break
            batch.append((key, report))
        for key, _ in batch:
            del self._line[key]
        self._flights += 1
        self._in_flight += len(batch)
        return batch

    def settle(self, batch: Batch, repeat: Batch) -> None:
        """Ends the call of a batch; what is to be repeated goes to the head of the line."""
        self._flights -= 1
        self._in_flight -= len(batch)
        self.byte_count -= _bytes_of(batch) - _bytes_of(repeat)
        if repeat:
            self._line = dict(repeat) | self._line

    def isolate(self, batch: Batch) -> None:
        """Puts a batch that was refused for its content back, to be sent one by one."""
        self._singles = len(batch)
        self.settle(batch, batch)


def _bytes_of(batch: Batch) -> int:
    return sum(_size_of(report) for _, report in batch)


def _size_of(report: AttemptReport) -> int:
    size: int = report.ByteSize()
    return size + _FRAMING_BYTES
