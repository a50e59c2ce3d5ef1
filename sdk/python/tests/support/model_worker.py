"""A worker of the dispatch model: the real session core, and a simulated process around it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from muster.v1.failure_pb2 import Failure
from muster.worker.attempt_key import AttemptKey
from muster.worker.beat_schedule import BeatSchedule
from muster.worker.handler_set import HandlerSet, VersionRange
from muster.worker.session_core import SessionCore
from muster.worker.session_settings import SessionSettings
from muster.worker.slot_table import SlotTable
from muster.worker.stop_reason import StopReason
from muster.worker.v1 import session_service_pb2 as messages
from muster.worker.v1.assignment_pb2 import Assignment, SessionMessage
from muster.worker.v1.attempt_report_pb2 import AttemptReport
from tests.support.model_terms import BEAT, LEASE, REPORT_DEADLINE, SLOTS, WAKING, Violation

if TYPE_CHECKING:
    from tests.support.dispatch_model import Model


class ModelWorker:
    """A simulated process around the real core: its clock, its calls, its handlers. Implements the core's ports."""

    def __init__(self, model: Model, rate: float) -> None:
        self.paused_until = 0.0
        self._model = model
        self._rate = rate
        self._slots = SlotTable(SLOTS)
        self._session_id = b""
        self._core: SessionCore | None = None
        self._schedule: BeatSchedule | None = None
        self._runs: dict[int, tuple[AttemptKey, bytes]] = {}
        self._started: set[tuple[AttemptKey, bytes]] = set()
        self._has_bus = True

    @property
    def clock(self) -> float:
        return self._model.now * self._rate

    def when_awake(self, action: Callable[[], None]) -> bool:
        """Whether the process runs; if it is paused, the action is performed when it resumes."""
        if self._model.now < self.paused_until:
            self._model.at(self.paused_until, action)
            return False
        return True

    # ---- sessions

    def open(self) -> None:
        model, now = self._model, self.clock
        self._session_id = model.open_session(self)
        settings = SessionSettings(
            session_id=self._session_id, lease=LEASE, beat_interval=BEAT, opened_at=now,
            handlers=HandlerSet({"any": VersionRange()}),
        )  # fmt: skip
        self._core = SessionCore(settings, self, self._slots)
        self._schedule = BeatSchedule(now, BEAT, LEASE, model.random.random)

    def restart(self) -> None:
        """A graceful restart that does not wait for handlers."""
        if self.when_awake(self.restart) and self._core is not None:
            self._core.lose()
            self._model.close_session(self._session_id)
            self.open()

    def lose(self) -> None:
        assert self._core is not None
        self._core.lose()
        self.open()

    # ---- what happens to it

    def tick(self) -> None:
        if not self.when_awake(self.tick):
            return
        if self._core is not None and self._schedule is not None:
            self._core.tick(self.clock)
            if self._schedule.is_due(self.clock):
                self._beat(self._core, self._schedule)
            self._report(self._core)
        self._model.at(self._model.now + 0.1, self.tick)

    def on_message(self, session_id: bytes, message: SessionMessage) -> None:
        if not self.when_awake(lambda: self.on_message(session_id, message)):
            return
        if session_id == self._session_id and self._has_bus and self._core is not None:
            self._core.on_message(self.clock, message)

    def lose_bus(self, seconds: float) -> None:
        if self._core is not None and self._has_bus:
            self._has_bus = False
            self._core.on_bus_broken()
            self._model.at(self._model.now + seconds, self._find_bus)

    def _find_bus(self) -> None:
        self._has_bus = True
        self.beat_soon()

    def _beat(self, core: SessionCore, schedule: BeatSchedule) -> None:
        beat = core.begin_beat(self.clock)
        schedule.sent(beat.sent_at)

        def answered(reply: messages.SendHeartbeatResponse) -> None:
            schedule.answered(beat.sent_at, self.clock, None)
            core.end_beat(self.clock, beat, reply)

        def failed() -> None:
            schedule.failed(self.clock)
            core.fail_beat(self.clock, beat, is_broken=False)

        self._call(core, lambda: self._model.heartbeat(beat.request), answered, failed, schedule.deadline)

    def _report(self, core: SessionCore) -> None:
        pending = core.begin_report(self.clock)
        if pending is None:
            return

        def answered(results: list[int]) -> None:
            core.end_report(pending, results)

        def failed() -> None:
            core.fail_report(pending, is_broken=False)

        self._call(core, lambda: self._model.report_attempts(pending.request), answered, failed, REPORT_DEADLINE)

    def _call(
        self,
        core: SessionCore,
        serve: Callable[[], Any],
        answered: Callable[[Any], None],
        failed: Callable[[], None],
        deadline: float,
    ) -> None:
        """A unary call: request and reply may be lost or late; then it fails at its deadline."""
        is_over = False

        def end(action: Callable[[], None]) -> None:
            nonlocal is_over
            if is_over or core is not self._core or not self.when_awake(lambda: end(action)):
                return
            is_over = True
            action()

        def arrive() -> None:
            reply = serve()
            self._model.send(lambda: end(self.lose if reply is None else lambda: answered(reply)))

        self._model.send(arrive)
        self._model.at(self._model.now + deadline, lambda: end(failed))

    # ---- ports

    def start_run(self, run_id: int, assignment: Assignment) -> None:
        model = self._model
        run = ((assignment.job_id, assignment.attempt), self._session_id)
        if run in self._started:
            raise Violation("an attempt is started twice")
        self._started.add(run)
        for (key, _), other in model.executions.items():
            if key[0] == assignment.job_id:
                if model.now >= other.paused_until + WAKING:
                    raise Violation("a job runs twice at once")
                model.counts["zombies"] += 1
        model.executions[run] = self
        self._runs[run_id] = run
        model.at(model.now + model.random.choice([0.1, 0.5, 3.0, 20.0, 40.0]), lambda: self._return(run_id, "result"))

    def stop_run(self, run_id: int, reason: StopReason) -> None:
        self._model.executions.pop(self._runs[run_id], None)
        self._model.at(self._model.now, lambda: self._return(run_id, "failure"))

    def _return(self, run_id: int, kind: str) -> None:
        if not self.when_awake(lambda: self._return(run_id, kind)) or run_id not in self._runs:
            return
        run = self._runs.pop(run_id)
        self._model.executions.pop(run, None)
        key = run[0]
        report = AttemptReport(job_id=key[0], attempt=key[1])
        if kind == "result":
            report.result.SetInParent()
        else:
            report.failure.CopyFrom(Failure(type="JobStopped"))
        assert self._core is not None
        self._core.on_returned(self.clock, run_id, report)

    def beat_soon(self) -> None:
        if self._schedule is not None:
            self._schedule.want()

    def beat_within(self, seconds: float) -> None:
        if self._schedule is not None:
            self._schedule.want(self.clock + seconds)

    def beat_for_logs(self) -> None:
        if self._schedule is not None:
            self._schedule.want_for_logs(self.clock)

    def report_soon(self) -> None:
        pass

    def reconnect_bus(self, urls: list[str]) -> None:
        pass

    def publish(self, event: object) -> None:
        pass

    def log(self, level: int, message: str) -> None:
        pass
