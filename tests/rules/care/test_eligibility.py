"""Who may be enrolled: seventy by birth date on the day, in an empty nest, two elders one household."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.care.eligibility import (
    LEAST_AGE,
    age_on,
    check_enrolment,
    is_empty_nest,
    is_of_age,
    years_after,
)
from dispatch.rules.care.lunar import solar_day

TODAY = date(2026, 11, 26)
days = st.dates(date(1900, 1, 1), date(2150, 12, 31))


@pytest.mark.parametrize(
    ("born", "day", "age"),
    [
        (date(1956, 11, 26), TODAY, 70),
        (date(1956, 11, 27), TODAY, 69),
        (date(1956, 2, 29), date(2026, 2, 28), 69),
        (date(1956, 2, 29), date(2026, 3, 1), 70),
        (date(1956, 2, 29), date(2028, 2, 29), 72),
        (date(1955, 12, 31), date(2026, 1, 1), 70),
    ],
)
def test_an_age_is_completed_on_the_birthday(born: date, day: date, age: int) -> None:
    assert age_on(born, day) == age
    assert is_of_age(born, day) == (age >= LEAST_AGE)


@given(days, st.integers(0, 120))
def test_who_is_of_age_one_day_is_so_on_every_later_one(born: date, years: int) -> None:
    day = years_after(born, years)
    assert age_on(born, day) == years
    assert age_on(born, day - timedelta(days=1)) == years - 1
    assert is_of_age(born, day, years)


def test_a_lunar_birthday_is_that_of_its_solar_day() -> None:
    assert age_on(solar_day(1956, 10, 25), TODAY) == 69
    assert age_on(solar_day(1956, 10, 24), TODAY) == 70


ELDER, WIFE, SON, OLD_SON = date(1950, 5, 1), date(1962, 3, 3), date(1980, 1, 1), date(1966, 5, 2)


@pytest.mark.parametrize(
    ("births", "alone"),
    [
        ([ELDER], True),
        ([ELDER, date(1951, 1, 1)], True),
        ([ELDER, WIFE], True),
        ([ELDER, SON], False),
        ([ELDER, OLD_SON], False),
        ([ELDER, WIFE, SON], False),
        ([ELDER, None], False),
        ([date(1930, 1, 1), date(1952, 1, 1)], True),
        ([WIFE], False),
        ([], False),
    ],
)
def test_an_empty_nest_holds_elders_and_nobody_who_could_be_their_child(
    births: list[date | None], *, alone: bool
) -> None:
    assert is_empty_nest(births, TODAY) is alone


@given(st.lists(st.none() | days, max_size=4), days)
def test_of_an_empty_nest_somebody_is_of_age_and_the_order_does_not_matter(
    births: list[date | None], day: date
) -> None:
    alone = is_empty_nest(births, day)
    assert alone == is_empty_nest(births[::-1], day)
    assert not alone or any(is_of_age(one, day) for one in births)
    assert not alone or not is_empty_nest([*births, day], day)


def test_husband_and_wife_far_apart_are_a_couple_when_somebody_says_so() -> None:
    assert not is_empty_nest([ELDER, SON], TODAY)
    assert is_empty_nest([ELDER, SON], TODAY, is_couple=True)
    assert is_empty_nest([None, ELDER], TODAY, is_couple=True)
    assert not is_empty_nest([None, None], TODAY, is_couple=True)
    assert not is_empty_nest([ELDER, SON, SON], TODAY, is_couple=True)
    assert not is_empty_nest([SON, SON], TODAY, is_couple=True)


@pytest.mark.parametrize(
    ("births", "least_age", "empty_nest", "field"),
    [
        ([], None, False, "household_id"),
        ([date(1956, 11, 27)], 70, True, "household_id"),
        ([ELDER, SON], 70, True, "household_id"),
        ([SON, ELDER], 70, False, "resident_id"),
    ],
)
def test_a_refusal_names_the_field(
    births: list[date | None], least_age: int | None, field: str, *, empty_nest: bool
) -> None:
    with pytest.raises(Invalid) as refused:
        check_enrolment(births, TODAY, least_age=least_age, empty_nest=empty_nest, field=field)
    assert refused.value.field == field


def test_a_voucher_asks_for_neither_age_nor_an_empty_nest() -> None:
    assert check_enrolment([SON, ELDER], TODAY, least_age=None, empty_nest=False, field="resident_id") is None


def test_a_year_later_is_the_same_day_or_the_first_of_march() -> None:
    assert years_after(date(2024, 2, 29), 1) == date(2025, 3, 1)
    assert years_after(date(2026, 11, 26), -1) == date(2025, 11, 26)
