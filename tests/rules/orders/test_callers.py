"""Who waits, what is one matter, and what all callers' answers come to."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.orders.callback import AfterCallback, Satisfaction
from dispatch.rules.orders.callers import (
    WORST_FIRST,
    CallerAnswer,
    Spot,
    Waiter,
    is_same_matter,
    together,
    who_waits,
    worst,
)

INDEXES = st.sampled_from([None, b"1", b"2", b"3"])
ANSWERS = st.builds(
    CallerAnswer, contacted=st.booleans(), solved=st.booleans(), satisfaction=st.sampled_from([None, *Satisfaction])
)


@st.composite
def people(draw: st.DrawFn) -> list[Waiter]:
    """Some callers in the order in which they came."""
    drawn = draw(st.lists(st.tuples(INDEXES, st.booleans()), max_size=8))
    return [Waiter(number, index, home) for number, (index, home) in enumerate(drawn)]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Spot(1, 10, 100), Spot(1, 10, 100), True),
        (Spot(1, 10, 100), Spot(1, 10, 101), True),
        (Spot(1, 10, None), Spot(1, 10, 100), True),
        (Spot(1, 10, 100), Spot(2, 10, 100), False),
        (Spot(1, 10, 100), Spot(1, 11, 110), False),
        (Spot(1, None, None), Spot(1, None, None), False),
    ],
)
def test_one_matter_is_one_kind_at_one_stairwell_or_building(one: Spot, other: Spot, *, same: bool) -> None:
    assert is_same_matter(one, other) is same
    assert is_same_matter(other, one) is same


@given(INDEXES, people())
def test_every_number_is_called_exactly_once_and_nobody_is_left_out(own: bytes | None, came: list[Waiter]) -> None:
    waiting = who_waits(own, came)
    numbers = [one.index for one in came if one.id in waiting and one.index is not None]
    assert len(numbers) == len(set(numbers))
    assert own is None or own not in numbers
    expected = {one.index for one in came if not one.is_at_home and one.index is not None} - {own}
    assert set(numbers) == expected
    assert all(one.id in waiting for one in came if one.index is None and not one.is_at_home)


@given(st.sampled_from(list(AfterCallback)), st.booleans(), st.booleans())
def test_an_order_closes_only_when_nobody_waits_any_more(outcome: AfterCallback, others: bool, reached: bool) -> None:  # noqa: FBT001 - hypothesis
    found = together(outcome, others_wait=others, anybody_reached=reached)
    if outcome in {AfterCallback.REOPEN, AfterCallback.SUPERVISE, AfterCallback.TRY_AGAIN}:
        assert found is outcome
    elif others:
        assert found is AfterCallback.TRY_AGAIN
    else:
        assert found is (AfterCallback.CLOSE if reached else AfterCallback.UNREACHED)


def test_nobody_reached_is_no_answer() -> None:
    assert worst([]) is None


def test_one_caller_alone_decides_and_of_several_the_worst() -> None:
    happy = CallerAnswer(contacted=True, solved=True, satisfaction=Satisfaction.VERY_SATISFIED)
    so_so = CallerAnswer(contacted=False, solved=True, satisfaction=Satisfaction.BASICALLY_SATISFIED)
    assert worst([happy]) == happy
    assert worst([happy, so_so]) == so_so
    assert WORST_FIRST[0] is Satisfaction.VERY_DISSATISFIED


@given(st.lists(ANSWERS, min_size=1, max_size=5))
def test_the_outcome_is_no_better_than_any_answer_and_the_same_in_any_order(answers: list[CallerAnswer]) -> None:
    found = worst(answers)
    assert found is not None
    assert all(found.contacted <= one.contacted and found.solved <= one.solved for one in answers)
    ranks = [WORST_FIRST.index(one.satisfaction) for one in answers if one.satisfaction is not None]
    assert (found.satisfaction is None) == (not ranks)
    assert found.satisfaction is None or WORST_FIRST.index(found.satisfaction) == min(ranks)
    assert {worst(list(one)) for one in itertools.permutations(answers[:3])} == {worst(answers[:3])}
