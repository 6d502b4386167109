"""Performers side by side: columns packed narrowly, picks of the same run added, each performer once."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.orders.columns import differences, packed
from dispatch.rules.orders.decision import PerformerFacts, RoutingRequest, Weights
from dispatch.rules.orders.panel import NOBODY, panel_of, standing, with_more_work
from dispatch.rules.orders.routing import decide_among, evaluate
from tests.rules.orders.factories import AT, PERFORMERS, REQUESTS, WEIGHTS, a_performer, a_request


@pytest.mark.parametrize(
    ("values", "stored"),
    [
        ((), b"\x00\x01"),
        ((0, 255), b"\x02\x01\x00\xff"),
        ((1, 256), b"\x02\x02\x01\x00\x00\x01"),
        ((65_536,), b"\x01\x04\x00\x00\x01\x00"),
        ((2**32,), b"\x01\x08\x00\x00\x00\x00\x01\x00\x00\x00"),
    ],
)
def test_a_column_takes_the_narrowest_width_and_puts_its_byte_planes_together(
    values: tuple[int, ...], stored: bytes
) -> None:
    assert packed(values) == stored


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20))
def test_a_column_of_any_width_holds_its_numbers(values: list[int]) -> None:
    stored = packed(values)
    count, width, planes = stored[0], stored[1], stored[2:]
    low_first = b"".join(planes[place::count] for place in range(count))
    code = {1: "B", 2: "H", 4: "I", 8: "Q"}[width]
    assert list(struct.unpack(f"<{count}{code}", low_first)) == values


@pytest.mark.parametrize("values", [(-1,), (1, 2**64)])
def test_what_no_column_can_hold_is_refused(values: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="negative"):
        packed(values)


def test_differences_begin_with_the_first_number() -> None:
    assert differences((3, 4, 9)) == [3, 1, 5]
    assert differences(()) == []


@pytest.mark.parametrize("ids", [(1, 1), (2, 1)])
def test_performers_out_of_order_or_twice_are_refused(ids: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="twice"):
        standing(ids, (1, 1), (None, None), (900, 900), (5, 5))


def test_nobody_is_decided_as_nobody() -> None:
    assert decide_among(a_request(), NOBODY, Weights(), AT) == evaluate(a_request(), [], Weights(), AT)


@given(REQUESTS, PERFORMERS, WEIGHTS, st.dictionaries(st.integers(1, 40), st.integers(0, 3), max_size=5))
def test_more_work_is_as_if_the_performers_had_had_it_from_the_beginning(
    request: RoutingRequest, performers: list[PerformerFacts], weights: Weights, added: dict[int, int]
) -> None:
    busier = [
        a_performer(
            **{name: getattr(one, name) for name in PerformerFacts.__slots__}
            | {
                "open_work": one.open_work + added[one.performer_id],
                "queue_minutes": one.queue_minutes + 60 * added[one.performer_id],
                "last_offered_minutes_ago": 0,
            }
        )
        if one.performer_id in added
        else one
        for one in performers
    ]
    panel = with_more_work(panel_of(request, performers), added, 60)
    assert decide_among(request, panel, weights, AT) == evaluate(request, busier, weights, AT)
