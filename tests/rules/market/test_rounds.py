"""Yearly rounds: a frozen list, each household once, carried on until everybody is reached or has a reason."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import DispatchError, Invalid
from dispatch.rules.market.errands import Errand
from dispatch.rules.market.rounds import (
    ENTRY_LABELS,
    FINAL,
    ON_THE_WAY,
    OUTCOMES,
    ROUND_LABELS,
    SENDABLE,
    EntryNotThere,
    EntryState,
    ListFrozen,
    ListNotFrozen,
    NobodyListed,
    RoundState,
    SomebodyLeft,
    check_close,
    check_excuse,
    check_freeze,
    check_listable,
    check_sendable,
    check_set_back,
    check_sign,
    progress,
)

rounds = st.sampled_from(RoundState)
entries = st.sampled_from(EntryState)


def passes(check: Callable[..., None], *arguments: object) -> bool:
    """Whether a check lets this through."""
    try:
        check(*arguments)
    except DispatchError:
        return False
    return True


def test_every_word_has_a_label() -> None:
    assert set(ROUND_LABELS) == set(RoundState)
    assert set(ENTRY_LABELS) == set(EntryState)


def test_a_list_is_frozen_once_with_everybody_once() -> None:
    check_freeze(RoundState.LISTING, [1, 2, 3])
    with pytest.raises(ListFrozen):
        check_freeze(RoundState.FROZEN, [1])
    with pytest.raises(NobodyListed):
        check_freeze(RoundState.LISTING, [])
    with pytest.raises(Invalid) as refused:
        check_freeze(RoundState.LISTING, [1, 2, 1])
    assert refused.value.field == "household_id"


@given(rounds)
def test_a_frozen_list_neither_grows_nor_shrinks(state: RoundState) -> None:
    assert passes(check_listable, state) == (state is RoundState.LISTING)


@given(rounds, entries)
def test_a_parcel_leaves_only_for_who_has_none_and_none_under_way(state: RoundState, entry: EntryState) -> None:
    assert passes(check_sendable, state, entry) == (state is RoundState.FROZEN and entry in SENDABLE)


def test_each_refusal_of_a_delivery_says_why() -> None:
    with pytest.raises(ListNotFrozen):
        check_sendable(RoundState.LISTING, EntryState.LISTED)
    with pytest.raises(EntryNotThere):
        check_sendable(RoundState.FROZEN, EntryState.DELIVERED)


@given(rounds, entries, st.sampled_from(["", "  ", "已搬走", "长" * 301]))
def test_nobody_is_left_out_without_a_reason(state: RoundState, entry: EntryState, reason: str) -> None:
    is_sound = state is RoundState.FROZEN and entry in SENDABLE and reason == "已搬走"
    assert passes(check_excuse, state, entry, reason) == is_sound


@given(rounds, entries, st.sampled_from(["", "  ", "米发完了", "长" * 301]))
def test_only_what_was_taken_there_is_set_back_and_never_without_a_reason(
    state: RoundState, entry: EntryState, reason: str
) -> None:
    is_sound = state is RoundState.FROZEN and entry is EntryState.REACHED and reason == "米发完了"
    assert passes(check_set_back, state, entry, reason) == is_sound


@given(rounds, st.lists(entries, max_size=6))
def test_a_round_ends_when_everybody_is_reached_or_has_a_reason(state: RoundState, some: list[EntryState]) -> None:
    is_whole = bool(some) and all(one in FINAL for one in some)
    assert passes(check_close, state, some) == (state is RoundState.FROZEN and is_whole)
    assert progress(some).is_whole == is_whole


@given(st.lists(entries, max_size=40))
def test_a_round_is_at_a_hundred_percent_only_when_nobody_is_left(some: list[EntryState]) -> None:
    found = progress(some)
    assert found.delivered + found.excused + found.left == found.listed == len(some)
    assert (found.permille == 1000) == found.is_whole


def test_somebody_left_is_said() -> None:
    with pytest.raises(SomebodyLeft):
        check_close(RoundState.FROZEN, [EntryState.DELIVERED, EntryState.UNREACHED])


@given(st.sampled_from(Errand))
def test_what_came_to_nothing_is_carried_on(errand: Errand) -> None:
    assert (OUTCOMES[errand] in SENDABLE) == (errand is Errand.FAILED)
    assert OUTCOMES[errand] not in FINAL
    assert (OUTCOMES[errand] in ON_THE_WAY) == (errand is not Errand.FAILED)


@given(rounds, entries, st.sampled_from(["", " ", "陈桂花", "长" * 61]))
def test_a_parcel_that_somebody_took_there_is_signed_for_by_name(
    state: RoundState, entry: EntryState, signer: str
) -> None:
    is_sound = state is RoundState.FROZEN and entry in ON_THE_WAY and signer == "陈桂花"
    assert passes(check_sign, state, entry, signer) == is_sound
