"""Vouchers: nothing is ever lost or below zero, a closed account stays closed, each redemption is owed once."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import DispatchError, Invalid
from dispatch.rules.access.tokens import spoken, token_of
from dispatch.rules.care.vouchers import (
    FEN_OF_A_VOUCHER,
    NotLeft,
    Purse,
    Taken,
    VoucherFrozen,
    VoucherOver,
    VoucherState,
    check_grant,
    check_settled_month,
    last_day,
    month_of,
    owed_to_firms,
    printed,
    read_code,
)

TODAY = date(2026, 3, 1)
OPEN = Purse(VoucherState.OPEN, TODAY, FEN_OF_A_VOUCHER, FEN_OF_A_VOUCHER)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("redeem"), st.integers(-5, 30_000)),
        st.tuples(st.just("refund"), st.integers(0, 9)),
        st.tuples(st.sampled_from(["freeze", "lapse", "tomorrow"]), st.just(0)),
    ),
    max_size=25,
)


def stepped(purse: Purse, step: str, number: int, taken: list[int], today: date) -> Purse:
    """The account after a step; what is refused changes nothing."""
    try:
        if step == "redeem":
            after = purse.redeem(number, today)
            taken.append(number)
            return after
        if step == "refund" and taken:
            after = purse.refund(taken[number % len(taken)])
            taken.pop(number % len(taken))
            return after
        return {"freeze": purse.freeze, "lapse": lambda: purse.lapse(today)}.get(step, lambda: purse)()
    except DispatchError:
        return purse


@given(STEPS)
def test_whatever_happens_all_that_was_granted_is_somewhere_and_nothing_is_below_zero(
    steps: list[tuple[str, int]],
) -> None:
    purse, today, taken = OPEN, TODAY, list[int]()
    for step, number in steps:
        today += timedelta(days=step == "tomorrow")
        before, purse = purse, stepped(purse, step, number, taken, today)
        assert purse.granted == purse.left + purse.taken + purse.returned
        assert min(purse.left, purse.taken, purse.returned) >= 0
        assert purse.taken == sum(taken)
        if before.state is not VoucherState.OPEN:
            assert purse.taken <= before.taken
        if before.state is VoucherState.OVER:
            assert purse == before


REFUSED: list[tuple[Callable[[], object], type[DispatchError]]] = [
    (lambda: OPEN.redeem(50_001, TODAY), NotLeft),
    (lambda: OPEN.redeem(0, TODAY), Invalid),
    (lambda: OPEN.freeze().redeem(1, TODAY), VoucherFrozen),
    (lambda: OPEN.redeem(1, TODAY + timedelta(days=1)), VoucherOver),
    (lambda: OPEN.lapse(TODAY + timedelta(days=1)).refund(1), VoucherOver),
    (lambda: check_grant(0, 1, TODAY, TODAY - timedelta(days=1)), Invalid),
    (lambda: check_grant(1, 0, TODAY, TODAY - timedelta(days=1)), Invalid),
    (lambda: check_grant(1, 1, TODAY, TODAY), Invalid),
    (lambda: month_of("2026-13"), Invalid),
    (lambda: check_settled_month(TODAY, TODAY), Invalid),
    (lambda: read_code("HQ1/123"), Invalid),
]


@pytest.mark.parametrize(("act", "error"), REFUSED)
def test_what_is_refused(act: Callable[[], object], error: type[DispatchError]) -> None:
    with pytest.raises(error):
        act()


def test_the_last_day_itself_is_good_and_the_rest_goes_back_after_it() -> None:
    used = OPEN.redeem(20_000, TODAY)
    assert used.lapse(TODAY) == used
    over = used.lapse(TODAY + timedelta(days=1))
    assert (over.state, over.left, over.returned) == (VoucherState.OVER, 0, 30_000)
    assert OPEN.freeze().lapse(TODAY + timedelta(days=1)).returned == FEN_OF_A_VOUCHER
    assert [last_day(date(2026, 1, 31), months) for months in (1, 12, 13)] == [
        date(2026, 2, 28),
        date(2027, 1, 31),
        date(2027, 2, 28),
    ]
    assert month_of("2028-02") == (date(2028, 2, 1), date(2028, 2, 29))


@given(st.binary(min_size=17, max_size=17))
def test_a_code_is_read_as_scanned_and_as_typed(random: bytes) -> None:
    token = token_of(random)
    assert read_code(f" {printed(token).lower()}\n") == read_code(spoken(token).lower()) == token


TAKEN = st.builds(
    Taken,
    id=st.integers(1, 10**6),
    performer_id=st.integers(1, 3),
    fund_id=st.integers(1, 2),
    holding_id=st.integers(1, 2),
    fen=st.integers(1, 50_000),
)


@given(st.lists(TAKEN, unique_by=lambda one: one.id, max_size=20))
def test_every_redemption_is_owed_exactly_once(taken: list[Taken]) -> None:
    owed = owed_to_firms(taken)
    assert sorted(one for sum_of in owed for one in sum_of.redemptions) == sorted(one.id for one in taken)
    by_id = {one.id: one for one in taken}
    for one in owed:
        mine = [by_id[number] for number in one.redemptions]
        assert one.fen == sum(each.fen for each in mine)
        assert {(each.performer_id, each.fund_id, each.holding_id) for each in mine} == {
            (one.performer_id, one.fund_id, one.holding_id)
        }
    assert owed_to_firms(reversed(taken)) == owed
