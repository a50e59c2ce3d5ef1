"""Runs handlers in processes, one at a time in each, and kills those that do not stop in time."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from muster.v1.failure_pb2 import FAILURE_CAUSE_APPLICATION, FAILURE_CAUSE_INFRASTRUCTURE, Failure
from muster.worker.call_relay import CallRelay
from muster.worker.fence import may_continue
from muster.worker.frames import frame
from muster.worker.handler_process import HandlerProcess
from muster.worker.messages import Kind, Terms, read_json, read_run, run_frame, stop_frame
from muster.worker.process_preparation import preparation_frame
from muster.worker.stop_reason import StopReason
from muster.worker.v1.assignment_pb2 import Assignment
from muster.worker.v1.attempt_report_pb2 import AttemptReport

_SIGNAL_EXIT_CODE = 128
_LAST_WORDS_SECONDS = 2.0
_SIGNALS = frozenset(int(number) for number in signal.Signals)
_logger = logging.getLogger("muster.worker")


@dataclass(slots=True, eq=False)
class _Run:
    process: HandlerProcess
    report: AttemptReport
    kill_after: float
    continues_without_lease: bool
    timer: threading.Timer | None = None


class ProcessRuns:
    """Starts processes on demand, and keeps idle ones for the next handler.

    The session starts no more attempts than there are slots, which bounds the number of processes.

    Args:
        functions: The handlers by name.
        send: Sends frames to the session process.
        relay: Makes the calls of the handlers. None: there are no handlers.
    """

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]],
        send: Callable[[bytes], None],
        relay: CallRelay | None,
    ) -> None:
        self._functions = functions
        self._send = send
        self._relay = relay
        self._lock = threading.Lock()
        self._idle: list[HandlerProcess] = []
        self._processes: set[HandlerProcess] = set()
        self._runs: dict[int, _Run] = {}
        self._none_left = threading.Event()
        self._none_left.set()
        self._is_closed = False

    def busy_runs(self) -> tuple[int, ...]:
        """Returns the runs whose handlers have not returned."""
        with self._lock:
            return tuple(self._runs)

    def start(self, run_id: int, assignment: Assignment, *, kill_after: float, terms: Terms) -> None:
        """Runs the handler of an attempt.

        Args:
            run_id: The run.
            assignment: The attempt.
            kill_after: Seconds between the request to stop and the kill.
            terms: The terms of the attempt's session.
        """
        report = AttemptReport(job_id=assignment.job_id, attempt=assignment.attempt)
        try:
            with self._lock:
                process = self._idle.pop() if self._idle else self._new_process()
                self._runs[run_id] = _Run(process, report, kill_after, may_continue(assignment))
        except OSError as error:
            message = f"no process could be started for the handler: {error}"
            report.failure.CopyFrom(
                Failure(type=type(error).__name__, message=message, failure_cause=FAILURE_CAUSE_INFRASTRUCTURE)
            )
            self._send_report(run_id, report)
            return
        process.send(terms.to_frame() + run_frame(Kind.START, run_id, assignment.SerializeToString()))

    def stop(self, run_id: int, reason: StopReason) -> None:
        """Asks a handler to stop, and kills its process if it has not returned in time."""
        with self._lock:
            run = self._runs.get(run_id)
            if run is None or run.timer is not None:
                return
            run.timer = threading.Timer(run.kill_after, self._kill, (run_id,))
            run.timer.daemon = True
            run.timer.start()
        run.process.send(stop_frame(run_id, reason))

    def fence(self) -> None:
        """Asks the handlers to stop that may not continue without a lease."""
        with self._lock:
            fenced = [run_id for run_id, run in self._runs.items() if not run.continues_without_lease]
        for run_id in fenced:
            self.stop(run_id, StopReason.LEASE_LOST)

    def stop_all(self, reason: StopReason) -> None:
        """Asks every handler to stop."""
        for run_id in self.busy_runs():
            self.stop(run_id, reason)

    def close(self) -> None:
        """Kills every process that runs a handler, and any other process that has not exited within two seconds."""
        with self._lock:
            self._is_closed = True
            for run in self._runs.values():
                if run.timer is not None:
                    run.timer.cancel()
                run.process.kill()
            for process in self._idle:
                process.hang_up()
        self._none_left.wait(_LAST_WORDS_SECONDS)
        with self._lock:
            for process in self._processes:
                process.kill()
        if self._relay is not None:
            self._relay.close()

    def _new_process(self) -> HandlerProcess:
        process = HandlerProcess(preparation_frame(self._functions), self._on_frame, self._on_end)
        self._processes.add(process)
        self._none_left.clear()
        return process

    def _kill(self, run_id: int) -> None:
        with self._lock:
            run = self._runs.get(run_id)
            if run is not None:
                run.process.kill()

    def _on_frame(self, process: HandlerProcess, kind: int, body: bytes) -> None:
        if kind == Kind.RETURNED:
            run_id, _ = read_run(body)
            with self._lock:
                run = self._runs.pop(run_id)
                if run.timer is not None:
                    run.timer.cancel()
                if not process.is_killed:
                    self._idle.append(process)
        if kind == Kind.UNFIT:
            process.complaint = read_json(body)
        elif kind == Kind.CALL and self._relay is not None:
            self._relay.make(body, process.answer)
        else:
            self._send(frame(kind, body))

    def _on_end(self, process: HandlerProcess, code: int) -> None:
        with self._lock:
            self._processes.discard(process)
            if not self._processes:
                self._none_left.set()
            if process in self._idle:
                self._idle.remove(process)
            ended = [(run_id, run) for run_id, run in self._runs.items() if run.process is process]
            for run_id, _ in ended:
                del self._runs[run_id]
            is_expected = self._is_closed or process.is_killed
        if not is_expected:
            _logger.error("the handler process %d ended: %s", process.pid, process.complaint or _how(code))
        for run_id, run in ended:
            run.report.failure.CopyFrom(_failure_of(process, code, run))
            self._send_report(run_id, run.report)

    def _send_report(self, run_id: int, report: AttemptReport) -> None:
        self._send(run_frame(Kind.RETURNED, run_id, report.SerializeToString()))


def _failure_of(process: HandlerProcess, code: int, run: _Run) -> Failure:
    """After a request to stop, the session replaces this failure according to the reason of the stop."""
    failure = Failure(failure_cause=FAILURE_CAUSE_APPLICATION, exit_code=_exit_code(code))
    if process.is_killed:
        failure.type = "HandlerKilled"
        failure.message = f"the handler was killed {run.kill_after:g} s after it had been asked to stop"
    elif process.complaint:
        failure.type = "HandlerProcessUnfit"
        failure.message = "the handler's process could not import what it needs"
        failure.stack_trace = process.complaint
    else:
        failure.type = "HandlerProcessDied"
        failure.message = f"the handler's process ended {_how(code)}"
    return failure


def _how(code: int) -> str:
    if code >= 0:
        return f"with exit code {code}"
    return f"by signal {-code}" if -code not in _SIGNALS else f"by {signal.Signals(-code).name}"


def _exit_code(code: int) -> int:
    return code if code >= 0 else _SIGNAL_EXIT_CODE - code
