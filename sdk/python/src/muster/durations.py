"""Converts between seconds and protobuf durations."""

from __future__ import annotations

from google.protobuf.duration_pb2 import Duration

_NANOS = 1_000_000_000


def to_seconds(duration: Duration) -> float:
    """Returns the length of a protobuf duration in seconds."""
    return float(duration.seconds) + float(duration.nanos) / _NANOS


def to_duration(seconds: float) -> Duration:
    """Returns a protobuf duration of so many seconds, to the nanosecond."""
    whole, nanos = divmod(round(seconds * _NANOS), _NANOS)
    return Duration(seconds=whole, nanos=nanos)
