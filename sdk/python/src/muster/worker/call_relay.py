"""Makes the calls of handlers that run in processes, over one connection of the worker."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import grpc

from muster.channels import channel_options
from muster.worker.piped_calls import PipedAnswer, PipedCall


class CallRelay:
    """The first call opens the connection; no call waits for another.

    Args:
        address: gRPC target of the control plane.
    """

    def __init__(self, address: str) -> None:
        self._address = address
        self._lock = threading.Lock()
        self._channel: Any = None
        self._is_closed = False

    def make(self, body: bytes, answer: Callable[[PipedAnswer], None]) -> None:
        """Makes the call of a frame.

        Args:
            body: Body of the frame.
            answer: Receives the answer, in gRPC's thread, which serves all calls: it must not block.
        """
        call = PipedCall.from_body(body)
        with self._lock:
            if self._is_closed:
                return  # its process is being killed
            if self._channel is None:
                self._channel = grpc.insecure_channel(self._address, options=channel_options(self._address))
            method = self._channel.unary_unary(call.path)
        future = method.future(call.request, timeout=call.timeout, metadata=call.metadata)
        future.add_done_callback(lambda done: answer(_answer_of(call.number, done)))

    def close(self) -> None:
        """Closes the connection, if there is one."""
        with self._lock:
            self._is_closed = True
            if self._channel is not None:
                self._channel.close()


def _answer_of(number: int, done: Any) -> PipedAnswer:
    code: grpc.StatusCode = done.code()
    if code is grpc.StatusCode.OK:
        return PipedAnswer(number, code.name, reply=done.result())
    trailers = tuple((name, value) for name, value in done.trailing_metadata() or () if isinstance(value, bytes))
    return PipedAnswer(number, code.name, done.details() or "", trailers)
