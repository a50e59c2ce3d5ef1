"""What a handler process and its worker tell each other of calls to the control plane."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass

from muster.worker.messages import Kind, json_frame


@dataclass(frozen=True, slots=True)
class PipedCall:
    """One try of a unary call.

    Attributes:
        number: Which call of its process it is.
        path: Of its method in gRPC.
        timeout: Seconds for it.
        metadata: That goes with it.
        request: The serialised request.
    """

    number: int
    path: str
    timeout: float
    metadata: tuple[tuple[str, str], ...]
    request: bytes

    def to_frame(self) -> bytes:
        """Returns the frame that carries it."""
        request = base64.b64encode(self.request).decode()
        return json_frame(Kind.CALL, [self.number, self.path, self.timeout, self.metadata, request])

    @classmethod
    def from_body(cls, body: bytes) -> PipedCall:
        """Reads the body of its frame."""
        number, path, timeout, metadata, request = json.loads(body)
        pairs = tuple((name, value) for name, value in metadata)
        return cls(number, path, timeout, pairs, base64.b64decode(request))


@dataclass(frozen=True, slots=True)
class PipedAnswer:
    """How a try ended.

    Attributes:
        number: Of the call.
        code: Name of the gRPC status.
        message: What the status says.
        trailers: The binary trailers of an error, which hold its details.
        reply: The serialised reply; empty after an error.
    """

    number: int
    code: str
    message: str = ""
    trailers: tuple[tuple[str, bytes], ...] = ()
    reply: bytes = b""

    def to_frame(self) -> bytes:
        """Returns the frame that carries it."""
        trailers = [(name, base64.b64encode(value).decode()) for name, value in self.trailers]
        reply = base64.b64encode(self.reply).decode()
        return json_frame(Kind.ANSWER, [self.number, self.code, self.message, trailers, reply])

    @classmethod
    def from_body(cls, body: bytes) -> PipedAnswer:
        """Reads the body of its frame."""
        number, code, message, trailers, reply = json.loads(body)
        pairs = tuple((name, base64.b64decode(value)) for name, value in trailers)
        return cls(number, code, message, pairs, base64.b64decode(reply))
