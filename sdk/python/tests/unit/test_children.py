from __future__ import annotations

import uuid

import pytest

from muster.errors import WaitsForChildren
from muster.testing import FakeContext
from muster.worker.handler_entry import HandlerEntry
from muster.worker.handler_run import run_handler


def test_a_handler_that_waits_is_reported_with_the_children_that_are_open() -> None:
    ids = [str(uuid.uuid4()) for _ in range(3)]

    def handler(ctx, value):
        try:
            raise WaitsForChildren(ids)
        except Exception:  # noqa: BLE001 - tests that it is not an Exception
            return "swallowed"

    report = run_handler(HandlerEntry.of(handler), FakeContext())
    assert report.WhichOneof("outcome") == "suspended"
    assert [str(uuid.UUID(bytes=one)) for one in report.suspended.child_job_ids] == ids


def test_no_more_are_named_than_a_report_may() -> None:
    assert len(WaitsForChildren([str(number) for number in range(1_500)]).child_ids) == 1_000


def test_a_context_without_a_control_plane_says_that_it_has_no_children() -> None:
    with pytest.raises(RuntimeError, match="children"):
        FakeContext().submit("count")
