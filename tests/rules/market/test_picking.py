"""The lot that ends first goes first."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.market.picking import Available, NotEnough, Taken, first_out, pick
from dispatch.rules.market.shelf import Days, LotShelf, MoveKind, Spot, may_be_given

TODAY = date(2026, 11, 24)
ONE = timedelta(days=1)
NOW = Days(TODAY, TODAY)
STOCK = st.lists(
    st.builds(
        Available,
        lot_id=st.integers(1, 9),
        amount=st.integers(0, 9),
        shelf=st.builds(
            LotShelf,
            is_food=st.booleans(),
            last_good_day=st.none() | st.integers(-5, 9).map(lambda days: TODAY + days * ONE),
            received_on=st.integers(-9, 1).map(lambda days: TODAY + days * ONE),
            spot=st.sampled_from(list(Spot)),
            is_recalled=st.booleans(),
        ),
    ),
    max_size=8,
    unique_by=lambda one: (one.lot_id, one.shelf.spot),
)


def lot(number: int, amount: int, ends_in: int | None, spot: Spot = Spot.SHELF) -> Available:
    """Food that ends in so many days."""
    last = None if ends_in is None else TODAY + ends_in * ONE
    return Available(number, amount, LotShelf(is_food=True, last_good_day=last, received_on=TODAY - 9 * ONE, spot=spot))


def test_the_earliest_goes_first_and_the_next_fills_up() -> None:
    stock = [lot(1, 5, 9), lot(2, 2, 0), lot(3, 9, -1), lot(4, 9, 1, Spot.QUARANTINE), lot(5, 9, None)]
    assert pick(stock, 4, MoveKind.HAND_OUT, NOW) == (Taken(2, Spot.SHELF, 2), Taken(1, Spot.SHELF, 2))


def test_of_one_lot_the_shelf_goes_before_the_store() -> None:
    stock = [lot(1, 5, 9, Spot.STORE), lot(1, 1, 9)]
    assert pick(stock, 2, MoveKind.PARCEL, NOW) == (Taken(1, Spot.SHELF, 1), Taken(1, Spot.STORE, 1))


def test_what_is_past_does_not_fill_up_and_what_is_left_is_said() -> None:
    with pytest.raises(NotEnough) as caught:
        pick([lot(1, 5, 9), lot(2, 90, -1)], 6, MoveKind.HAND_OUT, NOW)
    assert caught.value.message == "能发放的数量不够，还有 5"


@given(stock=STOCK, wanted=st.integers(1, 30), kind=st.sampled_from([MoveKind.HAND_OUT, MoveKind.SALE]))
def test_it_takes_exactly_what_is_wanted_of_what_may_be_given_and_passes_nothing_earlier_over(
    stock: list[Available], wanted: int, kind: MoveKind
) -> None:
    good = {(one.lot_id, one.shelf.spot): one for one in stock if may_be_given(one.shelf, kind, NOW) and one.amount}
    total = sum(one.amount for one in good.values())
    if total < wanted:
        with pytest.raises(NotEnough):
            pick(stock, wanted, kind, NOW)
        return
    taken = pick(stock, wanted, kind, NOW)
    assert sum(one.amount for one in taken) == wanted
    assert all(0 < one.amount <= good[one.lot_id, one.spot].amount for one in taken)
    amounts = {(one.lot_id, one.spot): one.amount for one in taken}
    last = max(first_out(good[place]) for place in amounts)
    earlier = [place for place, one in good.items() if first_out(one) < last]
    assert all(amounts.get(place) == good[place].amount for place in earlier)
