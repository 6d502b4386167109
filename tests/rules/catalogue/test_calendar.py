"""Working time: lunch, holidays and 调休 by example, and against a minute-by-minute count."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.catalogue.calendar import (
    ALWAYS,
    DayKind,
    Period,
    WorkingCalendar,
    YearNotKnown,
    after_quiet_hours,
    next_shift,
    on_shift,
    seed_year,
)
from dispatch.rules.shanghai import SHANGHAI

MORNING, AFTERNOON = Period.of("08:30-12:00"), Period.of("14:00-17:30")
NIGHT = Period.of("22:00-06:00")
OFFICE_WEEK = dict.fromkeys(range(5), (MORNING, AFTERNOON))
YEAR_2026 = {day: kind for day, kind, _ in seed_year(2026)}
OFFICE = WorkingCalendar(OFFICE_WEEK, YEAR_2026, frozenset({2026}))
MAKEUP_WORKDAYS = {
    2025: ["01-26", "02-08", "04-27", "09-28", "10-11"],
    2026: ["01-04", "02-14", "02-28", "05-09", "09-20", "10-10"],
}
HOUR = 3600
DAY = 7 * HOUR


def at(text: str) -> datetime:
    """Return the instant of a local wall clock such as “2026-11-23 10:00”."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize("year", [2025, 2026])
def test_the_seed_holds_the_make_up_workdays_of_the_year(year: int) -> None:
    made_up = [f"{day:%m-%d}" for day, kind, _ in seed_year(year) if kind is DayKind.WORKDAY]
    assert made_up == MAKEUP_WORKDAYS[year]


def test_the_seed_names_the_holidays_in_chinese() -> None:
    assert (date(2026, 2, 17), DayKind.HOLIDAY, "春节") in seed_year(2026)
    assert (date(2026, 1, 4), DayKind.WORKDAY, "元旦调休上班") in seed_year(2026)


@pytest.mark.parametrize("year", [1999, 2027, 2100])
def test_a_year_without_published_holidays_is_named_not_guessed(year: int) -> None:
    with pytest.raises(YearNotKnown, match="放假安排"):
        seed_year(year)


@pytest.mark.parametrize(
    ("start", "hours", "due"),
    [
        ("2026-11-23 10:00", 1, "2026-11-23 11:00"),
        ("2026-11-23 11:00", 1, "2026-11-23 12:00"),
        ("2026-11-23 11:30", 1, "2026-11-23 14:30"),
        ("2026-11-23 12:30", 2, "2026-11-23 16:00"),
        ("2026-11-23 17:00", 1, "2026-11-24 09:00"),
        ("2026-11-27 17:00", 1, "2026-11-30 09:00"),
        ("2026-09-30 17:00", 1, "2026-10-08 09:00"),
        ("2026-02-13 17:00", 1, "2026-02-14 09:00"),
        ("2026-02-14 17:00", 1, "2026-02-24 09:00"),
        ("2026-05-08 17:00", 1, "2026-05-09 09:00"),
        ("2026-11-23 10:00", 0, "2026-11-23 10:00"),
        ("2026-11-22 10:00", 0, "2026-11-22 10:00"),
    ],
)
def test_a_limit_in_working_hours_jumps_lunch_nights_weekends_and_holidays(start: str, hours: int, due: str) -> None:
    found = OFFICE.add_working_seconds(at(start), hours * HOUR)
    assert (found.instant, found.assumed) == (at(due), False)


@pytest.mark.parametrize(
    ("start", "days", "due"),
    [
        ("2026-11-23 10:00", 3, "2026-11-26 10:00"),
        ("2026-11-23 10:00", Decimal("0.5"), "2026-11-23 15:30"),
        ("2026-11-23 15:00", Decimal("0.5"), "2026-11-24 09:30"),
        ("2026-11-21 10:00", 1, "2026-11-23 17:30"),
        ("2026-09-30 10:00", 2, "2026-10-09 10:00"),
        ("2026-10-09 10:00", 1, "2026-10-10 10:00"),
        ("2026-11-23 10:00", 0, "2026-11-23 10:00"),
    ],
)
def test_a_limit_in_working_days_counts_days_not_hours(start: str, days: Decimal | int, due: str) -> None:
    assert OFFICE.add_working_days(at(start), days).instant == at(due)


def test_a_short_day_is_one_working_day_too() -> None:
    short = WorkingCalendar(OFFICE_WEEK, {date(2026, 11, 24): (MORNING,)}, frozenset({2026}))
    assert short.add_working_days(at("2026-11-23 17:30"), 1).instant == at("2026-11-24 12:00")
    assert short.working_day_length(date(2026, 11, 24)) == 3.5 * HOUR


def test_a_crossed_year_without_data_is_counted_by_weekday_and_marked_as_assumed() -> None:
    found = OFFICE.add_working_seconds(at("2026-12-31 17:00"), HOUR)
    assert (found.instant, found.assumed) == (at("2027-01-01 09:00"), True)
    assert not OFFICE.add_working_seconds(at("2026-12-31 16:00"), HOUR).assumed
    assert OFFICE.is_known(date(2026, 1, 1))
    assert not OFFICE.is_known(date(2027, 1, 1))


def test_round_the_clock_every_second_works_and_nothing_is_assumed() -> None:
    found = ALWAYS.add_working_seconds(at("2031-02-01 23:30"), 90 * 60)
    assert (found.instant, found.assumed) == (at("2031-02-02 01:00"), False)
    assert ALWAYS.is_working(at("2026-10-01 03:00"))
    assert ALWAYS.working_seconds_between(at("2026-01-01 00:00"), at("2026-01-03 00:00")) == 172_800
    assert ALWAYS.is_known(date(2050, 1, 1))


@pytest.mark.parametrize(
    ("instant", "working"),
    [
        ("2026-11-23 08:29:59", False),
        ("2026-11-23 08:30", True),
        ("2026-11-23 12:00", False),
        ("2026-11-22 10:00", False),
        ("2026-01-04 10:00", True),
        ("2026-10-01 10:00", False),
    ],
)
def test_a_period_includes_its_start_and_not_its_end(instant: str, *, working: bool) -> None:
    assert OFFICE.is_working(at(instant)) is working


def test_days_are_those_of_shanghai_whatever_zone_an_instant_is_written_in() -> None:
    assert OFFICE.is_working(datetime(2026, 11, 23, 0, 45, tzinfo=UTC))
    assert OFFICE.add_working_seconds(datetime(2026, 11, 22, 16, 30, tzinfo=UTC), 60).instant == at("2026-11-23 08:31")


@pytest.mark.parametrize(
    ("instant", "following"),
    [
        ("2026-11-23 07:00", "2026-11-23 14:00"),
        ("2026-11-23 10:00", "2026-11-23 14:00"),
        ("2026-11-23 13:00", "2026-11-24 08:30"),
        ("2026-11-23 15:00", "2026-11-24 08:30"),
        ("2026-11-27 15:00", "2026-11-30 08:30"),
        ("2026-02-14 15:00", "2026-02-24 08:30"),
    ],
)
def test_the_next_half_day_is_another_one_than_now(instant: str, following: str) -> None:
    assert OFFICE.next_half_day(at(instant)) == at(following)


def test_the_next_half_day_round_the_clock_begins_at_noon_or_midnight() -> None:
    assert ALWAYS.next_half_day(at("2026-11-23 10:00")) == at("2026-11-23 12:00")
    assert ALWAYS.next_half_day(at("2026-11-23 12:00")) == at("2026-11-24 00:00")


@pytest.mark.parametrize(
    ("instant", "inside"),
    [
        ("2026-11-23 21:59", False),
        ("2026-11-23 22:00", True),
        ("2026-11-24 05:59", True),
        ("2026-11-24 06:00", False),
        ("2026-11-24 22:00", False),
        ("2026-11-24 09:00", True),
    ],
)
def test_a_shift_over_midnight_belongs_to_the_day_on_which_it_begins(instant: str, *, inside: bool) -> None:
    shifts = {0: (Period.of("22:00-06:00"),), 1: (Period.of("08:00-16:00"),)}
    assert on_shift(shifts, at(instant)) is inside


@pytest.mark.parametrize(
    ("instant", "begins"),
    [
        ("2026-11-23 01:30", "2026-11-23 08:30"),
        ("2026-11-23 08:30", "2026-11-23 14:00"),
        ("2026-11-23 14:00", "2026-11-24 08:30"),
        ("2026-11-28 01:30", "2026-11-30 08:30"),
    ],
)
def test_the_next_shift_begins_after_the_instant(instant: str, begins: str) -> None:
    assert next_shift(OFFICE_WEEK, at(instant)) == at(begins)


def test_whoever_has_no_shift_comes_on_none_and_one_of_a_single_day_comes_a_week_later() -> None:
    assert next_shift({}, at("2026-11-23 01:30")) is None
    assert next_shift({0: (MORNING,)}, at("2026-11-23 08:30")) == at("2026-11-30 08:30")


@given(
    st.dictionaries(st.integers(0, 6), st.sampled_from([(MORNING,), (AFTERNOON, MORNING), (NIGHT,)])),
    st.integers(0, 20 * 1440),
)
def test_the_next_shift_is_one_and_none_is_nearer(shifts: dict[int, tuple[Period, ...]], minutes: int) -> None:
    instant = at("2026-11-23 00:00") + timedelta(minutes=minutes)
    begins = next_shift(shifts, instant)
    assert (begins is None) == (not shifts)
    if begins is not None:
        assert instant < begins <= instant + timedelta(days=7)
        assert on_shift(shifts, begins)
        assert on_shift(shifts, instant) or not on_shift(shifts, begins - timedelta(minutes=1))


@pytest.mark.parametrize(
    ("instant", "allowed"),
    [
        ("2026-11-23 20:59", "2026-11-23 20:59"),
        ("2026-11-23 21:00", "2026-11-24 08:00"),
        ("2026-11-24 00:10", "2026-11-24 08:00"),
        ("2026-11-24 08:00", "2026-11-24 08:00"),
    ],
)
def test_what_can_wait_waits_until_the_quiet_hours_end(instant: str, allowed: str) -> None:
    assert after_quiet_hours(at(instant), Period.of("21:00-08:00")) == at(allowed)


def test_quiet_hours_within_one_day_end_that_day() -> None:
    assert after_quiet_hours(at("2026-11-23 13:00"), Period.of("12:00-14:00")) == at("2026-11-23 14:00")


@pytest.mark.parametrize("text", ["", "8-12", "08:30-08:30", "24:00-08:00", "08:60-09:00", "08:00-24:01", "a:b-c:d"])
def test_a_period_that_is_no_part_of_a_day_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        Period.of(text)


@pytest.mark.parametrize(
    "weekly",
    [
        {},
        {7: (MORNING,)},
        {0: ()},
        {0: (MORNING, Period.of("11:00-13:00"))},
        {0: (Period.of("22:00-06:00"),)},
    ],
)
def test_a_week_that_cannot_be_worked_is_refused(weekly: dict[int, tuple[Period, ...]]) -> None:
    with pytest.raises(Invalid):
        WorkingCalendar(weekly, {}, frozenset())


def test_absurd_limits_and_instants_are_refused() -> None:
    start = at("2026-11-23 10:00")
    for seconds in (-1, 10**12):
        with pytest.raises(Invalid, match="时限"):
            OFFICE.add_working_seconds(start, seconds)
    for days in (-1, 10**9):
        with pytest.raises(Invalid, match="时限"):
            OFFICE.add_working_days(start, days)
    for instant in (datetime(2026, 11, 23), datetime.max.replace(tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)):  # noqa: DTZ001
        with pytest.raises(Invalid):
            OFFICE.is_working(instant)


FIRST, LAST = date(2026, 1, 1), date(2026, 12, 20)
PERIODS = st.lists(st.integers(0, 1440), unique=True, max_size=6).map(
    lambda bounds: tuple(
        Period(start, end) for start, end in zip(*[iter(sorted(bounds))] * 2, strict=False) if start < 1440
    )
)


@st.composite
def calendars(draw: st.DrawFn) -> WorkingCalendar:
    weekly = draw(st.dictionaries(st.integers(0, 6), PERIODS, min_size=1))
    weekly.setdefault(draw(st.integers(0, 6)), (MORNING,))
    if not any(weekly.values()):
        weekly[0] = (AFTERNOON,)
    kinds = st.one_of(st.sampled_from(DayKind), PERIODS)
    days = st.dates(date(2026, 6, 1), date(2026, 6, 14))
    return WorkingCalendar(weekly, draw(st.dictionaries(days, kinds, max_size=6)), frozenset({2026}))


INSTANTS = st.datetimes(datetime(2026, 5, 30), datetime(2026, 6, 12), timezones=st.just(SHANGHAI))  # noqa: DTZ001
WHOLE_MINUTES = INSTANTS.map(lambda instant: instant.replace(second=0, microsecond=0))


def working_minute(calendar: WorkingCalendar, minute: datetime) -> bool:
    """Say from the plain mappings whether a minute is worked: the oracle of the properties below."""
    kind = calendar.exceptions.get(minute.date())
    if kind is DayKind.HOLIDAY:
        return False
    if kind is DayKind.WORKDAY:
        periods = next(calendar.weekly[day] for day in range(7) if calendar.weekly.get(day))
    elif kind is not None:
        periods = kind
    else:
        periods = calendar.weekly.get(minute.weekday(), ())
    return any(period.start <= minute.hour * 60 + minute.minute < period.end for period in periods)


@settings(max_examples=40, deadline=None)
@given(calendars(), WHOLE_MINUTES, st.integers(0, 3000))
def test_between_and_add_equal_a_count_minute_by_minute(
    calendar: WorkingCalendar, start: datetime, length: int
) -> None:
    minutes = [start + timedelta(minutes=offset) for offset in range(length)]
    worked = [minute for minute in minutes if working_minute(calendar, minute)]
    end = start + timedelta(minutes=length)
    assert calendar.working_seconds_between(start, end) == 60 * len(worked)
    if worked:
        due = calendar.add_working_seconds(start, 60 * len(worked))
        assert due.instant == worked[-1] + timedelta(minutes=1)
        assert due.assumed is False


@settings(deadline=None)
@given(calendars(), INSTANTS, st.integers(0, 200_000), st.integers(0, 200_000))
def test_adding_is_undone_by_between_and_never_goes_back(
    calendar: WorkingCalendar, start: datetime, seconds: int, more: int
) -> None:
    due = calendar.add_working_seconds(start, seconds).instant
    assert start <= due <= calendar.add_working_seconds(start, seconds + more).instant
    assert calendar.working_seconds_between(start, due) == seconds
    later = start + timedelta(seconds=more)
    assert due <= calendar.add_working_seconds(later, seconds).instant
    assert calendar.add_working_seconds(due, more).instant == (
        calendar.add_working_seconds(start, seconds + more).instant if more else due
    )


@settings(deadline=None)
@given(calendars(), INSTANTS, INSTANTS, INSTANTS)
def test_between_is_additive(calendar: WorkingCalendar, a: datetime, b: datetime, c: datetime) -> None:
    between = calendar.working_seconds_between
    assert between(a, b) + between(b, c) == between(a, c)
    assert between(a, b) == -between(b, a)


@settings(deadline=None)
@given(calendars(), INSTANTS, st.fractions(0, 5), st.fractions(0, 5))
def test_more_working_days_are_never_earlier(
    calendar: WorkingCalendar, start: datetime, days: Fraction, more: Fraction
) -> None:
    due = calendar.add_working_days(start, days).instant
    assert start <= due <= calendar.add_working_days(start, days + more).instant


@settings(deadline=None)
@given(INSTANTS, st.fractions(Fraction(1, 10), 5, max_denominator=60))
def test_where_all_days_are_equal_a_working_day_is_its_seconds(start: datetime, days: Fraction) -> None:
    seconds = days * DAY
    if seconds.denominator == 1:
        expected = OFFICE.add_working_seconds(start, int(seconds))
        assert OFFICE.add_working_days(start, days) == expected


@settings(deadline=None)
@given(calendars(), INSTANTS)
def test_the_next_half_day_is_worked_and_lies_beyond_this_one(calendar: WorkingCalendar, now: datetime) -> None:
    following = calendar.next_half_day(now).astimezone(SHANGHAI)
    assert calendar.is_working(following)
    assert (following.date(), following.hour >= 12) > (now.date(), now.hour >= 12)


@given(INSTANTS, st.integers(0, 1439), st.integers(1, 1440))
def test_quiet_hours_only_delay_and_their_end_is_not_quiet(now: datetime, start: int, end: int) -> None:
    if start != end:
        quiet = Period(start, end)
        allowed = after_quiet_hours(now, quiet)
        assert now <= allowed <= now + timedelta(days=1)
        assert after_quiet_hours(allowed, quiet) == allowed or end - start == 1440
