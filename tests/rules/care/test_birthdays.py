"""Birthdays as they are said: both calendars, leap months, days that there were not."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lunar_python import Solar

from dispatch.errors import Invalid
from dispatch.rules.care.birthdays import Birthday, birth_date
from dispatch.rules.care.festivals import Calendar

LUNAR, SOLAR = Calendar.LUNAR, Calendar.SOLAR


@pytest.mark.parametrize(
    ("said", "born"),
    [
        (Birthday(LUNAR, 1955, 12, 30), date(1956, 2, 11)),
        (Birthday(LUNAR, 1956, 1, 1), date(1956, 2, 12)),
        (Birthday(LUNAR, 1949, 7, 15), date(1949, 8, 9)),
        (Birthday(LUNAR, 1949, 7, 15, leap=True), date(1949, 9, 7)),
        (Birthday(LUNAR, 1944, 4, 8, leap=True), date(1944, 5, 29)),
        (Birthday(SOLAR, 1956, 2, 29), date(1956, 2, 29)),
    ],
)
def test_a_birthday_becomes_the_day_that_an_age_is_counted_from(said: Birthday, born: date) -> None:
    assert birth_date(said) == born


@pytest.mark.parametrize(
    "said",
    [
        Birthday(LUNAR, 1956, 1, 30),
        Birthday(LUNAR, 1956, 7, 1, leap=True),
        Birthday(LUNAR, 1899, 1, 1),
        Birthday(LUNAR, 1956, 13, 1),
        Birthday(LUNAR, 1956, 1, 31),
        Birthday(SOLAR, 1957, 2, 29),
        Birthday(SOLAR, 0, 1, 1),
    ],
)
def test_a_day_that_there_was_not_is_refused(said: Birthday) -> None:
    with pytest.raises(Invalid) as refused:
        birth_date(said)
    assert refused.value.field == "birthday"


@given(st.dates(date(1900, 2, 1), date(2060, 12, 31)))
def test_every_day_is_found_again_by_its_lunar_name(day: date) -> None:
    name = Solar.fromYmd(day.year, day.month, day.day).getLunar()
    month = name.getMonth()
    said = Birthday(LUNAR, name.getYear(), abs(month), name.getDay(), leap=month < 0)
    assert birth_date(said) == day
