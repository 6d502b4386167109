"""The clocks of an order: limits in working and clock time, escalation once each, callbacks."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.catalogue.calendar import ALWAYS, DayKind, Period, WorkingCalendar
from dispatch.rules.catalogue.levels import Audience, EscalationLevel
from dispatch.rules.orders.clocks import (
    CIVIC_WORKING_DAYS,
    DEFAULT_LEVELS,
    DEFAULT_LIMITS,
    CivicType,
    Limits,
    ServiceClock,
    after_hold,
    arrive_due,
    callback_due,
    count_half_days,
    due_dates,
    escalation_times,
    held_until,
    holds_since,
    next_callback_try,
    next_level,
    offer_lapses_at,
    shift_out_of_quiet_hours,
    sign_due,
)
from dispatch.rules.orders.urgency import PRESSING, Urgency
from dispatch.rules.shanghai import SHANGHAI

HOURS = (Period.of("08:30-12:00"), Period.of("14:00-17:30"))
OFFICE = WorkingCalendar(
    dict.fromkeys(range(5), HOURS),
    {date(2027, 1, 1): DayKind.HOLIDAY, date(2026, 11, 28): DayKind.WORKDAY},
    frozenset({2026, 2027}),
)
QUIET = Period.of("21:30-07:30")
INSTANTS = st.integers(0, 400 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """Give a time in November 2026 in Shanghai; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=SHANGHAI)


def test_the_two_clocks_of_a_general_order_run_in_working_time() -> None:
    dues = due_dates(replace(DEFAULT_LIMITS, service_minutes=240), Urgency.SAME_DAY, at(23, 10), OFFICE)
    assert dues.civic_due == at(28, 10)
    assert dues.service_due == at(23, 16)
    assert dues.dispatch_due == at(23, 15, 30)
    assert dues.sign_due == at(23, 12)
    assert not dues.assumed


def test_a_kind_served_day_and_night_runs_on_the_wall_clock() -> None:
    limits = Limits(service_minutes=120, service_clock=ServiceClock.ALWAYS)
    dues = due_dates(limits, Urgency.SAME_DAY, at(22, 23), OFFICE)
    assert (dues.service_due, dues.sign_due) == (at(23, 1), at(23, 1))


@pytest.mark.parametrize("urgency", sorted(PRESSING))
def test_what_presses_is_dispatched_at_once_and_signed_in_fifteen_minutes_at_night_too(
    urgency: Urgency,
) -> None:
    dues = due_dates(DEFAULT_LIMITS, urgency, at(23, 2), OFFICE)
    assert (dues.dispatch_due, dues.sign_due) == (at(23, 2), at(23, 2, 15))


def test_civic_limits_are_three_five_and_fifteen_working_days() -> None:
    assert [CIVIC_WORKING_DAYS[kind] for kind in CivicType] == [3, 5, 15]


def test_a_year_without_holidays_marks_the_dates_as_assumed() -> None:
    calendar = replace(OFFICE, years=frozenset({2026}))
    dues = due_dates(DEFAULT_LIMITS, Urgency.SAME_DAY, datetime(2026, 12, 31, 10, tzinfo=SHANGHAI), calendar)
    assert dues.assumed


def test_the_teams_sign_limit_starts_when_it_is_given_the_order() -> None:
    assert sign_due(DEFAULT_LIMITS, Urgency.BOOKED, at(23, 17), OFFICE).instant == at(24, 10)


@pytest.mark.parametrize(
    ("urgency", "minutes"),
    [(Urgency.EMERGENCY, 3), (Urgency.URGENT, 3), (Urgency.SAME_DAY, 10), (Urgency.BOOKED, 60)],
)
def test_an_offer_is_held_by_urgency(urgency: Urgency, minutes: int) -> None:
    assert offer_lapses_at(DEFAULT_LIMITS, urgency, at(23, 10)) == at(23, 10) + timedelta(minutes=minutes)


def test_arrival_is_due_by_kind_and_not_before_a_booked_window_ends() -> None:
    power = Limits(arrive_minutes=45)
    assert arrive_due(power, at(23, 10), None) == at(23, 10, 45)
    assert arrive_due(power, at(23, 10), at(24, 9)) == at(24, 9)
    assert arrive_due(DEFAULT_LIMITS, at(23, 10), None) is None
    assert arrive_due(DEFAULT_LIMITS, at(23, 10), at(24, 9)) == at(24, 9)


def test_a_booked_window_that_is_over_binds_nobody() -> None:
    assert arrive_due(DEFAULT_LIMITS, at(24, 9), at(24, 9)) is None
    assert arrive_due(Limits(arrive_minutes=45), at(24, 10), at(24, 9)) == at(24, 10, 45)


@given(st.none() | st.integers(1, 10_000), INSTANTS, st.none() | INSTANTS)
def test_nobody_is_to_arrive_in_the_past(minutes: int | None, accepted: datetime, until: datetime | None) -> None:
    due = arrive_due(Limits(arrive_minutes=minutes), accepted, until)
    assert due is None or due > accepted


def test_escalation_climbs_from_performer_to_supervision() -> None:
    times = tuple(escalation_times(at(23, 8, 30), at(24, 12), OFFICE))
    assert [(one.level, one.audience, one.at) for one in times] == [
        (1, Audience.PERFORMER, at(23, 15, 45)),
        (2, Audience.TEAM_HEAD, at(24, 9, 54)),
        (3, Audience.AREA_CHIEF, at(24, 12)),
        (4, Audience.CENTRE, at(25, 12)),
        (5, Audience.SUPERVISION, at(30, 12)),
    ]


def test_a_clock_of_day_and_night_shares_the_limit_at_night_and_counts_days_past_it_at_the_office() -> None:
    times = tuple(escalation_times(at(27, 20), at(27, 22), OFFICE, service_calendar=ALWAYS))
    assert [one.at for one in times[:3]] == [at(27, 21), at(27, 21, 36), at(27, 22)]
    assert times[3].at == at(28, 17, 30)


@given(INSTANTS, st.integers(0, 30 * 86_400), st.sampled_from([OFFICE, ALWAYS]))
def test_escalation_times_strictly_increase_after_the_call(
    created_at: datetime, seconds: int, clock: WorkingCalendar
) -> None:
    due = created_at + timedelta(seconds=seconds)
    times = tuple(escalation_times(created_at, due, OFFICE, service_calendar=clock))
    instants = [created_at, *(one.at for one in times)]
    assert all(earlier < later for earlier, later in pairwise(instants))
    assert [one.level for one in times] == [1, 2, 3, 4, 5]


@given(INSTANTS, st.integers(60, 10 * 86_400))
def test_the_whole_limit_is_the_due_time_itself(created_at: datetime, seconds: int) -> None:
    due = OFFICE.add_working_seconds(created_at, seconds).instant
    assert tuple(escalation_times(created_at, due, OFFICE))[2].at == due


@pytest.mark.parametrize(
    ("due", "held_from", "held_until", "after"),
    [
        (at(23, 16), at(23, 10), at(23, 11), at(23, 17)),
        (at(23, 16), at(23, 11), at(24, 11), at(24, 16)),
        (at(23, 16), at(23, 12), at(23, 14), at(23, 16)),
        (at(27, 16), at(27, 15), at(30, 9), at(30, 10)),
        (at(23, 14), at(23, 13), at(24, 7), at(24, 7)),
        (at(23, 9), at(23, 10), at(24, 10), at(23, 9)),
    ],
)
def test_a_hold_moves_the_limit_by_its_working_time(
    due: datetime, held_from: datetime, held_until: datetime, after: datetime
) -> None:
    calendar = replace(OFFICE, exceptions={date(2026, 11, 28): DayKind.HOLIDAY})
    assert after_hold(due, held_from, held_until, calendar) == after


def test_a_hold_round_the_clock_moves_the_limit_by_all_of_it() -> None:
    assert after_hold(at(23, 16), at(23, 15), at(24, 15), ALWAYS) == at(24, 16)


@given(INSTANTS, INSTANTS, st.integers(0, 20 * 86_400), st.sampled_from([OFFICE, ALWAYS]))
def test_what_was_left_before_a_hold_is_left_after_it(
    due: datetime, held_from: datetime, seconds: int, clock: WorkingCalendar
) -> None:
    held_until = held_from + timedelta(seconds=seconds)
    after = after_hold(due, held_from, held_until, clock)
    if due < held_from:
        assert after == due
    else:
        assert after >= max(due, held_until)
        assert clock.working_seconds_between(held_until, after) == clock.working_seconds_between(held_from, due)


@given(INSTANTS, INSTANTS, st.integers(0, 10 * 86_400), st.integers(0, 10 * 86_400), st.sampled_from([OFFICE, ALWAYS]))
def test_two_holds_on_end_shift_like_one(
    due: datetime, held_from: datetime, first: int, second: int, clock: WorkingCalendar
) -> None:
    middle = held_from + timedelta(seconds=first)
    end = middle + timedelta(seconds=second)
    twice = after_hold(after_hold(due, held_from, middle, clock), middle, end, clock)
    assert twice == after_hold(due, held_from, end, clock)


@given(st.lists(INSTANTS, min_size=2, max_size=2).map(sorted), INSTANTS, st.integers(0, 20 * 86_400))
def test_a_hold_keeps_the_order_of_limits(dues: list[datetime], held_from: datetime, seconds: int) -> None:
    held_until = held_from + timedelta(seconds=seconds)
    earlier, later = (after_hold(due, held_from, held_until, OFFICE) for due in dues)
    assert earlier <= later


def test_a_hold_does_not_end_before_it_begins() -> None:
    with pytest.raises(ValueError, match="hold"):
        after_hold(at(23, 16), at(23, 10), at(23, 9), OFFICE)


def test_levels_are_data() -> None:
    only = (EscalationLevel(Audience.CENTRE, 250),)
    assert [one.at for one in escalation_times(at(23, 9), at(23, 11), OFFICE, only)] == [at(23, 9, 30)]


def test_the_next_level_is_the_first_to_come_and_after_all_of_them_the_last() -> None:
    first, second, *_, last = escalation_times(at(23, 8, 30), at(24, 12), OFFICE)
    times = partial(escalation_times, at(23, 8, 30), at(24, 12), OFFICE)
    assert next_level(times(), at(23, 8, 30)) == first
    assert next_level(times(), first.at) == second
    assert next_level(times(), last.at) == last
    assert len(DEFAULT_LEVELS) == 5


def test_levels_of_an_order_that_was_held_move_by_the_hold_and_none_falls_into_it() -> None:
    holds = [(at(23, 10, 30), at(24, 10, 30))]
    due = after_hold(at(23, 16), *holds[0], OFFICE)
    times = tuple(escalation_times(at(23, 8, 30), due, OFFICE, holds=holds))
    assert [one.at for one in times[:3]] == [at(24, 11, 15), at(24, 14, 54), at(24, 16)]


def test_days_past_the_limit_stand_still_in_a_hold_that_came_later() -> None:
    times = tuple(escalation_times(at(23, 8, 30), at(23, 16), OFFICE, holds=[(at(24, 10), at(25, 10))]))
    assert [one.at for one in times[2:4]] == [at(23, 16), at(25, 16)]


@given(INSTANTS, st.integers(3_600, 5 * 86_400), st.integers(0, 86_400), st.integers(0, 9 * 86_400))
def test_what_is_left_until_a_level_is_what_a_hold_left(
    created_at: datetime, limit: int, after: int, length: int
) -> None:
    due = OFFICE.add_working_seconds(created_at, limit).instant
    hold = (created_at + timedelta(seconds=after), created_at + timedelta(seconds=after + length))
    plain = tuple(escalation_times(created_at, due, OFFICE))
    held = tuple(escalation_times(created_at, after_hold(due, *hold, OFFICE), OFFICE, holds=[hold]))
    for before, level in zip(plain[:3], held[:3], strict=True):
        if before.at >= hold[0]:
            assert level.at >= hold[1]
            left = OFFICE.working_seconds_between(hold[0], before.at)
            assert abs(OFFICE.working_seconds_between(hold[1], level.at) - left) <= 3


def test_a_clock_that_began_anew_knows_of_a_hold_only_what_came_after() -> None:
    start = at(24, 10)
    holds = [(at(23, 9), at(23, 12)), (at(24, 9), at(24, 11)), (at(25, 9), at(25, 10))]
    assert holds_since(start, holds) == [(start, at(24, 11)), (at(25, 9), at(25, 10))]


@given(INSTANTS, st.lists(INSTANTS, max_size=8))
def test_what_is_left_of_holds_lies_after_the_start_and_in_the_holds(start: datetime, moments: list[datetime]) -> None:
    ends = sorted(moments)
    holds = [*zip(ends[::2], ends[1::2], strict=False)]
    left = holds_since(start, holds)
    assert all(start <= begin <= end for begin, end in left)
    assert all(any(first <= begin and end == last for first, last in holds) for begin, end in left)


def test_what_can_wait_is_told_after_the_quiet_hours() -> None:
    assert shift_out_of_quiet_hours(at(23, 23), QUIET, Urgency.BOOKED) == at(24, 7, 30)
    assert shift_out_of_quiet_hours(at(23, 23), QUIET, Urgency.EMERGENCY) == at(23, 23)
    assert shift_out_of_quiet_hours(at(23, 20), QUIET, Urgency.BOOKED) == at(23, 20)


@pytest.mark.parametrize(
    ("fed_back", "due"),
    [(at(23, 9), at(24, 8, 30)), (at(23, 23), at(24, 8, 30)), (at(28, 15), at(30, 8, 30))],
)
def test_the_callback_is_made_when_the_next_working_day_begins(fed_back: datetime, due: datetime) -> None:
    assert callback_due(fed_back, OFFICE) == due


def test_three_tries_fall_on_different_half_days() -> None:
    tries = [at(27, 9)]
    while (following := next_callback_try(tries, OFFICE)) is not None:
        tries.append(following)
    assert tries == [at(27, 9), at(27, 14), at(28, 8, 30)]


def test_two_tries_in_one_half_day_count_once() -> None:
    tries = [at(23, 9), at(23, 11), at(23, 15)]
    assert count_half_days(tries) == 2
    assert next_callback_try(tries, OFFICE) == at(24, 8, 30)


def test_noon_parts_the_half_days() -> None:
    assert count_half_days([at(23, 11, 59), at(23, 12)]) == 2
    assert count_half_days([at(23, 12, 30), at(23, 13)]) == 1


def test_the_first_try_is_not_a_next_one() -> None:
    with pytest.raises(ValueError, match="callback_due"):
        next_callback_try([], OFFICE)


@given(INSTANTS)
def test_every_callback_falls_into_working_time_on_a_new_half_day(fed_back: datetime) -> None:
    tries = [callback_due(fed_back, OFFICE)]
    while (following := next_callback_try(tries, OFFICE)) is not None:
        tries.append(following)
    assert count_half_days([fed_back, *tries]) == 4
    assert all(OFFICE.is_working(one) for one in tries)


@pytest.mark.parametrize(
    ("minutes", "wanted_in", "held"),
    [(1440, None, 1440), (1440, 4320, 1440), (1440, 600, 600), (1440, 5, 60), (30, 5, 30), (60, -10, 60)],
)
def test_an_offer_is_not_held_beyond_the_time_that_is_wanted(minutes: int, wanted_in: int | None, held: int) -> None:
    now = datetime(2026, 11, 26, 1, tzinfo=UTC)
    wanted_from = None if wanted_in is None else now + timedelta(minutes=wanted_in)
    assert held_until(minutes, wanted_from, now=now) == now + timedelta(minutes=held)
