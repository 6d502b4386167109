"""How an errand went, by every state of its order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.market.errands import NOT_DONE, Errand, errand_of
from dispatch.rules.orders.states import ENDED, OrderState

states = st.sampled_from(OrderState)
results = st.sampled_from([None, "done", "partly", NOT_DONE])


@pytest.mark.parametrize(
    ("state", "result", "errand"),
    [
        (OrderState.RECEIVED, None, Errand.UNDER_WAY),
        (OrderState.ARRIVED, None, Errand.UNDER_WAY),
        (OrderState.FINISHED, "done", Errand.DONE),
        (OrderState.CLOSED, "partly", Errand.DONE),
        (OrderState.CLOSED, NOT_DONE, Errand.FAILED),
        (OrderState.ARCHIVED, "done", Errand.DONE),
        (OrderState.VOIDED, None, Errand.FAILED),
        (OrderState.MERGED, None, Errand.FAILED),
        (OrderState.ANSWERED, None, Errand.FAILED),
        (OrderState.SIGNED, NOT_DONE, Errand.UNDER_WAY),
    ],
)
def test_each_state_tells(state: OrderState, result: str | None, errand: Errand) -> None:
    assert errand_of(state, result) is errand


@given(states, results)
def test_what_has_ended_is_under_way_no_more_and_what_was_not_done_is_never_done(
    state: OrderState, result: str | None
) -> None:
    found = errand_of(state, result)
    assert found is not Errand.UNDER_WAY or state not in ENDED
    assert found is not Errand.DONE or result != NOT_DONE
