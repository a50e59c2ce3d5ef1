"""The schedule of heartbeats."""

from __future__ import annotations

import pytest

from muster.worker.beat_schedule import LOG_DELAY_SECONDS, LOG_GAP_SECONDS, MIN_GAP_SECONDS, BeatSchedule


def schedule(lease: float = 15.0, interval: float = 5.0) -> BeatSchedule:
    return BeatSchedule(100.0, interval, lease, lambda: 1.0)


def test_the_first_is_due_at_once() -> None:
    assert schedule().is_due(100.0)


def test_every_interval_counted_from_the_sending() -> None:
    beats = schedule()
    beats.sent(100.0)
    beats.answered(100.0, 102.0, None)
    assert beats.due == 105.0


def test_none_waits_for_the_answer_to_the_one_before_and_four_are_the_most() -> None:
    beats = schedule()
    for now in (100.0, 101.0, 102.0, 103.0):
        assert not beats.is_full
        beats.want(now)
        assert beats.is_due(now)
        beats.sent(now)
    assert beats.is_full
    beats.want(104.0)
    assert not beats.is_due(104.0)
    beats.answered(101.0, 104.0, None)
    assert beats.is_due(104.0)


def test_sooner_when_wanted_but_not_more_than_the_server_takes() -> None:
    beats = schedule()
    beats.sent(100.0)
    beats.answered(100.0, 100.01, None)
    beats.want()
    assert beats.due == 100.0 + MIN_GAP_SECONDS
    assert 1 / MIN_GAP_SECONDS < 20


def test_soon_for_log_records_but_not_after_each_of_them() -> None:
    beats = schedule()
    beats.sent(100.0)
    beats.answered(100.0, 100.01, None)
    beats.want_for_logs(100.05)
    assert beats.due == 100.0 + LOG_GAP_SECONDS
    beats.sent(beats.due)
    beats.answered(100.2, 100.21, None)
    beats.want_for_logs(103.0)
    assert beats.due == 103.0 + LOG_DELAY_SECONDS


def test_less_often_for_log_records_where_the_answers_are_slow() -> None:
    beats = schedule()
    beats.sent(100.0)
    beats.answered(100.0, 100.05, None)
    beats.want_for_logs(100.06)
    assert beats.due == pytest.approx(100.5)
    beats.sent(beats.due)
    beats.answered(100.5, 102.5, None)
    beats.want_for_logs(102.6)
    assert beats.due == pytest.approx(102.6 + LOG_DELAY_SECONDS)


def test_one_that_is_wanted_during_another_follows_it_at_once() -> None:
    beats = schedule()
    beats.sent(100.0)
    beats.want()
    assert beats.due == 100.0 + MIN_GAP_SECONDS
    beats.sent(101.0)
    beats.answered(101.0, 101.5, None)
    assert beats.due == 106.0
    beats.answered(100.0, 102.0, None)
    assert beats.due == 106.0


def test_one_may_be_wanted_by_a_moment() -> None:
    beats = schedule()
    beats.sent(100.0)
    beats.want(103.0)
    beats.answered(100.0, 101.0, None)
    assert beats.due == 103.0
    beats.want(104.0)
    assert beats.due == 103.0
    beats.want(102.0)
    assert beats.due == 102.0
    beats.want()
    assert beats.due == 100.0 + MIN_GAP_SECONDS


@pytest.mark.parametrize(("named", "due"), [(0.5, 102.5), (3_600.0, 105.0), (0.0, 102.0)])
def test_the_server_may_name_the_next(named: float, due: float) -> None:
    beats = schedule()
    beats.sent(100.0)
    beats.answered(100.0, 102.0, named)
    assert beats.due == due


def test_failures_are_repeated_soon_and_several_times_within_a_lease() -> None:
    beats = schedule()
    now, tries = 100.0, 0
    while now < 113.0:
        beats.sent(now)
        now += beats.deadline
        beats.failed(now)
        assert now < beats.due <= now + 1.5
        now = beats.due
        tries += 1
    assert tries >= 3


def test_a_wish_does_not_shorten_the_wait_after_a_failure() -> None:
    beats = schedule()
    beats.sent(100.0)
    beats.failed(100.1)
    due = beats.due
    beats.want()
    assert beats.due == due


def test_the_server_may_name_the_wait_after_a_failure_which_is_jittered() -> None:
    beats = schedule()
    beats.sent(100.0)
    beats.failed(100.1, 2.0)
    assert beats.due == pytest.approx(102.3)


def test_the_wait_that_the_server_names_is_an_interval_at_most() -> None:
    beats = schedule()
    beats.sent(100.0)
    beats.failed(100.1, 60.0)
    assert beats.due == 105.0


def test_the_wait_that_the_server_names_puts_off_what_was_wanted_before() -> None:
    beats = schedule()
    beats.sent(100.0)
    beats.want(100.5)
    beats.failed(100.1, 2.0)
    assert beats.due == pytest.approx(102.3)


def test_another_failure_does_not_shorten_the_wait_that_the_server_names() -> None:
    beats = schedule()
    beats.sent(100.0)
    beats.sent(101.0)
    beats.failed(101.1, 3.0)
    beats.failed(101.2)
    assert beats.due == pytest.approx(104.3)


def test_what_is_wanted_while_the_next_try_is_under_way_is_not_forgotten() -> None:
    beats = schedule()
    beats.sent(100.0)
    beats.failed(100.1)
    beats.sent(beats.due)
    beats.want(100.5)
    beats.answered(100.3, 100.4, None)
    assert beats.due == 100.5
