"""Fixtures: a real NATS server, a real gRPC server, and real workers; each test gets its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from muster import Worker
from tests.support.control_plane import ControlPlane
from tests.support.facts import eventually, process_is_alive
from tests.support.nats_server import NatsServer
from tests.support.worker_script import WorkerScript


@pytest.fixture
def nats(tmp_path: Path) -> Iterator[NatsServer]:
    server = NatsServer(tmp_path / "nats")
    yield server
    server.stop()


@pytest.fixture
def control_plane(nats: NatsServer) -> Iterator[ControlPlane]:
    """A control plane with short beat intervals, so that tests need not wait long for a beat."""
    with ControlPlane(nats.url, lease=6.0, beat_interval=0.5) as plane:
        yield plane


@pytest.fixture
def started() -> Iterator[Callable[[Worker], Worker]]:
    """Starts workers and waits for their sessions; finally stops them and checks that they left nothing behind."""
    workers: list[Worker] = []

    def start(worker: Worker) -> Worker:
        workers.append(worker)
        worker.start()
        assert worker.wait_open(20)
        return worker

    yield start
    for worker in workers:
        worker.stop(drain=False)
        assert worker.wait(30)
    for worker in workers:
        pid = worker.session_pid
        assert pid is not None
        eventually(lambda pid=pid: not process_is_alive(pid), "the session process is gone")


@pytest.fixture
def script(tmp_path: Path) -> Iterator[Callable[[str, str], WorkerScript]]:
    """Runs workers in their own processes; finally kills those that still run."""
    scripts: list[WorkerScript] = []

    def run(address: str, body: str) -> WorkerScript:
        scripts.append(WorkerScript(tmp_path / f"worker{len(scripts)}.py", address, body))
        return scripts[-1]

    yield run
    for one in scripts:
        one.end()
