"""Converts between seconds and protobuf durations."""

from __future__ import annotations

import datetime as dt
from typing import TypeAlias

from google.protobuf.duration_pb2 import Duration

Seconds: TypeAlias = "float | dt.timedelta"

_NANOS = 1_000_000_000


def to_seconds(duration: Duration) -> float:
    """Returns the length of a protobuf duration in seconds."""
    return float(duration.ToNanoseconds()) / _NANOS


def to_duration(seconds: Seconds) -> Duration:
    """Converts seconds to a protobuf duration, rounded to the nanosecond."""
    length = seconds.total_seconds() if isinstance(seconds, dt.timedelta) else seconds
    duration = Duration()
    duration.FromNanoseconds(round(length * _NANOS))
    return duration
