"""Any sequence of merges, of taking apart and of repeated calls keeps every caller on exactly one place."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict
from dispatch.models.orders import Order, OrderCaller
from dispatch.services import orders
from dispatch.services.orders import callers
from tests.factories.world import World
from tests.services.orders.merging_world import NOW, OTHERS, check, index, numbers_waiting, operator, placed

STEPS = st.lists(
    st.tuples(st.sampled_from(["merge", "unmerge", "call"]), st.integers(0, 3), st.integers(0, 3)), max_size=14
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_no_sequence_of_merges_loses_or_doubles_a_caller(
    session: Session, world: World, steps: list[tuple[str, int, int]]
) -> None:
    actor = operator(session, world)
    phones = ["17400000001", OTHERS[0], OTHERS[1], OTHERS[0]]
    made = [placed(session, world, caller_phone=phone) for phone in phones]
    kept = {one.id: (one.description, one.room, one.civic_due_at, one.service_due_at, one.phone_index) for one in made}
    heard = {one.id: {one.phone_index} for one in made}
    calls = len(made)
    for action, first, second in steps:
        one, other = made[first], made[second]
        try:
            if action == "merge":
                orders.merge(session, one, other, actor=actor, now=NOW)
            elif action == "unmerge":
                orders.unmerge(session, one, reason="拆", actor=actor, now=NOW)
            else:
                phone = [*phones, OTHERS[2]][(first + second) % 5]
                known = at_home(session, one, index(phone))
                orders.repeat_call(session, one, phone=phone, actor=actor, now=NOW)
                calls += 1
                heard[known].add(index(phone))
        except Conflict:
            continue
        check(session)
        assert_nobody_lost(session, made, heard, calls)
    for one in made:
        if one.state == "merged":
            orders.unmerge(session, one, reason="拆", actor=actor, now=NOW)
    check(session)
    assert_nobody_lost(session, made, heard, calls)
    for one in made:
        assert kept[one.id] == (one.description, one.room, one.civic_due_at, one.service_due_at, one.phone_index)
        assert numbers_waiting(session, one) == heard[one.id]


def at_home(session: Session, order: Order, phone: bytes) -> int:
    """The order on whose side a call of this number counts: its own caller's, a known caller's, or the last one's."""
    last = session.get_one(Order, callers.chain_of(session, order.id)[-1])
    if last.phone_index == phone:
        return last.id
    same = [one for one in callers.callers_of(session, last) if one.phone_index == phone]
    return min(same, key=lambda one: one.left_at is not None).home_id if same else last.id


def assert_nobody_lost(session: Session, made: list[Order], heard: dict[int, set[bytes | None]], calls: int) -> None:
    """Each number that called about an order waits, once, exactly where that order has gone; all calls are counted."""
    ends = {one.id: callers.chain_of(session, one.id)[-1] for one in made}
    for last in made:
        if ends[last.id] != last.id:
            assert callers.callers_of(session, last) == []
            continue
        expected = {number for home, end in ends.items() if end == last.id for number in heard[home]}
        waiting = [one.phone_index for one in callers.waiting_for(session, last)]
        assert len(waiting) == len(set(waiting))
        assert last.phone_index not in waiting
        assert {*waiting, last.phone_index} == expected
    open_orders = [one for one in made if ends[one.id] == one.id]
    assert sum(orders.calls_about(callers.callers_of(session, one)) for one in open_orders) == calls
    assert sum(one.repeat_calls for one in made) == calls - len(made)
    homes = [one.home_id for one in session.scalars(select(OrderCaller)) if one.is_own]
    assert len(homes) == len(set(homes))
