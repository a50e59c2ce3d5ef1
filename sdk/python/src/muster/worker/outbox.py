"""Pending reports: they collect while calls are in flight, and stay until they are acknowledged."""

from __future__ import annotations

from muster.worker.attempt_key import AttemptKey
from muster.worker.v1.attempt_report_pb2 import AttemptReport

MAX_REPORTS = 1_000
# 3 MiB per call, minus space for credits and framing.
MAX_BYTES = 3 * 1024 * 1024 - 64 * 1024
_FRAMING_BYTES = 8
# Maximum number of batches in flight.
MAX_FLIGHTS = 2
# A second batch in flight needs this many queued reports: smaller batches only add cost on both sides.
SECOND_FLIGHT_FROM = 100

Batch = list[tuple[AttemptKey, AttemptReport]]


class Outbox:
    """A queue of reports, with at most two batches in flight.

    Attributes:
        byte_count: Bytes of all unacknowledged reports.
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
        """Whether a batch can be taken."""
        if self._flights == 0:
            return bool(self._line)
        return self._flights < MAX_FLIGHTS and len(self._line) >= SECOND_FLIGHT_FROM and self._singles == 0

    @property
    def has_line(self) -> bool:
        """Whether a report is still to be sent, now or after a batch in flight."""
        return bool(self._line)

    def put(self, key: AttemptKey, report: AttemptReport) -> None:
        """Adds a report to the end of the queue."""
        self._line[key] = report
        self.byte_count += _size_of(report)

    def take(self) -> Batch:
        """Takes the next batch, at most 1,000 reports and 3 MiB; empty while it has to wait for batches in flight."""
        if not self.is_ready:
            return []
        most = 1 if self._singles > 0 else MAX_REPORTS
        self._singles = max(0, self._singles - 1)
        batch: Batch = []
        batch_bytes = 0
        for key, report in self._line.items():
            batch_bytes += _size_of(report)
            if batch and (batch_bytes > MAX_BYTES or len(batch) >= most):
                break
            batch.append((key, report))
        for key, _ in batch:
            del self._line[key]
        self._flights += 1
        self._in_flight += len(batch)
        return batch

    def settle(self, batch: Batch, repeat: Batch) -> None:
        """Ends the call of a batch; the reports in `repeat` go to the head of the queue."""
        self._flights -= 1
        self._in_flight -= len(batch)
        self.byte_count -= _bytes_of(batch) - _bytes_of(repeat)
        if repeat:
            self._line = dict(repeat) | self._line

    def isolate(self, batch: Batch) -> None:
        """Puts back a batch that was refused for its content, to be sent one by one."""
        self._singles = len(batch)
        self.settle(batch, batch)


def _bytes_of(batch: Batch) -> int:
    return sum(_size_of(report) for _, report in batch)


def _size_of(report: AttemptReport) -> int:
    size: int = report.ByteSize()
    return size + _FRAMING_BYTES
