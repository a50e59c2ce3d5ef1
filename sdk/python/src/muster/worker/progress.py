"""Progress and checkpoints that the control plane has not heard of yet."""

from __future__ import annotations

from collections.abc import Iterable

from muster.v1.session_service_pb2 import ProgressUpdate
from muster.worker.attempt_key import AttemptKey

# What one heartbeat carries; the rest goes with the next.
MOST_BYTES = 1024 * 1024


class ProgressBoard:
    """Keeps the newest update of each attempt until a heartbeat that carried it is acknowledged."""

    def __init__(self) -> None:
        self._updates: dict[AttemptKey, ProgressUpdate] = {}

    def __len__(self) -> int:
        return len(self._updates)

    def put(self, key: AttemptKey, update: ProgressUpdate) -> None:
        """Replaces what is known of the attempt; a checkpoint stays until a newer one comes."""
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
        """Whether a checkpoint of the attempt still waits for a heartbeat."""
        update = self._updates.get(key)
        return update is not None and update.HasField("checkpoint")

    def next_updates(self) -> list[ProgressUpdate]:
        """Returns what the next heartbeat carries, oldest first, at least one and at most 1 MiB."""
        chosen: list[ProgressUpdate] = []
        size = 0
        for update in self._updates.values():
            size += update.ByteSize()
            if chosen and size > MOST_BYTES:
                break
            chosen.append(update)
        return chosen

    def confirm(self, updates: Iterable[ProgressUpdate]) -> None:
        """Drops what the control plane has heard, unless something newer came meanwhile."""
        for update in updates:
            key = (update.job_id, update.attempt)
            known = self._updates.get(key)
            if known is not None and known.sequence == update.sequence:
                del self._updates[key]

    def drop(self, key: AttemptKey) -> None:
        """Forgets an attempt that has ended."""
        self._updates.pop(key, None)
