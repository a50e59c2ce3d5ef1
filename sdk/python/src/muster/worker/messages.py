"""Messages between the session process, the worker's process and its handler processes."""

from __future__ import annotations

import base64
import json
import struct
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any

from muster.worker.frames import frame
from muster.worker.stop_reason import StopReason
from muster.worker.v1.session_service_pb2 import OpenSessionRequest

_RUN = struct.Struct("<Q")
_RUN_AND_REASON = struct.Struct("<QB")


class Kind(IntEnum):
    """The kinds of frames."""

    CONFIGURE = 1
    """To the session: the first frame, a `Configuration`."""
    RETURNED = 2
    """To the session: run id, then the AttemptReport."""
    PROGRESS = 3
    """To the session: run id, then the ProgressUpdate."""
    RESIZE = 4
    """To the session: the number of slots as JSON."""
    DRAIN = 5
    """To the session: the seconds that handlers have to finish, as JSON."""
    START = 6
    """To the handlers: run id, then the Assignment."""
    STOP = 7
    """To the handlers: run id and StopReason."""
    EVENT = 8
    """To the handlers: an event of the session, a JSON object with `event`."""
    LOG = 9
    """To the handlers: a JSON object with `level` and `message`."""
    PREPARE = 10
    """To a handler process: the first frame, the modules to import, as JSON."""
    TERMS = 11
    """To a handler process: the `Terms` of the runs that follow."""
    UNFIT = 12
    """From a handler process: why it can't start, as JSON."""
    REFUSED = 13
    """To the handlers: why the control plane refuses the worker, as JSON."""
    CALL = 14
    """From a handler process: a `PipedCall`."""
    ANSWER = 15
    """To a handler process: the `PipedAnswer` to a call."""
    LEASE = 16
    """To the handlers: until when the lease is proved, in seconds of the monotonic clock, as JSON."""
    FENCED = 17
    """To the session: handlers were stopped, because that time had passed."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Configuration of a session process.

    Attributes:
        address: gRPC target of the control plane.
        request: The OpenSession request of the worker.
        busy_runs: Runs of an earlier session process whose handlers have not returned.
        max_input: Maximum size of an input in bytes. 0: any.
    """

    address: str
    request: OpenSessionRequest
    busy_runs: tuple[int, ...] = ()
    max_input: int = 0

    def to_frame(self) -> bytes:
        """Returns the configuration as a frame."""
        fields = {
            "address": self.address,
            "request": base64.b64encode(self.request.SerializeToString()).decode(),
            "busy_runs": self.busy_runs,
            "max_input": self.max_input,
        }
        return json_frame(Kind.CONFIGURE, fields)

    @classmethod
    def from_body(cls, body: bytes) -> Configuration:
        """Reads the body of the frame."""
        fields = json.loads(body)
        request = OpenSessionRequest.FromString(base64.b64decode(fields["request"]))
        return cls(fields["address"], request, tuple(fields["busy_runs"]), fields["max_input"])


@dataclass(frozen=True, slots=True)
class Terms:
    """Facts about the worker and its session that handler runs need.

    Attributes:
        max_payload: Maximum size of a result or checkpoint in bytes. 0: not stated.
        session_id: UUID of the worker's session.
        address: gRPC target of the control plane.
        namespace: Namespace of the worker.
    """

    max_payload: int = 0
    session_id: str = ""
    address: str = ""
    namespace: str = ""

    def to_frame(self) -> bytes:
        """Returns the terms as a frame."""
        return json_frame(Kind.TERMS, asdict(self))

    @classmethod
    def from_body(cls, body: bytes) -> Terms:
        """Reads the body of the frame."""
        return cls(**json.loads(body))


def json_frame(kind: Kind, value: Any) -> bytes:
    """Returns a frame whose body is JSON."""
    return frame(kind, json.dumps(value).encode())


def run_frame(kind: Kind, run_id: int, message: bytes = b"") -> bytes:
    """Returns a frame about one run."""
    return frame(kind, _RUN.pack(run_id) + message)


def read_run(body: bytes) -> tuple[int, bytes]:
    """Returns run id and message of a frame about one run."""
    return _RUN.unpack_from(body)[0], body[_RUN.size :]


def stop_frame(run_id: int, reason: StopReason) -> bytes:
    """Returns a frame that asks a handler to stop."""
    return frame(Kind.STOP, _RUN_AND_REASON.pack(run_id, reason))


def read_stop(body: bytes) -> tuple[int, StopReason]:
    """Returns run id and reason of a stop frame."""
    run_id, reason = _RUN_AND_REASON.unpack(body)
    return run_id, StopReason(reason)


def read_json(body: bytes) -> Any:
    """Returns the value of a JSON body."""
    return json.loads(body)
