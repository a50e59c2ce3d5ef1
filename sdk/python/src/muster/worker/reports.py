"""Builds the reports of attempts that did not end with their handler's outcome."""

from __future__ import annotations

from muster.v1.failure_pb2 import FAILURE_CAUSE_APPLICATION, FAILURE_CAUSE_TIMEOUT, Failure
from muster.worker.attempt_key import AttemptKey
from muster.worker.stop_reason import StopReason
from muster.worker.v1.attempt_report_pb2 import Aborted, AttemptReport, Cancelled, Released, Suspended


def released(key: AttemptKey, reason: int) -> AttemptReport:
    """The handler was never started."""
    return AttemptReport(job_id=key[0], attempt=key[1], released=Released(reason=reason))  # type: ignore[arg-type]


def cancelled(key: AttemptKey) -> AttemptReport:
    """The handler stopped because the job was cancelled."""
    return AttemptReport(job_id=key[0], attempt=key[1], cancelled=Cancelled())


def suspended(key: AttemptKey) -> AttemptReport:
    """The handler stopped on request; its job continues later."""
    return AttemptReport(job_id=key[0], attempt=key[1], suspended=Suspended())


def aborted(key: AttemptKey) -> AttemptReport:
    """The handler was stopped because the lease could not be proved."""
    return AttemptReport(job_id=key[0], attempt=key[1], aborted=Aborted())


def run_timeout(key: AttemptKey) -> AttemptReport:
    """The handler exceeded its run timeout."""
    failure = Failure(
        type="RunTimeout", message="the handler ran longer than it may", failure_cause=FAILURE_CAUSE_TIMEOUT
    )
    return AttemptReport(job_id=key[0], attempt=key[1], failure=failure)


def too_large(key: AttemptKey, size: int, most: int) -> AttemptReport:
    """The result exceeds the control plane's maximum; another attempt would not be smaller."""
    failure = Failure(
        type="ResultTooLarge",
        message=f"the result has {size} bytes; the maximum is {most}",
        failure_cause=FAILURE_CAUSE_APPLICATION,
        non_retryable=True,
    )
    return AttemptReport(job_id=key[0], attempt=key[1], failure=failure)


def refused(key: AttemptKey, why: str) -> AttemptReport:
    """The control plane refused the report for its content."""
    failure = Failure(
        type=REFUSED_TYPE,
        message=f"the report was refused: {why}",
        failure_cause=FAILURE_CAUSE_APPLICATION,
        non_retryable=True,
    )
    return AttemptReport(job_id=key[0], attempt=key[1], failure=failure)


REFUSED_TYPE = "ReportRefused"


def settle(returned: AttemptReport, stopped_for: StopReason | None) -> AttemptReport | None:
    """Decides the report of a handler that has returned.

    Args:
        returned: The report of the handler process: a result or a failure.
        stopped_for: Why the handler was asked to stop, if it was.

    Returns: After its run timeout an attempt has failed, whatever its handler returns. Otherwise a result stays a
        result, and a failure after a stop becomes the outcome of that stop. None: no report is needed, because closing
        the session gives the attempt back.
    """
    key = (returned.job_id, returned.attempt)
    if stopped_for is StopReason.RUN_TIMEOUT:
        return run_timeout(key)
    if returned.HasField("result"):
        return returned
    if stopped_for is StopReason.CANCELLED:
        return cancelled(key)
    if stopped_for is StopReason.SUSPENDED and returned.HasField("failure"):
        return suspended(key)
    if stopped_for is StopReason.SHUTDOWN:
        return None
    return returned
