"""Reports on their way: they pile up while a call is in flight and stay until they are acknowledged."""

from __future__ import annotations

from muster.v1.session_service_pb2 import AttemptReport
from muster.worker.attempt_key import AttemptKey

MOST_REPORTS = 1_000
# 3 MiB a call, less room for the credits and the framing of the call.
MOST_BYTES = 3 * 1024 * 1024 - 64 * 1024
_FRAMING_BYTES = 8

Batch = list[tuple[AttemptKey, AttemptReport]]


class Outbox:
    """A line of reports of which at most one batch is in flight."""

    def __init__(self) -> None:
        self._line: dict[AttemptKey, AttemptReport] = {}
        self._in_flight: Batch = []
        self._singles = 0
        self._line_bytes = 0
        self._flight_bytes = 0

    def __len__(self) -> int:
        return len(self._line) + len(self._in_flight)

    @property
    def is_ready(self) -> bool:
        """Whether a batch could be taken."""
        return bool(self._line) and not self._in_flight

    @property
    def has_line(self) -> bool:
        """Whether a report waits to be sent, now or after the batch in flight."""
        return bool(self._line)

    @property
    def byte_count(self) -> int:
        """Bytes of all reports that are not acknowledged."""
        return self._line_bytes + self._flight_bytes

    def put(self, key: AttemptKey, report: AttemptReport) -> None:
        """Adds a report to the end of the line."""
        self._line[key] = report
        self._line_bytes += _size_of(report)

    def take(self) -> Batch:
        """Takes the next batch, at most 1,000 reports and 3 MiB; empty while another one is in flight."""
        if not self.is_ready:
            return []
        most = 1 if self._singles > 0 else MOST_REPORTS
        self._singles = max(0, self._singles - 1)
        self._in_flight = []
        for key, report in self._line.items():
            size = _size_of(report)
            if self._in_flight and (self._flight_bytes + size > MOST_BYTES or len(self._in_flight) >= most):
                break
            self._in_flight.append((key, report))
            self._flight_bytes += size
        self._line_bytes -= self._flight_bytes
        for key, _ in self._in_flight:
            del self._line[key]
        return self._in_flight

    def settle(self, repeat: Batch) -> None:
        """Ends the call in flight; what is to be repeated goes to the head of the line."""
        if repeat:
            self._line = dict(repeat) | self._line
            self._line_bytes += sum(_size_of(report) for _, report in repeat)
        self._in_flight = []
        self._flight_bytes = 0

    def isolate(self, batch: Batch) -> None:
        """Puts a batch that was refused for its content back, to be sent one by one."""
        self._singles = len(batch)
        self.settle(batch)


def _size_of(report: AttemptReport) -> int:
    size: int = report.ByteSize()
    return size + _FRAMING_BYTES
