"""The writer to handler processes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from muster.worker import process_writer
from muster.worker.process_writer import ProcessWriter

MORE_THAN_A_PIPE_TAKES = b"x" * 4_000_000


@pytest.fixture
def pipe() -> Iterator[tuple[socket.socket, ProcessWriter]]:
    """The other end of a pipe, and a writer to it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        writer = ProcessWriter(ours, "writer of a test")
        yield theirs, writer
        writer.close()


def read(end: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += end.recv(1_000_000)
    return data


def test_frames_arrive_in_their_order(pipe) -> None:
    end, writer = pipe
    for word in (b"one ", b"two ", b"three"):
        writer.send(word)
    assert read(end, 13) == b"one two three"


def test_a_process_that_reads_nothing_holds_up_nobody(pipe) -> None:
    end, writer = pipe
    writer.send(MORE_THAN_A_PIPE_TAKES)
    writer.send(b"end")
    assert read(end, len(MORE_THAN_A_PIPE_TAKES) + 3).endswith(b"xend")


def test_only_so_much_is_kept_for_it(pipe, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process_writer, "MAX_WAITING_BYTES", 5_000_000)
    end, writer = pipe
    assert writer.offer(MORE_THAN_A_PIPE_TAKES)
    assert not writer.offer(MORE_THAN_A_PIPE_TAKES)
    assert writer.offer(b"end")
    assert read(end, len(MORE_THAN_A_PIPE_TAKES) + 3).endswith(b"xend")


def test_it_ends_in_the_middle_of_a_write(pipe) -> None:
    _, writer = pipe
    writer.send(MORE_THAN_A_PIPE_TAKES)
    writer.send(MORE_THAN_A_PIPE_TAKES)
    writer.close()
    assert "writer of a test" not in [thread.name for thread in threading.enumerate()]
    assert writer.offer(b"never read")
