"""Findings of a round and blind counts."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.market.keeping import (
    Finding,
    SamePerson,
    check_finding,
    check_three,
    compare,
    expected_finding,
)
from dispatch.rules.market.shelf import LotShelf

TODAY = date(2026, 11, 24)
COUNTS = st.dictionaries(st.tuples(st.integers(1, 4), st.sampled_from(["shelf", "store"])), st.integers(0, 4))


@pytest.mark.parametrize(
    ("ends_in", "found"),
    [(-1, Finding.EXPIRED), (0, Finding.NEAR), (6, Finding.NEAR), (7, Finding.GOOD), (None, Finding.EXPIRED)],
)
def test_the_dates_say_what_is_near_and_what_is_past(ends_in: int | None, found: Finding) -> None:
    last = None if ends_in is None else TODAY + timedelta(days=ends_in)
    food = LotShelf(is_food=True, last_good_day=last, received_on=TODAY)
    assert expected_finding(food, today=TODAY, near_days=7) is found


def test_a_coat_without_a_date_is_good() -> None:
    coat = LotShelf(is_food=False, last_good_day=None, received_on=TODAY)
    assert expected_finding(coat, today=TODAY, near_days=7) is Finding.GOOD


def test_nobody_ticks_a_lot_better_than_its_dates() -> None:
    for found, expected in [(Finding.GOOD, Finding.EXPIRED), (Finding.NEAR, Finding.EXPIRED)]:
        with pytest.raises(Invalid) as caught:
            check_finding(found, expected, None, left=4)
        assert caught.value.field == "finding"
    with pytest.raises(Invalid):
        check_finding(Finding.EXPIRED, Finding.GOOD, None, left=4)


def test_all_of_a_near_or_expired_lot_stands_apart_and_of_a_spoiled_one_what_was_counted() -> None:
    assert check_finding(Finding.GOOD, Finding.GOOD, None, left=4) == 0
    assert check_finding(Finding.NEAR, Finding.GOOD, 1, left=4) == 4
    assert check_finding(Finding.EXPIRED, Finding.EXPIRED, 1, left=4) == 4
    assert check_finding(Finding.SPOILED, Finding.GOOD, 1, left=4) == 1
    assert check_finding(Finding.SPOILED, Finding.GOOD, None, left=4) == 4
    for wrong in (0, 5, -1):
        with pytest.raises(Invalid) as caught:
            check_finding(Finding.SPOILED, Finding.GOOD, wrong, left=4)
        assert caught.value.field == "amount"


def test_what_two_people_count_alike_is_held_against_the_book() -> None:
    book = {(1, "shelf"): 5, (2, "shelf"): 3, (3, "store"): 2}
    result = compare(book, {**book, (2, "shelf"): 2}, {**book, (2, "shelf"): 2, (3, "store"): 1})
    assert result.differences == {(2, "shelf"): -1}
    assert result.disputed == {(3, "store")}


@given(book=COUNTS, first=COUNTS, second=COUNTS)
def test_a_difference_is_exactly_what_both_found_and_the_book_did_not(
    book: dict[tuple[int, str], int], first: dict[tuple[int, str], int], second: dict[tuple[int, str], int]
) -> None:
    result = compare(book, first, second)
    for place in book.keys() | first.keys() | second.keys():
        agree = place in first and place in second and first[place] == second[place]
        assert (place in result.disputed) is not agree
        if agree:
            assert book.get(place, 0) + result.differences.get(place, 0) == first[place]
        else:
            assert place not in result.differences


def test_three_tasks_are_in_three_hands() -> None:
    check_three(1, 2, 3, None, None)
    with pytest.raises(SamePerson):
        check_three(1, 2, 1)
