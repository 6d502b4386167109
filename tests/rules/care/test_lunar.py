"""Lunar days: the published ones, leap months, and that the days of a lunar year follow each other."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lunar_python import LunarYear

from dispatch.errors import Invalid
from dispatch.rules.care.lunar import solar_day


@pytest.mark.parametrize(
    ("year", "spring", "ninth"),
    [
        (2024, date(2024, 2, 10), date(2024, 10, 11)),
        (2025, date(2025, 1, 29), date(2025, 10, 29)),
        (2026, date(2026, 2, 17), date(2026, 10, 18)),
        (2028, date(2028, 1, 26), date(2028, 10, 26)),
    ],
)
def test_spring_festival_its_eve_and_the_double_ninth(year: int, spring: date, ninth: date) -> None:
    assert solar_day(year, 1, 1) == spring
    assert solar_day(year - 1, 12, 30) == spring - timedelta(days=1)
    assert solar_day(year, 9, 9) == ninth


def test_a_leap_month_comes_behind_the_plain_one() -> None:
    assert solar_day(2025, 6, 15) == date(2025, 7, 9)
    assert solar_day(2025, 6, 15, leap=True) == date(2025, 8, 8)


@pytest.mark.parametrize(
    ("year", "month", "day", "leap"),
    [(2025, 7, 1, True), (2025, 13, 1, False), (2025, 0, 1, False), (2025, 1, 31, False), (2025, 1, 0, False),
     (1899, 1, 1, False), (2200, 1, 1, False)],
)  # fmt: skip
def test_what_is_no_lunar_day_is_refused(year: int, month: int, day: int, leap: bool) -> None:  # noqa: FBT001
    with pytest.raises(Invalid) as refused:
        solar_day(year, month, day, leap=leap)
    assert refused.value.field == "day"


@given(st.integers(1901, 2198))
def test_the_months_of_a_year_follow_each_other_by_29_or_30_days(year: int) -> None:
    leap = LunarYear.fromYear(year).getLeapMonth()
    firsts = []
    for month in range(1, 13):
        firsts.append(solar_day(year, month, 1))
        if month == leap:
            firsts.append(solar_day(year, month, 1, leap=True))
    firsts.append(solar_day(year + 1, 1, 1))
    assert {(after - before).days for before, after in pairwise(firsts)} <= {29, 30}
