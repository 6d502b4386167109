"""Periods: one after the other without gap or overlap, also over leap years and the end of a year."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.care.periods import MONTHS_OF, Period, Terms, first_period, greeting_gap, next_period, span_of
from dispatch.rules.care.terms import DutyKind

TERMS = Terms(visit_days=14, greeting_least=3, greeting_most=10, enrol_day=15, warning_day=20)
ONE_DAY = timedelta(days=1)
MONTHLY, QUARTERLY = DutyKind.MONTHLY_VISIT, DutyKind.LIVE_TEST
duties = st.integers(1, 2**62)
days = st.dates(date(2000, 1, 1), date(2150, 1, 1))
kinds = st.sampled_from(DutyKind)


@pytest.mark.parametrize(
    ("kind", "enrolled_on", "name", "starts_on", "until"),
    [
        (MONTHLY, date(2026, 2, 15), "2026-02", date(2026, 2, 15), date(2026, 2, 28)),
        (MONTHLY, date(2026, 2, 16), "2026-03", date(2026, 3, 1), date(2026, 3, 31)),
        (MONTHLY, date(2028, 2, 1), "2028-02", date(2028, 2, 1), date(2028, 2, 29)),
        (MONTHLY, date(2026, 12, 31), "2027-01", date(2027, 1, 1), date(2027, 1, 31)),
        (QUARTERLY, date(2026, 11, 26), "2026-Q4", date(2026, 11, 26), date(2026, 12, 31)),
        (QUARTERLY, date(2026, 12, 16), "2027-Q1", date(2027, 1, 1), date(2027, 3, 31)),
        (DutyKind.VISIT, date(2026, 2, 15), "2026-02-15", date(2026, 2, 15), date(2026, 2, 28)),
        (DutyKind.VISIT, date(2028, 2, 16), "2028-02-16", date(2028, 2, 16), date(2028, 2, 29)),
    ],
)
def test_the_first_period(kind: DutyKind, enrolled_on: date, name: str, starts_on: date, until: date) -> None:
    found = first_period(kind, 7, enrolled_on, TERMS)
    assert (found.number, found.name, found.starts_on, found.until) == (1, name, starts_on, until)


def test_a_visit_of_31_january_and_one_of_1_march_lie_in_no_period_of_february() -> None:
    january = first_period(MONTHLY, 1, date(2026, 1, 1), TERMS)
    february = next_period(MONTHLY, 1, january, date(2026, 1, 31), TERMS)
    assert (february.starts_on, february.warn_on, february.until) == (
        date(2026, 2, 1),
        date(2026, 2, 20),
        date(2026, 2, 28),
    )
    assert not february.starts_on <= date(2026, 1, 31)
    assert not date(2026, 3, 1) <= february.until


@given(kinds, duties, days, st.lists(st.integers(0, 400), min_size=1, max_size=30))
def test_periods_follow_each_other_without_gap_or_overlap(
    kind: DutyKind, duty_id: int, enrolled_on: date, met_after: list[int]
) -> None:
    before = first_period(kind, duty_id, enrolled_on, TERMS)
    assert before.starts_on >= enrolled_on
    for after in met_after:
        sound(kind, before)
        settled_on = min(before.starts_on + after * ONE_DAY, before.until)
        found = next_period(kind, duty_id, before, settled_on, TERMS)
        last = before.until if kind in MONTHS_OF else settled_on
        assert (found.number, found.starts_on) == (before.number + 1, last + ONE_DAY)
        assert found.name > before.name
        assert found == next_period(kind, duty_id, before, settled_on, TERMS)
        before = found


def sound(kind: DutyKind, period: Period) -> None:
    """What holds for every period of a kind."""
    assert period.starts_on <= period.planned_on <= period.until
    assert period.warn_on is None or period.starts_on <= period.warn_on <= period.until
    length = (period.until - period.starts_on).days + 1
    if kind in MONTHS_OF:
        assert period.until == span_of(period.starts_on, MONTHS_OF[kind])[1]
        assert (period.until + ONE_DAY).day == 1
    elif kind is DutyKind.VISIT:
        assert length == TERMS.visit_days
    else:
        assert TERMS.greeting_least <= length <= TERMS.greeting_most


@given(duties, days)
def test_a_month_of_enrolment_counts_until_the_fifteenth(duty_id: int, enrolled_on: date) -> None:
    found = first_period(MONTHLY, duty_id, enrolled_on, TERMS)
    counts = enrolled_on.day <= TERMS.enrol_day
    assert (found.name == f"{enrolled_on:%Y-%m}") is counts
    assert found.starts_on == (enrolled_on if counts else span_of(enrolled_on, 1)[1] + ONE_DAY)


@given(st.sampled_from([MONTHLY, QUARTERLY]), days, st.integers(1, 31), st.integers(1, 31))
def test_a_month_without_the_day_of_a_policy_counts_and_warns_by_its_last(
    kind: DutyKind, enrolled_on: date, enrol_day: int, warning_day: int
) -> None:
    terms = replace(TERMS, enrol_day=enrol_day, warning_day=warning_day)
    first = first_period(kind, 7, enrolled_on, terms)
    found = [first, next_period(kind, 7, first, first.until, terms)]
    for one in found:
        sound(kind, one)
        assert one.warn_on is not None
        assert one.warn_on.day == min(warning_day, one.until.day) or one.warn_on == one.starts_on == enrolled_on
    last = span_of(enrolled_on, MONTHS_OF[kind])[1]
    counts = (enrolled_on.month, enrolled_on.day) <= (last.month, enrol_day)
    assert (first.starts_on == enrolled_on) is counts


def test_greetings_come_at_every_gap_and_not_in_a_pattern() -> None:
    gaps = [greeting_gap(11, number, TERMS) for number in range(1, 200)]
    assert set(gaps) == set(range(3, 11))
    assert gaps != [greeting_gap(12, number, TERMS) for number in range(1, 200)]
    assert greeting_gap(11, 1, replace(TERMS, greeting_least=7, greeting_most=7)) == 7
    assert greeting_gap(11, 1, replace(TERMS, greeting_least=7, greeting_most=3)) == 7


@given(days, st.sampled_from([1, 3]))
def test_a_span_holds_its_day_and_ends_with_a_month(day: date, months: int) -> None:
    first, last = span_of(day, months)
    assert first <= day <= last
    assert (first.day, (last + ONE_DAY).day) == (1, 1)
    assert (last.month - first.month) == months - 1
