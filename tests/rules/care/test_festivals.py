"""Festivals: each once a year, planned in time, everybody invited once, one ride for a home."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.care.festivals import (
    ANSWER_LABELS,
    Answer,
    Calendar,
    Guest,
    Yearly,
    check_yearly,
    day_in,
    guests,
    next_days,
    rides,
)

DOUBLE_NINTH = Yearly(Calendar.LUNAR, 9, 9)
SPRING = Yearly(Calendar.LUNAR, 1, 1)
days = st.dates(date(2001, 1, 1), date(2190, 12, 31))
yearlies = st.builds(Yearly, st.sampled_from(Calendar), st.integers(1, 12), st.integers(1, 29))
people = st.builds(Guest, st.integers(1, 12), st.none())
homes = st.lists(
    st.builds(Guest, st.integers(1, 12), st.integers(1, 4) | st.none()), unique_by=lambda one: one.resident_id
)


def test_every_answer_has_a_label() -> None:
    assert set(ANSWER_LABELS) == set(Answer)


def test_a_leap_ninth_month_has_one_festival() -> None:
    assert day_in(DOUBLE_NINTH, 2014) == date(2014, 10, 2)


@pytest.mark.parametrize(
    ("yearly", "field"),
    [
        (Yearly(Calendar.SOLAR, 2, 30), "day"),
        (Yearly(Calendar.LUNAR, 13, 1), "month"),
        (Yearly(Calendar.LUNAR, 1, 31), "day"),
        (Yearly(Calendar.SOLAR, 0, 1), "month"),
        (Yearly(Calendar.SOLAR, 4, 0), "day"),
    ],
)
def test_a_day_that_never_comes_is_refused(yearly: Yearly, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_yearly(yearly)
    assert refused.value.field == field


def test_the_29th_of_february_is_the_28th_in_other_years() -> None:
    leap_day = Yearly(Calendar.SOLAR, 2, 29)
    check_yearly(leap_day)
    assert [day_in(leap_day, year).day for year in (2027, 2028)] == [28, 29]


@given(yearlies, days)
def test_every_festival_comes_within_a_lunar_leap_year(yearly: Yearly, today: date) -> None:
    found = next_days(yearly, today, 385)
    assert found
    assert all(today <= day <= today + timedelta(days=385) for _, day in found)
    assert len({year for year, _ in found}) == len(found)


@given(yearlies, days, st.integers(0, 90))
def test_planning_day_by_day_passes_no_festival_over(yearly: Yearly, today: date, ahead: int) -> None:
    at_once = {day for _, day in next_days(yearly, today, ahead + 30)}
    by_the_day = {day for step in range(31) for _, day in next_days(yearly, today + timedelta(days=step), ahead)}
    assert at_once == by_the_day


def test_spring_festival_is_seen_across_the_new_year() -> None:
    assert next_days(SPRING, date(2026, 12, 20), 60) == ((2027, date(2027, 2, 6)),)


@given(st.lists(st.lists(people)))
def test_everybody_of_any_group_is_invited_once(groups: list[list[Guest]]) -> None:
    invited = [one.resident_id for one in guests(groups)]
    assert invited == sorted({one.resident_id for group in groups for one in group})


@given(homes, st.dictionaries(st.integers(1, 12), st.booleans()))
def test_who_wants_it_is_fetched_once_and_a_home_has_one_ride(coming: list[Guest], wants: dict[int, bool]) -> None:
    found = rides(coming, wants)
    fetched = [one.resident_id for ride in found for one in ride]
    assert sorted(fetched) == sorted(one.resident_id for one in coming if wants.get(one.resident_id))
    shared = [ride[0].household_id for ride in found if ride[0].household_id is not None]
    assert len(shared) == len(set(shared))
    assert all(len({one.household_id for one in ride}) == 1 for ride in found)
    assert all(len(ride) == 1 for ride in found if ride[0].household_id is None)
