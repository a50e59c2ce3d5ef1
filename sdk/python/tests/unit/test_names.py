"""Names of the contract's enum values."""

from __future__ import annotations

from muster import JobState, WaitReason, state_name, wait_reason_name


def test_states_have_names() -> None:
    assert state_name(JobState.JOB_STATE_RUNNING) == "RUNNING"
    assert state_name(99) == "99"


def test_reasons_have_names_but_none_has_not() -> None:
    assert wait_reason_name(WaitReason.WAIT_REASON_QUEUE_PAUSED) == "QUEUE_PAUSED"
    assert wait_reason_name(WaitReason.WAIT_REASON_UNSPECIFIED) == ""
    assert wait_reason_name(99) == "99"
