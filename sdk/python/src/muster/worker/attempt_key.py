"""The key of an attempt: the job's id (16 bytes) and the number of the attempt."""

from __future__ import annotations

from typing import TypeAlias

AttemptKey: TypeAlias = tuple[bytes, int]
