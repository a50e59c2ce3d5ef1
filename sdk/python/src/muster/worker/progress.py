"""Progress, checkpoints and log records that heartbeats still have to carry."""

from __future__ import annotations

from collections.abc import Iterable

from muster.v1.log_record_pb2 import LogRecord
from muster.worker.attempt_key import AttemptKey
from muster.worker.log_tail import LogTail
from muster.worker.v1.session_pb2 import ProgressUpdate

# Maximum per heartbeat; the rest goes with the next one.
MAX_BYTES = 1024 * 1024
MAX_UPDATES = 1_000


class ProgressBoard:
    """Keeps the newest update of each attempt, and its log records, until a heartbeat has delivered them."""

    def __init__(self) -> None:
        self._updates: dict[AttemptKey, ProgressUpdate] = {}
        self._logs: dict[AttemptKey, LogTail] = {}

    def __len__(self) -> int:
        return len(self._updates.keys() | self._logs.keys())

    def put(self, key: AttemptKey, update: ProgressUpdate) -> None:
        """Merges an update of an attempt; omitted fields keep their last undelivered value."""
        if update.logs:
            self._logs.setdefault(key, LogTail()).extend(update.logs)
            del update.logs[:]
        if update.sequence == 0:
            return  # it came for the sake of its log records alone
        known = self._updates.get(key)
        if known is not None:
            if update.sequence <= known.sequence:
                return
            if not update.HasField("checkpoint") and known.HasField("checkpoint"):
                update.checkpoint.CopyFrom(known.checkpoint)
            if not update.HasField("progress") and known.HasField("progress"):
                update.progress.CopyFrom(known.progress)
            if not update.HasField("run_timeout_extension") and known.HasField("run_timeout_extension"):
                update.run_timeout_extension.CopyFrom(known.run_timeout_extension)
        self._updates[key] = update

    def has_checkpoint(self, key: AttemptKey) -> bool:
        """Whether a checkpoint of the attempt is still undelivered."""
        update = self._updates.get(key)
        return update is not None and update.HasField("checkpoint")

    def next_updates(self) -> list[ProgressUpdate]:
        """Returns the updates of the next heartbeat, oldest first: at least one, at most 1,000 and 1 MiB."""
        chosen: list[ProgressUpdate] = []
        size = 0
        for key in dict.fromkeys([*self._updates, *self._logs]):
            update = self._message(key)
            size += update.ByteSize()
            if chosen and (size > MAX_BYTES or len(chosen) >= MAX_UPDATES):
                break
            chosen.append(update)
        return chosen

    def confirm(self, updates: Iterable[ProgressUpdate]) -> None:
        """Drops delivered updates, unless a newer one came meanwhile."""
        for update in updates:
            key = (update.job_id, update.attempt)
            known = self._updates.get(key)
            if known is not None and known.sequence == update.sequence:
                del self._updates[key]
            tail = self._logs.get(key)
            if tail is not None and update.logs:
                tail.confirm(update.logs[-1].sequence)
                if len(tail) == 0:
                    del self._logs[key]

    def take_logs(self, key: AttemptKey) -> list[LogRecord]:
        """Takes the log records of an attempt that is reported: the report carries them."""
        tail = self._logs.pop(key, None)
        return [] if tail is None else tail.records()

    def drop(self, key: AttemptKey) -> None:
        """Drops the updates of an attempt that has ended."""
        self._updates.pop(key, None)
        self._logs.pop(key, None)

    def _message(self, key: AttemptKey) -> ProgressUpdate:
        known, tail = self._updates.get(key), self._logs.get(key)
        if known is not None and tail is None:
            return known
        message = ProgressUpdate(job_id=key[0], attempt=key[1])
        if known is not None:
            message.CopyFrom(known)
        if tail is not None:
            message.logs.extend(tail.records())
        return message
