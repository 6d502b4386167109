"""Lunar days: the published ones, leap months, and that the days of a lunar year follow each other."""

from contextlib import suppress
from datetime import date, timedelta
from itertools import pairwise, product

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


SPRINGS = (
    "1990-01-27 1991-02-15 1992-02-04 1993-01-23 1994-02-10 1995-01-31 1996-02-19 1997-02-07 1998-01-28 1999-02-16 "
    "2000-02-05 2001-01-24 2002-02-12 2003-02-01 2004-01-22 2005-02-09 2006-01-29 2007-02-18 2008-02-07 2009-01-26 "
    "2010-02-14 2011-02-03 2012-01-23 2013-02-10 2014-01-31 2015-02-19 2016-02-08 2017-01-28 2018-02-16 2019-02-05 "
    "2020-01-25 2021-02-12 2022-02-01 2023-01-22 2024-02-10 2025-01-29 2026-02-17 2027-02-06 2028-01-26 2029-02-13 "
    "2030-02-03 2031-01-23 2032-02-11 2033-01-31 2034-02-19 2035-02-08 2036-01-28 2037-02-15 2038-02-04 2039-01-24 "
    "2040-02-12"
)
"""As the calendars of those years have them."""
LEAPS = {
    1990: 5, 1993: 3, 1995: 8, 1998: 5, 2001: 4, 2004: 2, 2006: 7, 2009: 5, 2012: 4, 2014: 9, 2017: 6, 2020: 4,
    2023: 2, 2025: 6, 2028: 5, 2031: 3, 2033: 11, 2036: 6, 2039: 5, 2042: 2, 2044: 7, 2047: 5, 2050: 3, 2052: 8,
    2055: 6, 2058: 4,
}  # fmt: skip


def test_every_spring_festival_of_fifty_years_is_the_published_one() -> None:
    assert [solar_day(year, 1, 1).isoformat() for year in range(1990, 2041)] == SPRINGS.split()


def test_there_is_a_leap_month_in_the_published_years_and_in_no_other() -> None:
    found = {}
    for year, month in product(range(1990, 2061), range(1, 13)):
        with suppress(Invalid):
            solar_day(year, month, 1, leap=True)
            found[year] = month
    assert found == LEAPS


@pytest.mark.parametrize(
    ("year", "ninth"),
    [(1995, "1995-11-01"), (2006, "2006-10-30"), (2014, "2014-10-02"), (2033, "2033-10-01"), (2052, "2052-10-30")],
)
def test_the_double_ninth_of_a_leap_year_is_that_of_the_plain_month(year: int, ninth: str) -> None:
    assert solar_day(year, 9, 9).isoformat() == ninth


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
