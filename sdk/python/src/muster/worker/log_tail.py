"""The newest unacknowledged log records of an attempt."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from muster.v1.log_record_pb2 import LogRecord

MAX_BYTES = 64 * 1024
_FRAMING_BYTES = 32


class LogTail:
    """Drops only records beyond the maximum size, oldest first; gaps in the sequence show what is missing."""

    def __init__(self) -> None:
        self._records: deque[LogRecord] = deque()
        self.byte_count = 0

    def __len__(self) -> int:
        return len(self._records)

    def extend(self, records: Iterable[LogRecord]) -> None:
        """Adds records in order of their sequence."""
        for record in records:
            self._records.append(record)
            self.byte_count += _size_of(record)
            while self.byte_count > MAX_BYTES and len(self._records) > 1:
                self._drop_oldest()

    def confirm(self, sequence: int) -> None:
        """Drops the records up to this sequence, which have arrived."""
        while self._records and self._records[0].sequence <= sequence:
            self._drop_oldest()

    def records(self) -> list[LogRecord]:
        """Returns the records, oldest first."""
        return list(self._records)

    def take(self) -> list[LogRecord]:
        """Returns the records, oldest first, and keeps none."""
        taken = list(self._records)
        self._records.clear()
        self.byte_count = 0
        return taken

    def _drop_oldest(self) -> None:
        self.byte_count -= _size_of(self._records.popleft())


def _size_of(record: LogRecord) -> int:
    size: int = record.ByteSize()
    return size + _FRAMING_BYTES
