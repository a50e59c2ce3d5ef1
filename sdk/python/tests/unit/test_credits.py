"""Credits: when the session grants and voids them."""

from __future__ import annotations

from muster.durations import to_duration
from muster.worker.grants import MAX_HELD
from muster.worker.v1.session_service_pb2 import SendHeartbeatResponse
from tests.support.virtual_session import ACCEPTED, VirtualSession, kind_of


def granted(messages) -> list[tuple[int, int]]:
    return [(credit.slots, credit.prefetch) for credit in messages]


def test_none_before_the_first_ping() -> None:
    session = VirtualSession(slots=4)
    assert session.beat().request.credits == []
    assert session.ports.beats_wanted == 0


def test_the_first_go_with_the_first_echo() -> None:
    session = VirtualSession(slots=4)
    session.ping(7)
    assert session.ports.beats_wanted == 1
    request = session.beat().request
    assert request.ping_echo == 7
    assert granted(request.credits) == [(4, 0)]
    assert session.beat().request.credits == []


def test_the_echo_is_the_highest_ping() -> None:
    session = VirtualSession()
    for ping in (3, 9, 4):
        session.ping(ping)
    assert session.beat().request.ping_echo == 9


def test_ids_rise() -> None:
    session = VirtualSession(slots=1)
    ids = [session.first_credits()[0].credit_id]
    for _ in range(5):
        key = session.assign(ids[-1])
        session.returns(key)
        pending = session.begin_report()
        assert pending is not None
        ids.append(pending.request.credits[0].credit_id)
        session.core.end_report(pending, [1])
    assert ids == sorted(set(ids))


def test_freed_slots_are_granted_in_the_report_that_frees_them() -> None:
    session = VirtualSession(slots=2)
    (credit,) = session.first_credits()
    key = session.assign(credit.credit_id)
    session.sleep(0.3)
    session.returns(key)
    pending = session.begin_report()
    assert pending is not None
    assert [credit.slots for credit in pending.request.credits] == [1]


def test_a_credit_lives_fifteen_seconds() -> None:
    session = VirtualSession(slots=1, lease=60)
    (credit,) = session.first_credits()
    session.now += 14.9
    assert session.assign(credit.credit_id) in session.ports.started
    session = VirtualSession(slots=1, lease=60)
    (credit,) = session.first_credits()
    session.now += 15.0
    assert session.assign(credit.credit_id) not in session.ports.started


def test_its_life_starts_before_it_is_sent() -> None:
    session = VirtualSession(slots=1, lease=60)
    session.ping(1)
    beat = session.begin_beat()
    session.now += 9.0  # the answer is late
    session.core.end_beat(session.now, beat, SendHeartbeatResponse())
    session.now += 6.0
    assert session.assign(beat.request.credits[0].credit_id) not in session.ports.started


def test_unused_ones_with_little_life_left_are_replaced() -> None:
    session = VirtualSession(slots=3)
    (credit,) = session.first_credits()
    session.assign(credit.credit_id)
    session.now += 5.0
    first = session.beat().request
    assert (list(first.voided_credit_ids), granted(first.credits)) == ([], [])
    session.now += 5.0
    second = session.beat().request
    assert list(second.voided_credit_ids) == [credit.credit_id]
    assert granted(second.credits) == [(2, 0)]
    assert session.assign(credit.credit_id) not in session.ports.started
    assert session.assign(second.credits[0].credit_id) in session.ports.started


def test_voids_are_sent_until_a_call_has_delivered_them() -> None:
    session = VirtualSession(slots=1)
    (credit,) = session.first_credits()
    session.now += 10.0
    beat = session.begin_beat()
    assert list(beat.request.voided_credit_ids) == [credit.credit_id]
    session.core.fail_beat(session.now, beat, is_broken=False)
    assert credit.credit_id in session.beat().request.voided_credit_ids
    assert list(session.beat().request.voided_credit_ids) == []


def test_a_broken_bus_voids_all_and_the_next_ping_grants_anew() -> None:
    session = VirtualSession(slots=2)
    (credit,) = session.first_credits()
    session.core.on_bus_broken()
    assert session.assign(credit.credit_id) not in session.ports.started
    session.report()
    request = session.beat().request
    assert (list(request.voided_credit_ids), list(request.credits)) == ([], [])  # the report has carried it
    wanted = session.ports.beats_wanted
    session.ping(2)
    assert session.ports.beats_wanted == wanted + 1
    assert granted(session.beat().request.credits) == [(2, 0)]


def test_a_slot_that_comes_free_while_reports_are_in_flight_is_granted_by_the_next_report_and_needs_no_beat() -> None:
    session = VirtualSession(slots=3)
    (credit,) = session.first_credits()
    first, second, third = (session.assign(credit.credit_id) for _ in range(3))
    session.returns(first)
    pending = session.begin_report()
    assert pending is not None
    wanted = session.ports.beats_wanted
    session.returns(second)
    session.returns(third)
    assert session.ports.beats_wanted == wanted
    session.core.end_report(pending, [ACCEPTED])
    following = session.begin_report()
    assert following is not None
    assert [credit.slots for credit in following.request.credits] == [2]


def test_a_slot_that_comes_free_without_a_report_is_granted_by_a_beat() -> None:
    session = VirtualSession(slots=1)
    (credit,) = session.first_credits()
    key = session.assign(credit.credit_id)
    wanted = session.ports.beats_wanted
    session.core.on_returned(session.now, session.ports.started[key], None)
    assert session.ports.beats_wanted == wanted + 1


def test_a_broken_connection_for_calls_voids_all_and_grants_anew() -> None:
    session = VirtualSession(slots=2)
    (credit,) = session.first_credits()
    session.core.on_calls_broken()
    request = session.beat().request
    assert list(request.voided_credit_ids) == [credit.credit_id]
    assert granted(request.credits) == [(2, 0)]


def test_a_failed_beat_takes_its_own_credits_along() -> None:
    session = VirtualSession(slots=2)
    session.ping(1)
    beat = session.begin_beat()
    session.core.fail_beat(session.now, beat, is_broken=False)
    request = session.beat().request
    assert list(request.voided_credit_ids) == [beat.request.credits[0].credit_id]
    assert granted(request.credits) == [(2, 0)]


def test_other_slots() -> None:
    session = VirtualSession(slots=4)
    (credit,) = session.first_credits()
    running = session.assign(credit.credit_id)
    session.core.resize(2)
    request = session.beat().request
    assert list(request.voided_credit_ids) == [credit.credit_id]
    assert granted(request.credits) == [(1, 0)]
    session.returns(running)
    session.core.resize(8)
    assert granted(session.beat().request.credits) == [(8, 1)]  # one handler has just returned


def test_while_assignments_ride_in_replies_credits_need_no_ping() -> None:
    session = VirtualSession(slots=2)
    session.beat(next_beat=to_duration(0.5))
    assert granted(session.beat(next_beat=to_duration(0.5)).request.credits) == [(2, 0)]
    session.beat()
    session.core.on_bus_broken()
    assert session.beat().request.credits == []


class TestPrefetch:
    def test_depth_is_the_completions_of_the_last_200_ms(self) -> None:
        session = VirtualSession(slots=4)
        (credit,) = session.first_credits()
        keys = [session.assign(credit.credit_id) for _ in range(4)]
        session.now += 0.01
        for key in keys[:3]:
            session.returns(key)
        pending = session.begin_report()
        assert pending is not None
        assert granted(pending.request.credits) == [(3, 3)]

    def test_it_is_over_after_200_ms(self) -> None:
        session = VirtualSession(slots=4)
        (credit,) = session.first_credits()
        session.now += 0.01
        session.returns(session.assign(credit.credit_id))
        session.now += 0.2
        pending = session.begin_report()
        assert pending is not None
        assert granted(pending.request.credits) == [(1, 0)]

    def test_slow_handlers_prefetch_nothing(self) -> None:
        session = VirtualSession(slots=2)
        (credit,) = session.first_credits()
        keys = [session.assign(credit.credit_id) for _ in range(2)]
        session.sleep(3)
        for key in keys:
            session.returns(key)
        pending = session.begin_report()
        assert pending is not None
        assert granted(pending.request.credits) == [(2, 0)]

    def test_what_waits_starts_as_slots_come_free(self) -> None:
        session, running, waiting = self._busy()
        assert list(session.ports.started) == running
        assert session.held() == {**dict.fromkeys(running, True), **dict.fromkeys(waiting, False)}
        session.returns(running[0])
        assert list(session.ports.started) == [*running, waiting[0]]

    def test_what_has_waited_a_second_is_released(self) -> None:
        session, running, waiting = self._busy()
        session.sleep(0.9)
        assert session.report() == {}
        session.sleep(0.2)
        assert {key: kind_of(report) for key, report in session.report().items()} == dict.fromkeys(
            waiting, "NOT_STARTED"
        )
        session.returns(running[0])
        assert list(session.ports.started) == running

    def test_what_waits_leaves_no_room_for_as_many(self) -> None:
        session, running, _ = self._busy()
        session.returns(running[0])
        pending = session.begin_report()
        assert pending is not None
        # A waiting attempt took the slot that became free. Of 4 completions, one attempt waits and one permit is live.
        assert granted(pending.request.credits) == [(0, 2)]

    def test_unused_prefetch_permits_are_voided_once_the_session_idles(self) -> None:
        session = VirtualSession(slots=1)
        (credit,) = session.first_credits()
        session.now += 0.01
        session.returns(session.assign(credit.credit_id))
        pending = session.begin_report()
        assert pending is not None
        assert granted(pending.request.credits) == [(1, 1)]
        session.now += 1.0
        request = session.beat().request
        assert list(request.voided_credit_ids) == [pending.request.credits[0].credit_id]
        assert granted(request.credits) == [(1, 0)]

    def test_never_more_than_can_be_held(self) -> None:
        session = VirtualSession(slots=MAX_HELD)
        (credit,) = session.first_credits()
        for _ in range(10):
            session.returns(session.assign(credit.credit_id))
        pending = session.begin_report()
        assert pending is not None
        assert granted(pending.request.credits) == []
        promises = session.core._state.credits
        assert promises.promised_slots + promises.promised_prefetch + len(session.held()) == MAX_HELD

    def _busy(self):
        """Three attempts run, two wait; one more could wait."""
        session = VirtualSession(slots=3)
        (credit,) = session.first_credits()
        keys = [session.assign(credit.credit_id) for _ in range(3)]
        for key in keys:
            session.returns(key)
        pending = session.begin_report()
        assert pending is not None
        session.core.end_report(pending, [1, 1, 1])
        (credit,) = pending.request.credits
        assert granted([credit]) == [(3, 3)]
        session.ports.started.clear()
        running = [session.assign(credit.credit_id) for _ in range(3)]
        waiting = [session.assign(credit.credit_id, prefetch=True) for _ in range(2)]
        return session, running, waiting
