"""The callback: somebody else calls, and the answer decides."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.orders.callback import (
    COMPLAINING,
    SATISFACTION_LABELS,
    AfterCallback,
    Satisfaction,
    after_callback,
    may_call_back,
)


def test_the_scale_has_five_published_steps() -> None:
    assert "/".join(SATISFACTION_LABELS[step] for step in Satisfaction) == "非常满意/满意/基本满意/不满意/非常不满意"


@pytest.mark.parametrize(
    ("tries", "outcome"),
    [(1, AfterCallback.TRY_AGAIN), (2, AfterCallback.TRY_AGAIN), (3, AfterCallback.UNREACHED)],
)
def test_three_tries_without_an_answer_end_unreached(tries: int, outcome: AfterCallback) -> None:
    assert after_callback(tries, reached=False, solved=None, satisfaction=None, reopen_count=0) is outcome


@pytest.mark.parametrize("satisfaction", [None, *sorted(set(Satisfaction) - COMPLAINING)])
def test_solved_without_complaint_closes(satisfaction: Satisfaction | None) -> None:
    after = after_callback(1, reached=True, solved=True, satisfaction=satisfaction, reopen_count=0)
    assert after is AfterCallback.CLOSE


@pytest.mark.parametrize(
    ("solved", "satisfaction"),
    [(False, None), (False, Satisfaction.SATISFIED), (True, Satisfaction.DISSATISFIED)],
)
def test_unsolved_or_dissatisfied_is_done_again_once_then_supervised(
    *, solved: bool, satisfaction: Satisfaction | None
) -> None:
    outcomes = [
        after_callback(1, reached=True, solved=solved, satisfaction=satisfaction, reopen_count=count)
        for count in (0, 1, 2)
    ]
    assert outcomes == [AfterCallback.REOPEN, AfterCallback.SUPERVISE, AfterCallback.SUPERVISE]


def test_somebody_reached_must_have_been_asked() -> None:
    with pytest.raises(Invalid) as refused:
        after_callback(1, reached=True, solved=None, satisfaction=None, reopen_count=0)
    assert refused.value.field == "solved"


@given(
    tries=st.integers(1, 9),
    reached=st.booleans(),
    solved=st.booleans(),
    satisfaction=st.none() | st.sampled_from(Satisfaction),
    reopen_count=st.integers(0, 5),
)
def test_an_order_closes_as_solved_only_when_the_resident_said_so(
    *, tries: int, reached: bool, solved: bool, satisfaction: Satisfaction | None, reopen_count: int
) -> None:
    after = after_callback(tries, reached=reached, solved=solved, satisfaction=satisfaction, reopen_count=reopen_count)
    assert (after is AfterCallback.CLOSE) == (reached and solved and satisfaction not in COMPLAINING)
    assert (after in {AfterCallback.TRY_AGAIN, AfterCallback.UNREACHED}) == (not reached)


@given(st.integers(1, 20), st.frozensets(st.integers(1, 20)))
def test_no_handler_calls_back(clerk: int, handlers: frozenset[int]) -> None:
    assert may_call_back(clerk, handlers) == (clerk not in handlers)
    assert not may_call_back(clerk, handlers | {clerk})
