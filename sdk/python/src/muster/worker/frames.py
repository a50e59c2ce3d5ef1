"""Frames between the processes of a worker: length (4 bytes), kind (1 byte), body."""

from __future__ import annotations

import struct

_HEADER = struct.Struct("<IB")
# An input has at most 512 KiB, so a larger frame is a protocol error.
MAX_BODY_BYTES = 16 * 1024 * 1024


class FrameError(Exception):
    """The other side violates the frame format."""


def frame(kind: int, body: bytes) -> bytes:
    """Returns the bytes of one frame.

    Raises:
        FrameError: The body exceeds the maximum.
    """
    if len(body) > MAX_BODY_BYTES:
        raise FrameError(f"a frame of {len(body)} bytes")
    return _HEADER.pack(len(body), kind) + body


class FrameReader:
    """Divides a stream of bytes into frames."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[tuple[int, bytes]]:
        """Takes the next bytes and returns the frames that they complete, as (kind, body).

        Raises:
            FrameError: A length is out of bounds.
        """
        buffer = self._rest + data if self._rest else data
        frames: list[tuple[int, bytes]] = []
        start, end = 0, len(buffer)
        while end - start >= _HEADER.size:
            length, kind = _HEADER.unpack_from(buffer, start)
            if length > MAX_BODY_BYTES:
                raise FrameError(f"a frame of {length} bytes")
            body = start + _HEADER.size
            if end - body < length:
                break
            start = body + length
            frames.append((kind, buffer[body:start]))
        self._rest = buffer[start:]
        return frames
