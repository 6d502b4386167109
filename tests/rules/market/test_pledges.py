"""Pledges: what a promise must say, which step follows which, what the fetching order's state means."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.market.errands import Errand
from dispatch.rules.market.pledges import (
    KIND_LABELS,
    MOST_FEN,
    OUTCOMES,
    POSSIBLE,
    SOURCE_LABELS,
    STATE_LABELS,
    WAITING,
    PledgeKind,
    PledgeNotThere,
    PledgeSource,
    PledgeState,
    Promise,
    check_promise,
    step,
)

GOODS: dict[str, Any] = {"kind": PledgeKind.GOODS, "words": "两床棉被", "address_text": "1幢1单元101"}
MONEY: dict[str, Any] = {"kind": PledgeKind.MONEY, "words": "给孤寡老人", "fen": 50_000}
states = st.sampled_from(PledgeState)


def test_every_word_has_a_label() -> None:
    assert set(KIND_LABELS) == set(PledgeKind)
    assert set(SOURCE_LABELS) == set(PledgeSource)
    assert set(STATE_LABELS) == set(PledgeState) == set(POSSIBLE)


def test_sound_promises_pass() -> None:
    check_promise(Promise(**GOODS))
    check_promise(Promise(**MONEY))
    check_promise(Promise(**MONEY | {"fen": MOST_FEN}))


@pytest.mark.parametrize(
    ("promise", "field"),
    [
        (GOODS | {"words": " \n"}, "words"),
        (GOODS | {"address_text": "  "}, "address_text"),
        (GOODS | {"fen": 1}, "fen"),
        (MONEY | {"fen": None}, "fen"),
        (MONEY | {"fen": 0}, "fen"),
        (MONEY | {"fen": -1}, "fen"),
        (MONEY | {"fen": MOST_FEN + 1}, "fen"),
    ],
)
def test_a_promise_that_says_nothing_names_its_field(promise: dict[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_promise(Promise(**promise))
    assert refused.value.field == field


@given(states, states)
def test_a_step_leads_only_where_the_table_says(state: PledgeState, to: PledgeState) -> None:
    if to in POSSIBLE[state]:
        assert step(state, to) is to
    else:
        with pytest.raises(PledgeNotThere):
            step(state, to)


@given(states)
def test_what_is_received_or_withdrawn_stays_so_and_what_waits_can_go_on(state: PledgeState) -> None:
    assert bool(POSSIBLE[state]) == (state in WAITING)


def test_a_receipt_is_given_once() -> None:
    with pytest.raises(PledgeNotThere):
        step(PledgeState.RECEIVED, PledgeState.RECEIVED)


@given(st.sampled_from(Errand))
def test_what_became_of_the_order_is_a_step_that_a_pledge_can_take(errand: Errand) -> None:
    found = OUTCOMES[errand]
    assert found is PledgeState.FETCHING or found in POSSIBLE[PledgeState.FETCHING]
    assert found in WAITING
