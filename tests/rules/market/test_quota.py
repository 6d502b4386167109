"""What a household may take in a month, and what it was given elsewhere."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.market.double_dip import PROGRAMME_LABELS, Given, Programme, warnings
from dispatch.rules.market.quota import Quota, allowance, check_quota, cost, month_of

DAY = date(2026, 11, 25)
POINTS = st.integers(0, 500)
DAYS = {Programme.SUPERMARKET: 7, Programme.YEARLY_ROUND: 30, Programme.RELIEF: 90, Programme.VOUCHER: 30}


def test_a_month_is_the_calendar_s() -> None:
    assert month_of(date(2026, 1, 31)) == date(2026, 1, 1)
    assert month_of(date(2026, 2, 1)) == date(2026, 2, 1)


def test_each_more_of_a_household_adds_to_it() -> None:
    assert [allowance(of_household=100, of_each_more=40, persons=persons) for persons in (0, 1, 2, 5)] == [
        100,
        100,
        140,
        260,
    ]
    assert cost([(2, 10), (1, 5)]) == 25


@given(allowed=POINTS, taken=st.lists(POINTS, max_size=12))
def test_however_often_somebody_comes_the_month_is_never_passed(allowed: int, taken: list[int]) -> None:
    used = 0
    for wanted in taken:
        quota = Quota(month_of(DAY), allowed, used)
        if wanted <= quota.left:
            check_quota(quota, wanted)
            used += wanted
        else:
            with pytest.raises(Invalid) as refused:
                check_quota(quota, wanted)
            assert refused.value.field == "lines"
            assert refused.value.facts == {"left": allowed - used, "wanted": wanted}
    assert used <= allowed


def test_a_month_that_was_made_smaller_has_nothing_left_and_no_debt() -> None:
    assert Quota(month_of(DAY), 50, 80).left == 0


def test_what_was_given_lately_is_warned_of_the_newest_first() -> None:
    given_before = [
        Given(1, Programme.SUPERMARKET, DAY - timedelta(days=7)),
        Given(2, Programme.SUPERMARKET, DAY - timedelta(days=6)),
        Given(3, Programme.RELIEF, DAY - timedelta(days=89)),
        Given(4, Programme.YEARLY_ROUND, DAY),
        Given(5, Programme.VOUCHER, DAY + timedelta(days=1)),
    ]
    assert [one.id for one in warnings(given_before, DAY, DAYS)] == [4, 2, 3]
    assert warnings(given_before, DAY, {}) == []
    assert PROGRAMME_LABELS.keys() == set(Programme)


@given(
    given_before=st.lists(
        st.builds(
            Given,
            id=st.integers(1, 99),
            programme=st.sampled_from(Programme),
            on=st.dates(DAY - timedelta(days=400), DAY + timedelta(days=9)),
        )
    ),
    days=st.dictionaries(st.sampled_from(Programme), st.integers(0, 365)),
)
def test_exactly_what_lies_within_its_programme_s_days_is_warned_of(
    given_before: list[Given], days: dict[Programme, int]
) -> None:
    found = warnings(given_before, DAY, days)
    for one in given_before:
        age = (DAY - one.on).days
        assert (one in found) == (0 <= age < days.get(one.programme, 0))
    assert [one.on for one in found] == sorted((one.on for one in found), reverse=True)
