"""A client for handlers in processes. The worker makes its calls, so the process needs no connection."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as OutOfTimeError
from typing import Any

import grpc

from muster.client.sync_client import Client
from muster.worker.children import PATIENCE_SECONDS, PATIENT
from muster.worker.piped_calls import PipedAnswer, PipedCall

# Added to the timeout for a worker that hangs; normally the worker's own deadline expires first.
_GRACE_SECONDS = 5.0


class PipedCallError(grpc.RpcError):  # type: ignore[misc]  # gRPC has no types
    """A failed call, in the form of a gRPC error."""

    def __init__(self, answer: PipedAnswer) -> None:
        super().__init__(answer.message)
        self._answer = answer

    def code(self) -> grpc.StatusCode:
        """The status code."""
        return grpc.StatusCode[self._answer.code]

    def details(self) -> str:
        """The message of the status."""
        return self._answer.message

    def trailing_metadata(self) -> tuple[tuple[str, bytes], ...]:
        """The error details that the control plane attached."""
        return self._answer.trailers


class PipeChannel:
    """The part of a gRPC channel that a client uses, over the pipe to the worker. Thread-safe.

    Args:
        send: Sends frames to the worker.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        self._send = send
        self._numbers = itertools.count(1)
        self._waiting: dict[int, Future[PipedAnswer]] = {}

    def unary_unary(
        self, path: str, *, request_serializer: Callable[[Any], bytes], response_deserializer: Callable[[bytes], Any]
    ) -> Callable[..., Any]:
        """Returns a function that calls a method and blocks until the answer."""

        def call(request: Any, *, timeout: float, metadata: tuple[tuple[str, str], ...]) -> Any:
            return response_deserializer(self._ask(path, request_serializer(request), timeout, metadata))

        return call

    def answered(self, body: bytes) -> None:
        """Takes the answer to a call; drops it if nothing waits for it any more."""
        answer = PipedAnswer.from_body(body)
        waiting = self._waiting.pop(answer.number, None)
        if waiting is not None:
            waiting.set_result(answer)

    def close(self) -> None:
        """Does nothing: the pipe belongs to the worker."""

    def _ask(self, path: str, request: bytes, timeout: float, metadata: tuple[tuple[str, str], ...]) -> bytes:
        number = next(self._numbers)
        waiting = self._waiting[number] = Future()
        self._send(PipedCall(number, path, timeout, metadata, request).to_frame())
        try:
            answer = waiting.result(timeout + _GRACE_SECONDS)
        except OutOfTimeError:
            self._waiting.pop(number, None)
            answer = PipedAnswer(number, grpc.StatusCode.DEADLINE_EXCEEDED.name, "the worker has not answered")
        if answer.code != grpc.StatusCode.OK.name:
            raise PipedCallError(answer)
        return answer.reply


class PipedClient(Client):
    """Like `Client`, over a pipe; supports unary calls only, which is all that handlers need."""

    def __init__(self, channel: PipeChannel, address: str, namespace: str) -> None:
        self._pipe = channel
        super().__init__(address, namespace=namespace, timeout=PATIENCE_SECONDS, retry=PATIENT)

    def _connect(self, address: str) -> PipeChannel:  # noqa: ARG002 - the worker knows where to
        return self._pipe
