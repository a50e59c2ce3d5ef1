"""The program of a handler process: imports the worker's modules, then runs one handler after the other."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
import traceback
from collections.abc import Callable
from queue import SimpleQueue

from muster.client.sync_client import Client
from muster.worker.attempt_runner import AttemptRunner
from muster.worker.children import ChildCalls
from muster.worker.frame_writer import FrameWriter
from muster.worker.frames import FrameReader
from muster.worker.handler_entry import HandlerEntry
from muster.worker.handler_loop import HandlerLoop
from muster.worker.messages import Kind, Terms, json_frame, read_json, read_run, read_stop
from muster.worker.piped_client import PipeChannel, PipedClient
from muster.worker.process_preparation import prepare

_CHUNK_BYTES = 256 * 1024
_SET_DEATH_SIGNAL = 1


class HandlerProgram:
    """Runs handlers in the main thread and listens in another one."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._writer = FrameWriter(end)
        self._line: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._handlers: dict[str, HandlerEntry] = {}
        self._calls = PipeChannel(self._writer.send)
        children = ChildCalls(self._client, lambda: self._runner.terms.session_id)
        self._runner = AttemptRunner(self._handlers, self._writer.send, self._line.put, HandlerLoop(), children)
        self._is_prepared = threading.Event()

    def run(self) -> None:
        """Runs until the worker closes its side of the pipe, then exits normally, with all exit functions."""
        threading.Thread(target=self._listen, name="muster-listen", daemon=True).start()
        while True:
            self._line.get()()

    def _listen(self) -> None:
        try:
            reader = FrameReader()
            while data := self._end.recv(_CHUNK_BYTES):
                for kind, body in reader.feed(data):
                    self._on_frame(kind, body)
        finally:
            if self._runner.busy_runs() or not self._is_prepared.is_set():
                os._exit(0)
            self._line.put(sys.exit)

    def _on_frame(self, kind: int, body: bytes) -> None:
        if kind == Kind.START:
            self._is_prepared.wait()
            self._runner.start(*read_run(body))
        elif kind == Kind.STOP:
            self._runner.stop(*read_stop(body))
        elif kind == Kind.TERMS:
            self._runner.terms = Terms.from_body(body)
        elif kind == Kind.ANSWER:
            self._calls.answered(body)
        elif kind == Kind.PREPARE:
            self._line.put(lambda: self._prepare(body))

    def _client(self) -> Client:
        terms = self._runner.terms
        return PipedClient(self._calls, terms.address, terms.namespace)

    def _prepare(self, body: bytes) -> None:
        try:
            self._handlers.update(prepare(read_json(body)))
        except BaseException:  # noqa: BLE001 - the user's modules may raise anything
            self._writer.send(json_frame(Kind.UNFIT, traceback.format_exc()))
            os._exit(1)
        self._is_prepared.set()


def _die_with(parent: int) -> None:
    """The closed pipe also shows the worker's end, but only while a handler lets other threads run."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_DEATH_SIGNAL, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(0)


def main(descriptor: int, parent: int) -> None:
    """Entry point of the child process.

    Args:
        descriptor: The connected socket to the worker.
        parent: The worker's process id.
    """
    _die_with(parent)
    # The worker decides when to stop. Not SIG_IGN, which programs started by handlers would inherit.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    HandlerProgram(socket.socket(fileno=descriptor)).run()
