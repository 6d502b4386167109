"""Relief shipments: down to the town, signed for, and no line loses anything without a reason."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import DispatchError, Invalid
from dispatch.rules.market.shipments import (
    STATE_LABELS,
    Destination,
    SentLine,
    SentLot,
    ShipmentNotThere,
    ShipmentState,
    check_destination,
    check_plan,
    check_receipt,
    check_reconciled,
    check_send,
    parted,
    unexplained,
)

DAY = date(2026, 11, 25)
states = st.sampled_from(ShipmentState)
lines = st.builds(
    SentLine,
    sent=st.integers(0, 5),
    received=st.none() | st.integers(-1, 6),
    returned=st.integers(-1, 4),
    reason=st.sampled_from(["", " ", "路上破损"]),
)


def passes(check: Callable[..., None], *arguments: object) -> bool:
    """Whether a check lets this through."""
    try:
        check(*arguments)
    except DispatchError:
        return False
    return True


def test_every_state_has_a_label() -> None:
    assert set(STATE_LABELS) == set(ShipmentState)


def test_a_destination_goes_down_to_the_town() -> None:
    check_destination(Destination("丽水市", "莲都区", "碧湖镇"))
    for name in ("city", "county", "town"):
        place = {"city": "丽水市", "county": "莲都区", "town": "碧湖镇"} | {name: " "}
        with pytest.raises(Invalid) as refused:
            check_destination(Destination(**place))
        assert refused.value.field == name


@pytest.mark.parametrize(
    ("persons", "late", "receiver", "field"),
    [(0, 0, "镇政府", "persons"), (180, 0, " ", "receiver"), (180, -1, "镇政府", "consumed_by")],
)
def test_a_plan_names_people_receiver_and_a_day_after_it_leaves(
    persons: int, late: int, receiver: str, field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        check_plan(persons, DAY, DAY + timedelta(days=late), receiver)
    assert refused.value.field == field


def test_a_sound_plan_passes() -> None:
    check_plan(180, DAY, DAY, "碧湖镇人民政府")


@given(states, st.lists(lines, max_size=3))
def test_something_leaves_once(state: ShipmentState, some: list[SentLine]) -> None:
    is_sound = state is ShipmentState.PLANNED and bool(some) and all(line.sent > 0 for line in some)
    assert passes(check_send, state, some) == is_sound


@given(states, st.lists(lines, max_size=3), st.sampled_from(["", "王主任"]))
def test_a_receipt_that_passes_is_signed_and_never_more_than_was_sent(
    state: ShipmentState, some: list[SentLine], signer: str
) -> None:
    if not passes(check_receipt, state, some, signer):
        return
    assert state is ShipmentState.SENT
    assert signer
    for line in some:
        assert line.received is not None
        assert min(line.received, line.returned, line.missing) >= 0
        assert line.received + line.returned + line.missing == line.sent


def test_a_receipt_without_a_figure_is_none() -> None:
    with pytest.raises(Invalid):
        check_receipt(ShipmentState.SENT, [SentLine(5)], "王主任")
    check_receipt(ShipmentState.SENT, [SentLine(5, 3, 1)], "王主任")


@given(states, st.lists(lines, max_size=3))
def test_what_is_missing_has_a_reason_when_a_shipment_is_reconciled(state: ShipmentState, some: list[SentLine]) -> None:
    told = all(line.missing <= 0 or line.reason.strip() for line in some)
    assert (unexplained(some) == []) == told
    assert passes(check_reconciled, state, some) == (state is ShipmentState.RECEIVED and told)


def test_a_shipment_is_not_reconciled_twice() -> None:
    with pytest.raises(ShipmentNotThere):
        check_reconciled(ShipmentState.RECONCILED, [])


@given(
    lots=st.lists(st.tuples(st.integers(1, 50), st.none() | st.dates()), min_size=1, max_size=8),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
)
def test_all_that_left_is_accounted_for_and_what_ends_first_comes_back_first(
    lots: list[tuple[int, date | None]], shares: tuple[float, float]
) -> None:
    sent = [SentLot(place, amount, day) for place, (amount, day) in enumerate(lots)]
    total = sum(lot.amount for lot in sent)
    returned = int(total * shares[0])
    missing = int((total - returned) * shares[1])
    found = parted(sent, returned, missing)
    assert {lot for lot, _ in found} == set(sent)
    assert all(sum(became) == lot.amount and min(became) >= 0 for lot, became in found)
    sums = [sum(part) for part in zip(*(became for _, became in found), strict=True)]
    assert sums == [total - returned - missing, returned, missing]
    back = [lot.last_good_day or date.max for lot, became in found if became.returned]
    stayed = [lot.last_good_day or date.max for lot, became in found if became.returned < lot.amount]
    assert max(back, default=date.min) <= min(stayed, default=date.max)
