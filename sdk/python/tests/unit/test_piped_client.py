"""Calls that the worker makes for a handler process."""

from __future__ import annotations

import threading

import grpc
import pytest

from muster.client.call import Scope
from muster.client.job_calls import get
from muster.errors import MusterError
from muster.v1.job_pb2 import Job
from muster.v1.job_service_pb2 import GetJobResponse
from muster.worker import piped_client
from muster.worker.call_relay import CallRelay
from muster.worker.frames import FrameReader
from muster.worker.messages import Kind, Terms
from muster.worker.piped_calls import PipedAnswer, PipedCall
from muster.worker.piped_client import PipeChannel, PipedClient
from tests.support.job_service import serving

PATH = get(Scope(""), "x").method.path


def body_of(frame: bytes, kind: Kind) -> bytes:
    ((found, body),) = FrameReader().feed(frame)
    assert found == kind
    return body


def relayed(address: str) -> tuple[PipedClient, CallRelay]:
    """A client whose frames go directly to a relay, and back."""
    relay = CallRelay(address)
    channel: PipeChannel = PipeChannel(
        lambda call: relay.make(
            body_of(call, Kind.CALL), lambda answer: channel.answered(body_of(answer.to_frame(), Kind.ANSWER))
        )
    )
    return PipedClient(channel, address, "default"), relay


def test_frames_come_back_as_they_were() -> None:
    call = PipedCall(7, PATH, 1.5, (("traceparent", "00-1"),), b"\x00\xff")
    assert PipedCall.from_body(body_of(call.to_frame(), Kind.CALL)) == call
    answer = PipedAnswer(7, "NOT_FOUND", "none", (("grpc-status-details-bin", b"\xff"),), b"\x01")
    assert PipedAnswer.from_body(body_of(answer.to_frame(), Kind.ANSWER)) == answer
    terms = Terms(5, "session", "a:1", "default")
    assert Terms.from_body(body_of(terms.to_frame(), Kind.TERMS)) == terms


def test_replies_and_errors_come_through() -> None:
    def serve(request, context):
        if request.job_id == "none":
            context.abort(grpc.StatusCode.NOT_FOUND, "there is none")
        return GetJobResponse(job=Job(job_id=request.job_id))

    with serving({"GetJob": serve}) as (address, _):
        client, relay = relayed(address)
        assert client.get("one").job_id == "one"
        with pytest.raises(MusterError, match="there is none") as caught:
            client.get("none")
        assert caught.value.code is grpc.StatusCode.NOT_FOUND
        relay.close()
        relay.make(body_of(PipedCall(1, PATH, 1.0, (), b"").to_frame(), Kind.CALL), pytest.fail)


def test_a_worker_that_does_not_answer_is_waited_for_no_longer_than_the_call(monkeypatch) -> None:
    monkeypatch.setattr(piped_client, "_GRACE_SECONDS", 0.0)
    sent: list[bytes] = []
    channel = PipeChannel(sent.append)
    call = channel.unary_unary(PATH, request_serializer=bytes, response_deserializer=bytes)
    with pytest.raises(grpc.RpcError) as caught:
        call(b"", timeout=0.01, metadata=())
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    number = PipedCall.from_body(body_of(sent[0], Kind.CALL)).number
    channel.answered(body_of(PipedAnswer(number, "OK").to_frame(), Kind.ANSWER))  # too late, and harmless


def test_answers_may_come_in_any_order() -> None:
    sent: list[PipedCall] = []
    both = threading.Barrier(3, timeout=10)

    def send(frame: bytes) -> None:
        sent.append(PipedCall.from_body(body_of(frame, Kind.CALL)))
        both.wait()

    channel = PipeChannel(send)
    call = channel.unary_unary(PATH, request_serializer=bytes, response_deserializer=bytes)
    replies: dict[bytes, bytes] = {}

    def ask(text: bytes) -> None:
        replies[text] = call(text, timeout=10, metadata=())

    threads = [threading.Thread(target=ask, args=(text,)) for text in (b"a", b"b")]
    for thread in threads:
        thread.start()
    both.wait()
    for one in reversed(sent):
        channel.answered(body_of(PipedAnswer(one.number, "OK", reply=one.request * 2).to_frame(), Kind.ANSWER))
    for thread in threads:
        thread.join(10)
    assert replies == {b"a": b"aa", b"b": b"bb"}
