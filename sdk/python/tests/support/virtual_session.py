"""A session core under a virtual clock, with ports that record their calls."""

from __future__ import annotations

from typing import Any

from muster import payloads
from muster.durations import to_duration
from muster.v1.failure_pb2 import Failure
from muster.worker.attempt_key import AttemptKey
from muster.worker.handler_set import HandlerSet, VersionRange
from muster.worker.pending_calls import PendingBeat, PendingReport
from muster.worker.session_core import SessionCore
from muster.worker.session_event import SessionEvent
from muster.worker.session_settings import SessionSettings
from muster.worker.slot_table import SlotTable
from muster.worker.stop_reason import StopReason
from muster.worker.v1 import session_service_pb2 as messages
from muster.worker.v1.assignment_pb2 import Assignment, CancelNotice, SessionMessage, SuspendNotice
from muster.worker.v1.attempt_report_pb2 import REPORT_RESULT_ACCEPTED, AttemptReport, ReleaseReason
from muster.worker.v1.session_pb2 import Credit

ACCEPTED = REPORT_RESULT_ACCEPTED


class RecordingPorts:
    """Records every call."""

    def __init__(self) -> None:
        self.started: dict[AttemptKey, int] = {}
        self.stopped: list[tuple[int, StopReason]] = []
        self.beats_wanted = 0
        self.log_beats_wanted = 0
        self.beat_wishes: list[float] = []
        self.reconnects = 0
        self.lines: list[str] = []
        self.events: list[SessionEvent] = []

    def start_run(self, run_id: int, assignment: Assignment) -> None:
        key = (assignment.job_id, assignment.attempt)
        assert key not in self.started, "an attempt is started twice"
        self.started[key] = run_id

    def stop_run(self, run_id: int, reason: StopReason) -> None:
        self.stopped.append((run_id, reason))

    def beat_soon(self) -> None:
        self.beats_wanted += 1

    def beat_within(self, seconds: float) -> None:
        self.beat_wishes.append(seconds)

    def beat_for_logs(self) -> None:
        self.log_beats_wanted += 1

    def report_soon(self) -> None:
        pass

    def reconnect_bus(self, urls: list[str]) -> None:
        self.reconnects += 1

    def publish(self, event: SessionEvent) -> None:
        self.events.append(event)

    def log(self, level: int, message: str) -> None:
        self.lines.append(message)


class VirtualSession:
    """Drives a core: `now` is the only clock."""

    def __init__(self, slots: int = 2, *, lease: float = 15.0, max_payload: int = 0, max_input: int = 0) -> None:
        self.now = 1_000.0
        self.ports = RecordingPorts()
        self.slots = SlotTable(slots)
        settings = SessionSettings(
            session_id=b"s" * 16, lease=lease, beat_interval=5.0, opened_at=self.now,
            handlers=HandlerSet({"add": VersionRange(), "old": VersionRange(2, 3)}),
            max_payload=max_payload, max_input=max_input,
        )  # fmt: skip
        self.core = SessionCore(settings, self.ports, self.slots)
        self._jobs = 0

    # ---- shortcuts

    def first_credits(self) -> list[Credit]:
        """Delivers the first ping and beats: returns the credits of that beat."""
        self.ping(1)
        return list(self.beat().request.credits)

    def ping(self, number: int) -> None:
        self.core.on_message(self.now, SessionMessage(ping=number))

    def begin_beat(self) -> PendingBeat:
        return self.core.begin_beat(self.now)

    def beat(self, **reply: Any) -> PendingBeat:
        """Sends a beat that is answered at once."""
        beat = self.begin_beat()
        self.core.end_beat(self.now, beat, messages.SendHeartbeatResponse(**reply))
        return beat

    def sleep(self, seconds: float, *, beating: bool = True) -> None:
        """Advances time tick by tick, with or without a beat every five seconds."""
        for step in range(1, round(seconds * 10) + 1):
            self.now += 0.1
            self.core.tick(self.now)
            if beating and step % 50 == 0:
                self.beat()

    def assignment(self, credit_id: int, **fields: Any) -> Assignment:
        self._jobs += 1
        values: dict[str, Any] = {
            "job_id": self._jobs.to_bytes(16, "big"), "attempt": 1, "handler": "add", "definition_version": 1,
            "input": payloads.encode(None), "credit_id": credit_id,
        }  # fmt: skip
        if "timeout" in fields:
            fields["run_timeout"] = to_duration(fields.pop("timeout"))
        return Assignment(**{**values, **fields})

    def deliver(self, *assignments: Assignment) -> list[AttemptKey]:
        self.core.on_message(self.now, SessionMessage(assignments=assignments))
        return [(assignment.job_id, assignment.attempt) for assignment in assignments]

    def assign(self, credit_id: int, **fields: Any) -> AttemptKey:
        return self.deliver(self.assignment(credit_id, **fields))[0]

    def run_one_and_prefetch_one(self) -> tuple[AttemptKey, AttemptKey]:
        """On a session with one slot: an attempt that runs, and one that waits behind it."""
        (credit,) = self.first_credits()
        self.returns(self.assign(credit.credit_id))
        pending = self.begin_report()
        assert pending is not None
        self.core.end_report(pending, [1])
        (credit,) = pending.request.credits
        return self.assign(credit.credit_id), self.assign(credit.credit_id, prefetch=True)

    def cancel(self, key: AttemptKey) -> None:
        self.core.on_message(self.now, SessionMessage(cancels=[notice(key)]))

    def suspend(self, key: AttemptKey) -> None:
        self.core.on_message(self.now, SessionMessage(suspends=[suspend_notice(key)]))

    def returns(self, key: AttemptKey, value: Any = "done") -> None:
        """The handler of an attempt returns a value; a Failure counts as a failure."""
        report = AttemptReport(job_id=key[0], attempt=key[1])
        if isinstance(value, Failure):
            report.failure.CopyFrom(value)
        else:
            report.result.CopyFrom(payloads.encode(value))
        self.core.on_returned(self.now, self.ports.started[key], report)

    def report(self, result: int = ACCEPTED) -> dict[AttemptKey, AttemptReport]:
        """Sends the outbox, answers each report with the same result, and returns the reports."""
        pending = self.begin_report()
        if pending is None:
            return {}
        self.core.end_report(pending, [result] * len(pending.batch))
        return dict(pending.batch)

    def begin_report(self) -> PendingReport | None:
        return self.core.begin_report(self.now)

    def held(self) -> dict[AttemptKey, bool]:
        """The attempts that a beat would list, and whether each has started."""
        return {(held.job_id, held.attempt): held.started for held in self.core._state.held.messages()}


def notice(key: AttemptKey) -> CancelNotice:
    return CancelNotice(job_id=key[0], attempt=key[1])


def suspend_notice(key: AttemptKey) -> SuspendNotice:
    return SuspendNotice(job_id=key[0], attempt=key[1])


def kind_of(report: AttemptReport) -> str | None:
    """Returns the name of a report's outcome; for a release, its reason."""
    kind = report.WhichOneof("outcome")
    if kind == "released":
        return ReleaseReason.Name(report.released.reason).removeprefix("RELEASE_REASON_")
    return kind
