"""The definitions that a worker applies at its start, over real gRPC. No session opens here."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from muster import MusterError, Worker
from muster.v1.job_definition_service_pb2 import ApplyJobDefinitionResponse
from tests.support.job_service import serving

NOBODY = "127.0.0.1:1"


def defining(address: str) -> Worker:
    worker = Worker(address)
    worker.define("first")
    worker.define("second", rollout=None)
    worker.add_handler("first", lambda _ctx, value: value)
    return worker


def refuse(code: grpc.StatusCode) -> Callable[[Any, grpc.ServicerContext], Any]:
    return lambda _request, context: context.abort(code, "for the test")


def test_a_refusal_ends_the_start() -> None:
    with serving({"ApplyJobDefinition": refuse(grpc.StatusCode.INVALID_ARGUMENT)}) as (address, services):
        worker = defining(address)
        for end in (worker.start, worker.wait):
            with pytest.raises(MusterError, match="refuses the worker's definition 'first': INVALID_ARGUMENT: for the"):
                end()
        assert [request.definition.name for _, request in services.requests] == ["first"]
    assert worker.session_pid is None
    with pytest.raises(RuntimeError, match="before the worker is started"):
        worker.define("third")


@pytest.mark.parametrize("run", [Worker.run, lambda worker: asyncio.run(worker.run_async())])
def test_a_refusal_ends_the_run(run: Callable[[Worker], None]) -> None:
    answers = {"ApplyJobDefinition": refuse(grpc.StatusCode.PERMISSION_DENIED)}
    with serving(answers) as (address, _), pytest.raises(MusterError) as refused:
        run(defining(address))
    assert refused.value.code is grpc.StatusCode.PERMISSION_DENIED


def test_while_the_control_plane_is_out_of_reach_the_start_waits() -> None:
    failures = [grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED]
    worker: Worker

    def apply(request, context):
        if failures:
            context.abort(failures.pop(0), "for the test")
        if request.definition.name == "second":
            worker.stop()  # no session follows
        return ApplyJobDefinitionResponse(definition=request.definition)

    with serving({"ApplyJobDefinition": apply}) as (address, services):
        worker = defining(address)
        worker.start()
        assert worker.wait(10)
    assert [request.definition.name for _, request in services.requests] == ["first", "first", "first", "second"]
    first, *repeated = [request.request_id for _, request in services.requests[:3]]
    assert repeated == [first, first]
    assert worker.session_pid is None


def test_a_stop_ends_the_wait() -> None:
    worker = defining(NOBODY)
    threading.Timer(0.3, worker.stop).start()
    worker.start()
    assert worker.wait(10)
    assert worker.session_pid is None


def test_a_signal_ends_the_wait() -> None:
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGTERM)).start()
    defining(NOBODY).run()
