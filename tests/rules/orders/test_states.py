"""The life cycle of an order: legal steps, who may take them, and that every life can end."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Conflict, NotAllowed
from dispatch.rules.access.roles import ActorKind
from dispatch.rules.orders.lifecycle import render_markdown
from dispatch.rules.orders.states import (
    ENDED,
    LABELS,
    OPEN,
    TRANSITIONS,
    WITH_PERFORMER,
    Action,
    IllegalStep,
    OrderState,
    legal_edges,
    next_state,
    possible_actions,
)

PAGE = Path(__file__).resolve().parents[3] / "docs" / "lifecycle.md"

A_WHOLE_LIFE = [
    (Action.RECEIVE, ActorKind.OPERATOR, OrderState.RECEIVED),
    (Action.COMPLETE_INTAKE, ActorKind.OPERATOR, OrderState.AWAITING_DISPATCH),
    (Action.DISPATCH, ActorKind.ROUTER, OrderState.DISPATCHED),
    (Action.SIGN, ActorKind.SYSTEM, OrderState.SIGNED),
    (Action.OPEN_ROUND, ActorKind.ROUTER, OrderState.OFFERED),
    (Action.NEXT_ROUND, ActorKind.CLOCK, OrderState.OFFERED),
    (Action.ACCEPT, ActorKind.PERFORMER, OrderState.ACCEPTED),
    (Action.SET_OUT, ActorKind.PERFORMER, OrderState.ACCEPTED),
    (Action.ARRIVE, ActorKind.PERFORMER, OrderState.ARRIVED),
    (Action.FINISH, ActorKind.PERFORMER, OrderState.FINISHED),
    (Action.FEED_BACK, ActorKind.TEAM, OrderState.FED_BACK),
    (Action.START_CALLBACK, ActorKind.CLOCK, OrderState.CALLING_BACK),
    (Action.RECORD_CALLBACK_TRY, ActorKind.CALLBACK_CLERK, OrderState.CALLING_BACK),
    (Action.REOPEN, ActorKind.CALLBACK_CLERK, OrderState.DISPATCHED),
    (Action.SIGN, ActorKind.TEAM, OrderState.SIGNED),
    (Action.ROUND_FAILED, ActorKind.ROUTER, OrderState.AWAITING_HUMAN),
    (Action.DISPATCH, ActorKind.DISPATCHER, OrderState.DISPATCHED),
    (Action.SIGN, ActorKind.TEAM, OrderState.SIGNED),
    (Action.OPEN_ROUND, ActorKind.DISPATCHER, OrderState.OFFERED),
    (Action.ACCEPT, ActorKind.TEAM, OrderState.ACCEPTED),
    (Action.WITHDRAW_PERFORMER, ActorKind.PERFORMER, OrderState.AWAITING_DISPATCH),
    (Action.FAIL_ROUTING, ActorKind.SYSTEM, OrderState.AWAITING_HUMAN),
    (Action.RETRY_ROUTING, ActorKind.DISPATCHER, OrderState.AWAITING_DISPATCH),
    (Action.MERGE, ActorKind.OPERATOR, OrderState.MERGED),
    (Action.UNMERGE, ActorKind.OPERATOR, OrderState.AWAITING_DISPATCH),
]


def test_a_whole_life_walks_through_the_table() -> None:
    state: OrderState | None = None
    for action, actor, expected in A_WHOLE_LIFE:
        state = next_state(state, action, actor)
        assert state is expected


def test_the_sixteen_stored_states_carry_their_published_names() -> None:
    assert len(OrderState) == 16
    assert "".join(LABELS[state] for state in OrderState) == (
        "受理中待派待人工已派已签收询单已接单已到场已完成已反馈回访办结归档直接答复作废已并"
    )


def test_open_and_ended_split_the_states_in_two() -> None:
    assert set(OrderState) == OPEN | ENDED
    assert not OPEN & ENDED
    assert WITH_PERFORMER <= OPEN


def test_every_action_has_a_row() -> None:
    assert {row.action for row in TRANSITIONS} == set(Action)


def test_every_row_names_somebody_who_may() -> None:
    assert all(row.who and row.origins and row.condition for row in TRANSITIONS)


def test_one_action_from_one_state_has_one_row_only() -> None:
    starts = [(row.action, origin) for row in TRANSITIONS for origin in row.origins]
    assert len(starts) == len(set(starts))


def test_an_ended_order_moves_only_by_archive_or_unmerge() -> None:
    moves = {(start, action) for start, action, end in legal_edges() if start in ENDED and end is not start}
    assert moves == {(OrderState.CLOSED, Action.ARCHIVE), (OrderState.MERGED, Action.UNMERGE)}


def _reachable(start: OrderState, without: frozenset[Action]) -> set[OrderState]:
    found, frontier = {start}, [start]
    while frontier:
        here = frontier.pop()
        ahead = {end for origin, action, end in legal_edges() if origin is here and action not in without}
        frontier += ahead - found
        found |= ahead
    return found


@pytest.mark.parametrize("state", sorted(OPEN))
def test_every_open_order_can_be_closed_properly(state: OrderState) -> None:
    assert OrderState.CLOSED in _reachable(state, frozenset({Action.VOID, Action.MERGE}))


def test_every_state_can_be_reached() -> None:
    assert _reachable(OrderState.RECEIVED, frozenset()) == set(OrderState)


@given(st.sampled_from([None, *OrderState]), st.sampled_from(Action), st.sampled_from(ActorKind))
def test_next_state_agrees_with_the_edges_for_everybody(
    state: OrderState | None, action: Action, actor: ActorKind
) -> None:
    ends = {end for origin, done, end in legal_edges() if origin is state and done is action}
    try:
        end = next_state(state, action, actor)
    except IllegalStep:
        assert not ends
    except NotAllowed:
        assert ends
        assert state is None or action not in possible_actions(state, actor)
    else:
        assert ends == {end}
        assert state is None or action in possible_actions(state, actor)


def test_an_illegal_step_is_a_conflict_and_says_so() -> None:
    with pytest.raises(Conflict, match="IllegalStep: 订单当前的状态不允许这一步"):
        next_state(OrderState.CLOSED, Action.FINISH, ActorKind.PERFORMER)


def test_an_operator_may_not_accept_for_the_firm() -> None:
    with pytest.raises(NotAllowed):
        next_state(OrderState.OFFERED, Action.ACCEPT, ActorKind.OPERATOR)


def test_only_the_system_closes_and_only_the_clerk_reopens() -> None:
    with pytest.raises(NotAllowed):
        next_state(OrderState.CALLING_BACK, Action.CLOSE, ActorKind.PERFORMER)
    with pytest.raises(NotAllowed):
        next_state(OrderState.CALLING_BACK, Action.REOPEN, ActorKind.PERFORMER)


def test_a_kind_without_callback_closes_from_fed_back() -> None:
    assert next_state(OrderState.FED_BACK, Action.CLOSE, ActorKind.SYSTEM) is OrderState.CLOSED


def test_an_event_needs_an_order_that_exists() -> None:
    with pytest.raises(IllegalStep):
        next_state(None, Action.REMARK, ActorKind.OPERATOR)
    event = next(row for row in TRANSITIONS if row.action is Action.REMARK)
    with pytest.raises(ValueError, match="needs an order"):
        event.after(None)


def test_the_page_in_docs_is_the_table() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_markdown()
