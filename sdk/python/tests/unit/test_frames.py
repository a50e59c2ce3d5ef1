"""The pipe between the session process and the worker's process."""

from __future__ import annotations

import random
import socket
import threading

import pytest

from muster.worker import messages
from muster.worker.frame_writer import FrameWriter
from muster.worker.frames import MAX_BODY_BYTES, FrameError, FrameReader, frame
from muster.worker.stop_reason import StopReason
from muster.worker.v1.session_service_pb2 import OpenSessionRequest


def test_frames_survive_any_cutting() -> None:
    source = random.Random(7)
    sent = [(source.randrange(256), source.randbytes(source.choice([0, 1, 5, 300]))) for _ in range(300)]
    stream = b"".join(frame(kind, body) for kind, body in sent)
    reader = FrameReader()
    received = []
    start = 0
    while start < len(stream):
        end = start + source.choice([1, 2, 7, 1_000])
        received += reader.feed(stream[start:end])
        start = end
    assert received == sent


def test_a_length_out_of_bounds_is_a_fault() -> None:
    with pytest.raises(FrameError):
        FrameReader().feed(b"\xff\xff\xff\xff\x01")
    with pytest.raises(FrameError):
        frame(1, bytes(MAX_BODY_BYTES + 1))


def test_messages_come_back_as_they_were() -> None:
    configuration = messages.Configuration("a:1", OpenSessionRequest(worker_name="w", slots=3), (4, 5), 6)
    ((kind, body),) = FrameReader().feed(configuration.to_frame())
    assert (kind, messages.Configuration.from_body(body)) == (messages.Kind.CONFIGURE, configuration)
    ((kind, body),) = FrameReader().feed(messages.stop_frame(2**40, StopReason.RUN_TIMEOUT))
    assert (kind, messages.read_stop(body)) == (messages.Kind.STOP, (2**40, StopReason.RUN_TIMEOUT))
    ((kind, body),) = FrameReader().feed(messages.run_frame(messages.Kind.START, 9, b"abc"))
    assert (kind, messages.read_run(body)) == (messages.Kind.START, (9, b"abc"))


def test_threads_that_write_at_once_lose_and_mix_nothing() -> None:
    ours, theirs = socket.socketpair()
    writer = FrameWriter(ours)
    threads, each = 8, 500

    def write(number: int) -> None:
        for count in range(each):
            writer.send(frame(number, count.to_bytes(4, "big") * 50))

    received: dict[int, list[int]] = {}

    def read() -> None:
        reader = FrameReader()
        while data := theirs.recv(65_536):
            for kind, body in reader.feed(data):
                received.setdefault(kind, []).append(int.from_bytes(body[:4], "big"))

    reading = threading.Thread(target=read)
    writing = [threading.Thread(target=write, args=(number,)) for number in range(threads)]
    for thread in (reading, *writing):
        thread.start()
    for thread in writing:
        thread.join(20)
    ours.close()
    reading.join(20)
    theirs.close()
    assert received == {number: list(range(each)) for number in range(threads)}


def test_a_broken_pipe_takes_anything() -> None:
    ours, theirs = socket.socketpair()
    theirs.close()
    writer = FrameWriter(ours)
    for _ in range(3):
        writer.send(frame(1, b"x"))
    ours.close()
    writer.send(frame(1, b"x"))


def test_a_late_frame_is_made_when_it_is_written() -> None:
    ours, theirs = socket.socketpair()
    writer = FrameWriter(ours)
    value = [b"old"]

    class Late:
        def take_frame(self) -> bytes:
            return frame(2, value[0])

    writer._lock.acquire()  # another thread is writing
    writer.send(Late())
    value[0] = b"new"
    writer._lock.release()
    writer.send(frame(3, b""))
    assert FrameReader().feed(theirs.recv(100)) == [(2, b"new"), (3, b"")]
    ours.close()
    theirs.close()
