"""Handlers in processes can be killed, and their death affects nothing else."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
from pathlib import Path

import pytest

from muster import Worker
from muster.durations import to_duration
from muster.payloads import decode
from muster.v1.failure_pb2 import FAILURE_CAUSE_APPLICATION
from muster.worker.process_preparation import preparation_frame
from tests.support import process_handlers as handlers
from tests.support.control_plane import Key
from tests.support.facts import eventually, process_is_alive
from tests.support.outcomes import begin, outcome, run

# The scripts' frame has no `__main__` guard, because one of the tests needs it to be missing.
_STARTS_NOTHING_WHEN_IMPORTED = """
if __name__ != "__main__":
    worker.run = lambda: None
"""


def begun(control_plane, handler: str, path: Path, **fields) -> tuple[Key, list[int]]:
    """Starts a job whose handler writes process ids to a file."""
    key, text = begin(control_plane, handler, str(path), lambda: path.exists() and path.read_text(), **fields)
    return key, [int(word) for word in text.split()]


def all_gone(pids: list[int]) -> None:
    eventually(lambda: not any(map(process_is_alive, pids)), "its processes are gone")


def test_input_result_progress_checkpoint_and_log(control_plane, started) -> None:
    worker = Worker(control_plane.address)
    worker.add_handler("square", handlers.square, process=True)
    started(worker)
    report = run(control_plane, "square", {"value": 7})
    assert decode(report.result) == {"value": 49}
    updates = [update for _, beat in control_plane.session.beats for update in beat.progress]
    lines = [record.message for update in updates for record in update.logs] + [
        record.message for record in report.logs
    ]
    assert "squaring" in lines
    wrong = run(control_plane, "square", {"value": "seven"})
    assert (wrong.failure.non_retryable, wrong.failure.message) == (
        True,
        "input.value: a whole number is needed, not 'seven'",
    )


def test_processes_are_kept_for_the_next_job(control_plane, started) -> None:
    worker = Worker(control_plane.address, slots=1)
    for name in ("one", "two"):
        worker.add_handler(name, handlers.pid_of, process=True)
    worker.add_handler("fail", handlers.fail, process=True)
    started(worker)
    pids = [decode(run(control_plane, name).result) for name in ("one", "two", "one")]
    failure = run(control_plane, "fail", "no good").failure
    pids.append(decode(run(control_plane, "two").result))
    assert len(set(pids)) == 1
    assert pids[0] != os.getpid()
    assert (failure.type, failure.message) == ("ValueError", "no good")
    assert "process_handlers.py" in failure.stack_trace
    worker.stop()
    assert worker.wait(60)
    all_gone(pids)


@pytest.mark.parametrize(
    "ending",
    [(3, 3, "with exit code 3"), (-9, 137, "by SIGKILL"), (None, 139, "by SIGSEGV")],
)
def test_a_process_that_dies_fails_its_attempt_alone(control_plane, started, caplog, ending) -> None:
    value, code, message = ending
    worker = Worker(control_plane.address, slots=2)
    worker.add_handler("die", handlers.die, process=True)
    worker.add_handler("crash", handlers.crash, process=True)
    worker.add_handler("square", handlers.square, process=True)
    started(worker)
    failure = run(control_plane, "crash" if value is None else "die", value).failure
    assert (failure.type, failure.exit_code) == ("HandlerProcessDied", code)
    assert failure.message.endswith(message)
    assert failure.failure_cause == FAILURE_CAUSE_APPLICATION
    assert decode(run(control_plane, "square", {"value": 2}).result) == {"value": 4}
    assert control_plane.session is control_plane.sessions[0]
    assert any(record.levelno == logging.ERROR for record in caplog.records)


@pytest.mark.parametrize("by", ["cancel", "run_timeout"])
def test_a_handler_that_never_yields_is_killed(control_plane, started, tmp_path: Path, by: str) -> None:
    worker = Worker(control_plane.address, slots=1)
    worker.add_handler("never", handlers.never_yields, process=True, kill_after=0.2)
    worker.add_handler("echo", lambda ctx, value: value)
    started(worker)
    path = tmp_path / "pids"
    limits = {"run_timeout": to_duration(4.0)} if by == "run_timeout" else {}
    key, pids = begun(control_plane, "never", path, **limits)
    if by == "cancel":
        control_plane.cancel(key)
    report = outcome(control_plane, key)
    if by == "cancel":
        assert report.WhichOneof("outcome") == "cancelled"
    else:
        assert report.failure.type == "RunTimeout"
    all_gone(pids)  # what it had started as well
    assert decode(run(control_plane, "echo", 1).result) == 1  # its slot is free


def test_a_handler_that_stops_when_asked_is_not_killed(control_plane, started, tmp_path: Path) -> None:
    worker = Worker(control_plane.address, slots=1)
    worker.add_handler("stops", handlers.stops, process=True, kill_after=600)
    worker.add_handler("awaits", handlers.awaits, process=True, kill_after=600)
    worker.add_handler("pid", handlers.pid_of, process=True)
    started(worker)
    seen: list[int] = []
    for name, kind in (("stops", "cancelled"), ("finish", "result"), ("awaits", "result")):
        path = tmp_path / name
        key, pids = begun(control_plane, "awaits" if name == "awaits" else "stops", path)
        seen += pids
        control_plane.cancel(key)
        report = outcome(control_plane, key)
        assert report.WhichOneof("outcome") == kind
    assert decode(report.result) == f"cancelled in {seen[0]}"
    assert decode(run(control_plane, "pid").result) == seen[0]
    assert len(set(seen)) == 1


def test_signals_to_the_process_are_the_workers_to_act_on(control_plane, started) -> None:
    worker = Worker(control_plane.address)
    worker.add_handler("signals", handlers.ignores_signals, process=True)
    started(worker)
    assert decode(run(control_plane, "signals").result) == "still here"


def test_the_end_of_the_worker_kills_what_runs(control_plane, started, tmp_path: Path) -> None:
    worker = Worker(control_plane.address, drain_timeout=0.1)
    worker.add_handler("never", handlers.never_yields, process=True, kill_after=0.1)
    started(worker)
    path = tmp_path / "pids"
    key, pids = begun(control_plane, "never", path)
    worker.stop()
    assert worker.wait(60)
    all_gone(pids)
    assert key not in control_plane.outcomes  # closing the session gives it back


def test_the_death_of_the_worker_is_that_of_its_processes(control_plane, script, tmp_path: Path) -> None:
    worker = script(
        control_plane.address,
        f"""
sys.path.insert(0, {str(Path(__file__).parents[2])!r})
from muster.worker.process_preparation import preparation_frame
from tests.support import process_handlers
worker.add_handler("never", process_handlers.never_yields, process=True)
"""
        + _STARTS_NOTHING_WHEN_IMPORTED,
    )
    worker.session_pid()
    path = tmp_path / "pids"
    _, (pid, program) = begun(control_plane, "never", path)
    worker.signal(signal.SIGKILL)
    try:
        all_gone([pid])
    finally:
        os.kill(program, signal.SIGKILL)


def test_handlers_in_threads_continue_while_one_in_a_process_keeps_the_lock(control_plane, started, tmp_path) -> None:
    worker = Worker(control_plane.address, slots=2)
    worker.add_handler("never", handlers.never_yields, process=True, kill_after=0.1)
    worker.add_handler("thread", lambda ctx, value: threading.current_thread().name)
    started(worker)
    path = tmp_path / "pids"
    key, _ = begun(control_plane, "never", path)
    for _ in range(10):
        assert "muster-handler" in decode(run(control_plane, "thread").result)
    control_plane.cancel(key)
    outcome(control_plane, key)


def test_a_main_module_that_starts_its_worker_unguarded_is_reported(control_plane, script) -> None:
    worker = script(
        control_plane.address,
        """
@worker.handler("square", process=True)
def square(ctx, value):
    return value * value
""",
    )
    worker.session_pid()
    failure = run(control_plane, "square", 3).failure
    assert failure.type == "HandlerProcessUnfit"
    assert '__name__ == "__main__"' in failure.stack_trace


def test_a_handler_of_the_main_module(control_plane, script) -> None:
    worker = script(
        control_plane.address,
        """
import os

@worker.handler("square", process=True)
def square(ctx, value: int):
    return [value * value, os.getppid()]

"""
        + _STARTS_NOTHING_WHEN_IMPORTED,
    )
    worker.session_pid()
    report = run(control_plane, "square", 3)
    assert decode(report.result) == [9, worker.pid]


def test_how_the_program_starts_processes_of_its_own_stays_its_choice() -> None:
    before = multiprocessing.get_start_method(allow_none=True)
    for chosen in (None, "spawn"):
        multiprocessing.set_start_method(chosen, force=True)
        preparation_frame({"square": handlers.square})
        assert multiprocessing.get_start_method(allow_none=True) == chosen
    multiprocessing.set_start_method(before, force=True)


def test_what_can_not_be_found_by_another_process_is_refused() -> None:
    worker = Worker()

    def inner(ctx, value):
        pass

    for function in (lambda ctx, value: None, inner, Worker().handler):
        with pytest.raises(TypeError, match="at the top of a module"):
            worker.add_handler("x", function, process=True)
    with pytest.raises(ValueError, match="kill_after"):
        worker.add_handler("x", handlers.square, process=True, kill_after=-1)
