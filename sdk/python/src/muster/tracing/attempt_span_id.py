"""Ids of the control plane's spans, derived from the job and the attempt."""

from __future__ import annotations

_OFFSET = 0xCBF29CE484222325
_PRIME = 0x100000001B3
_MASK = (1 << 64) - 1
_PHASE = b"attempt"


def attempt_span_id(job_id: bytes, attempt: int) -> int:
    """Returns the id of the control plane's span of an attempt.

    It is the 64-bit FNV-1a hash of the job's id, the attempt's number in 4 bytes, big-endian, and the word "attempt".

    Args:
        job_id: The job's UUID, 16 bytes.
        attempt: Number of the attempt.
    """
    value = _OFFSET
    for byte in job_id + attempt.to_bytes(4, "big") + _PHASE:
        value = ((value ^ byte) * _PRIME) & _MASK
    return value
