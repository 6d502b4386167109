"""Charity sales: agreement first, two people count, all of it banked, then published."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Conflict, DispatchError, Invalid
from dispatch.rules.market.sales import (
    STATE_LABELS,
    NotOverYet,
    SaleNotThere,
    SaleState,
    SamePersonCounted,
    are_alike,
    check_banked,
    check_cancelled,
    check_count,
    check_plan,
    check_published,
)

DAY = date(2026, 11, 25)
ONE = timedelta(days=1)
states = st.sampled_from(SaleState)
days = st.integers(-3, 3).map(lambda shift: DAY + shift * ONE)
fen = st.integers(-2, 2_000)


def test_every_state_has_a_label() -> None:
    assert set(STATE_LABELS) == set(SaleState)


@pytest.mark.parametrize(
    ("name", "agreed_on", "valid_until", "field"),
    [
        (" ", DAY, None, "name"),
        ("春节义卖", None, None, "agreement_id"),
        ("春节义卖", DAY + ONE, None, "held_on"),
        ("春节义卖", DAY - ONE, DAY - ONE, "held_on"),
    ],
)
def test_a_sale_is_planned_on_a_standing_agreement(
    name: str, agreed_on: date | None, valid_until: date | None, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        check_plan(name, DAY, agreed_on, valid_until)
    assert refused.value.field == field


@given(days, days, st.none() | days)
def test_the_agreement_stands_on_the_day_of_a_sale_that_passes(
    held_on: date, agreed_on: date, valid_until: date | None
) -> None:
    try:
        check_plan("义卖", held_on, agreed_on, valid_until)
    except Invalid:
        assert agreed_on > held_on or (valid_until is not None and valid_until < held_on)
    else:
        assert agreed_on <= held_on
        assert valid_until is None or held_on <= valid_until


@given(state=states, held_on=days, today=days, found=fen, counted_before=st.booleans())
def test_a_count_is_of_a_planned_sale_by_somebody_new_when_it_is_over(
    *, state: SaleState, held_on: date, today: date, found: int, counted_before: bool
) -> None:
    is_sound = state is SaleState.PLANNED and today >= held_on and not counted_before and found >= 0
    try:
        check_count(state, held_on, today, found, counted_before=counted_before)
    except DispatchError:
        assert not is_sound
    else:
        assert is_sound


def test_each_refusal_of_a_count_says_why() -> None:
    with pytest.raises(SaleNotThere):
        check_count(SaleState.BANKED, DAY, DAY, 1, counted_before=False)
    with pytest.raises(NotOverYet):
        check_count(SaleState.PLANNED, DAY, DAY - ONE, 1, counted_before=False)
    with pytest.raises(SamePersonCounted):
        check_count(SaleState.PLANNED, DAY, DAY, 1, counted_before=True)


@given(fen, fen)
def test_two_counts_agree_or_nobody_wins(first: int, second: int) -> None:
    assert are_alike(first, second) == (first == second) == are_alike(second, first)


@given(state=states, counted_once=st.booleans())
def test_what_somebody_has_counted_is_called_off_no_more(*, state: SaleState, counted_once: bool) -> None:
    if state is SaleState.PLANNED and not counted_once:
        check_cancelled(state, counted_once=counted_once)
    else:
        with pytest.raises(SaleNotThere):
            check_cancelled(state, counted_once=counted_once)


@given(states, fen, fen)
def test_all_of_it_is_banked(state: SaleState, counted: int, banked: int) -> None:
    try:
        check_banked(state, counted, banked)
    except (Conflict, Invalid):
        assert state is not SaleState.COUNTED or counted != banked
    else:
        assert state is SaleState.COUNTED
        assert counted == banked


@given(states)
def test_only_what_is_banked_is_published(state: SaleState) -> None:
    if state is SaleState.BANKED:
        check_published(state)
    else:
        with pytest.raises(SaleNotThere):
            check_published(state)
