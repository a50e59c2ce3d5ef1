"""Messages between a handler process and its worker for calls to the control plane."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from muster.worker.messages import Kind, json_frame


@dataclass(frozen=True, slots=True)
class PipedCall:
    """One try of a unary call.

    Attributes:
        number: Number of the call within its process.
        path: gRPC path of the method.
        timeout: Timeout in seconds.
        metadata: Metadata of the call.
        request: The serialized request.
    """

    number: int
    path: str
    timeout: float
    metadata: tuple[tuple[str, str], ...]
    request: bytes

    def to_frame(self) -> bytes:
        """Returns the call as a frame."""
        request = base64.b64encode(self.request).decode()
        return json_frame(Kind.CALL, [self.number, self.path, self.timeout, self.metadata, request])

    @classmethod
    def from_body(cls, body: bytes) -> PipedCall:
        """Reads the body of the frame."""
        number, path, timeout, metadata, request = json.loads(body)
        pairs = tuple((name, value) for name, value in metadata)
        return cls(number, path, timeout, pairs, base64.b64decode(request))


@dataclass(frozen=True, slots=True)
class PipedAnswer:
    """The answer to a try.

    Attributes:
        number: Number of the call.
        code: Name of the gRPC status.
        message: Message of the status.
        trailers: Binary trailers of an error, which have its details.
        reply: The serialized reply; empty after an error.
    """

    number: int
    code: str
    message: str = ""
    trailers: tuple[tuple[str, bytes], ...] = ()
    reply: bytes = b""

    def to_frame(self) -> bytes:
        """Returns the answer as a frame."""
        trailers = [(name, base64.b64encode(value).decode()) for name, value in self.trailers]
        reply = base64.b64encode(self.reply).decode()
        return json_frame(Kind.ANSWER, [self.number, self.code, self.message, trailers, reply])

    @classmethod
    def from_body(cls, body: bytes) -> PipedAnswer:
        """Reads the body of the frame."""
        number, code, message, trailers, reply = json.loads(body)
        pairs = tuple((name, base64.b64decode(value)) for name, value in trailers)
        return cls(number, code, message, pairs, base64.b64decode(reply))
