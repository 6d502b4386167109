"""Requests: who asks and decides, within which limits; nobody decides their own, no limit can be stretched."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.access.roles import ActorKind
from dispatch.rules.catalogue.calendar import Period, WorkingCalendar
from dispatch.rules.orders.requests import (
    REQUEST_LABELS,
    RULES,
    AlreadyDue,
    NotInThisState,
    RequestKind,
    RequestLimits,
    ReturnTooLate,
    TooManyExtensions,
    Wish,
    check_extension,
    check_hold,
    check_return,
    check_state,
    extended,
    may_decide,
    needs_consultation,
)
from dispatch.rules.orders.states import ENDED, OrderState

LIMITS = RequestLimits()
WEEK = {day: (Period.of("08:30-12:00"), Period.of("14:00-17:30")) for day in range(5)}
CALENDAR = WorkingCalendar(WEEK, {}, frozenset({2026}))
MONDAY = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # Monday, ten o'clock in Shanghai
moments = st.datetimes(datetime(2026, 1, 5), datetime(2026, 11, 30)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


def test_every_kind_has_a_rule_and_a_name() -> None:
    assert set(RULES) == set(RequestKind) == set(REQUEST_LABELS)


@pytest.mark.parametrize("kind", list(RequestKind))
def test_nothing_is_asked_of_an_order_that_has_ended(kind: RequestKind) -> None:
    for state in ENDED:
        with pytest.raises(NotInThisState):
            check_state(kind, state)


def test_a_return_is_asked_before_somebody_stands_at_the_door() -> None:
    check_state(RequestKind.RETURN, OrderState.ACCEPTED)
    with pytest.raises(NotInThisState):
        check_state(RequestKind.RETURN, OrderState.ARRIVED)


def test_a_team_returns_an_order_within_one_working_day_and_keeps_it_afterwards() -> None:
    check_return(MONDAY, datetime(2026, 11, 24, 2, 0, tzinfo=UTC), CALENDAR, LIMITS)
    with pytest.raises(ReturnTooLate):
        check_return(MONDAY, datetime(2026, 11, 25, 9, 31, tzinfo=UTC), CALENDAR, LIMITS)


@given(moments, st.integers(0, 40))
def test_a_weekend_or_night_never_uses_up_the_working_day_of_a_return(assigned: datetime, hours: int) -> None:
    now = assigned + timedelta(hours=hours)
    worked = CALENDAR.working_seconds_between(assigned, now)
    if worked == 0:
        check_return(assigned, now, CALENDAR, LIMITS)


def wish(days: int) -> Wish:
    return Wish(days=days)


def ask(wanted: Wish, *, granted: int = 0, now: datetime = MONDAY) -> None:
    check_extension(
        wanted, granted=granted, created_at=MONDAY, due_at=MONDAY + timedelta(days=3), now=now, limits=LIMITS
    )


def test_an_order_is_extended_at_most_three_times() -> None:
    ask(wish(3), granted=2)
    with pytest.raises(TooManyExtensions):
        ask(wish(3), granted=3)


def test_an_extension_is_asked_before_the_order_is_due() -> None:
    with pytest.raises(AlreadyDue):
        ask(wish(1), now=MONDAY + timedelta(days=3))


@given(st.integers(-5, 50))
def test_an_extension_has_one_to_three_working_days(days: int) -> None:
    if 1 <= days <= LIMITS.extension_working_days:
        ask(wish(days))
    else:
        with pytest.raises(Invalid) as refused:
            ask(wish(days))
        assert refused.value.field == "days"


@given(st.integers(-400, 400))
def test_long_works_end_after_the_limit_and_within_180_days_of_the_order_s_birth(days: int) -> None:
    until = MONDAY + timedelta(days=days)
    wanted = Wish(until=until, long_works=True)
    if 3 < days <= 180:
        ask(wanted)
        assert extended(wanted, MONDAY, CALENDAR) == until
    else:
        with pytest.raises(Invalid) as refused:
            ask(wanted)
        assert refused.value.field == "until"


@given(moments, st.integers(1, 3))
def test_an_extension_only_moves_forward_and_more_days_move_further(due: datetime, days: int) -> None:
    after = extended(wish(days), due, CALENDAR)
    assert after > due
    assert extended(wish(days + 1), due, CALENDAR) > after


def test_a_hold_needs_an_end_that_is_not_too_far() -> None:
    check_hold(Wish(until=MONDAY + timedelta(days=90)), now=MONDAY, limits=LIMITS)
    for until in (None, MONDAY, MONDAY - timedelta(days=1), MONDAY + timedelta(days=90, seconds=1)):
        with pytest.raises(Invalid) as refused:
            check_hold(Wish(until=until), now=MONDAY, limits=LIMITS)
        assert refused.value.field == "until"


def test_the_second_refusal_calls_everybody_to_one_table() -> None:
    assert [needs_consultation(number, LIMITS) for number in (0, 1, 2, 3)] == [False, False, True, True]


@given(st.sampled_from(RequestKind), st.sampled_from(ActorKind))
def test_nobody_decides_their_own_request_and_no_team_decides_any(kind: RequestKind, decider: ActorKind) -> None:
    assert not may_decide(kind, decider, is_asker=True)
    assert may_decide(kind, ActorKind.CENTRE, is_asker=False)
    if decider in {ActorKind.TEAM, ActorKind.PERFORMER, ActorKind.OPERATOR, ActorKind.CALLBACK_CLERK}:
        assert not may_decide(kind, decider, is_asker=False)


def test_what_stops_or_moves_the_clock_or_ends_the_matter_is_the_centre_s_to_decide() -> None:
    centre_only = {kind for kind in RequestKind if not may_decide(kind, ActorKind.DISPATCHER, is_asker=False)}
    assert centre_only == {RequestKind.EXTENSION, RequestKind.HOLD, RequestKind.FINAL_ANSWER}
