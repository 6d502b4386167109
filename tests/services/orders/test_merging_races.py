"""Merging with real commits and threads: two ways at once, a call meanwhile, the same number many times."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from dispatch.models.orders import Order, OrderCaller
from dispatch.rules.access.roles import EVERYTHING, Role
from dispatch.services import orders
from dispatch.services.orders import OrderDraft, callers
from dispatch.transaction import transaction
from tests.factories.world import World, make_world, staff
from tests.services.orders.test_races import at_once

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)


def made(count: int) -> tuple[World, list[int]]:
    """A world with so many orders at one stairwell, each of another caller, committed; their ids."""
    with transaction(EVERYTHING) as session:
        world = make_world(session)
    with transaction(EVERYTHING) as session:
        actor = staff(session, world, Role.OPERATOR)
        drafts = [
            OrderDraft(
                "堵了",
                service_code="drain_clearing",
                stairwell_id=world.stairwells[0].id,
                caller_phone=f"1740000001{number}",
            )
            for number in range(count)
        ]
        return world, [orders.place(session, draft, actor=actor, now=NOW).id for draft in drafts]


def merging(world: World, one: int, into: int) -> Callable[[], object]:
    """A merge in a transaction of its own."""

    def work() -> object:
        with transaction(EVERYTHING) as session:
            actor = staff(session, world, Role.OPERATOR)
            found = orders.merge(
                session, session.get_one(Order, one), session.get_one(Order, into), actor=actor, now=NOW
            )
            return found.id

    return work


def calling(world: World, order: int, phone: str) -> Callable[[], object]:
    """A repeated call in a transaction of its own."""

    def work() -> object:
        with transaction(EVERYTHING) as session:
            actor = staff(session, world, Role.OPERATOR)
            found = orders.repeat_call(session, session.get_one(Order, order), phone=phone, actor=actor, now=NOW)
            return found.id

    return work


@pytest.mark.usefixtures("committed")
def test_of_two_merges_into_each_other_one_wins() -> None:
    world, (one, other) = made(2)
    answers = at_once([merging(world, one, other), merging(world, other, one)])
    assert len([answer for answer in answers if isinstance(answer, int)]) == 1
    with transaction(EVERYTHING) as session:
        states = sorted(session.scalars(select(Order.state)))
        assert states == ["awaiting_dispatch", "merged"]


@pytest.mark.usefixtures("committed")
def test_merges_around_a_circle_leave_one_order_open() -> None:
    world, ids = made(4)
    around = [merging(world, one, ids[(place + 1) % 4]) for place, one in enumerate(ids)]
    at_once(around)
    with transaction(EVERYTHING) as session:
        ends = {callers.chain_of(session, one)[-1] for one in ids}
        states = dict(session.execute(select(Order.id, Order.state)).all())
        assert {states[end] for end in ends} == {"awaiting_dispatch"}
        assert all(
            one.order_id == callers.chain_of(session, one.home_id)[-1] for one in session.scalars(select(OrderCaller))
        )


@pytest.mark.usefixtures("committed")
def test_calls_that_come_while_orders_are_merged_are_counted_where_the_order_has_gone() -> None:
    world, (one, other) = made(2)
    phone = "17400000099"
    answers = at_once([merging(world, one, other), *(calling(world, one, phone) for _ in range(5))])
    assert all(isinstance(answer, int) for answer in answers), answers
    with transaction(EVERYTHING) as session:
        rows = session.scalars(select(OrderCaller).where(~OrderCaller.is_own)).all()
        assert sum(row.calls for row in rows) == 5
        waiting = callers.waiting_for(session, session.get_one(Order, other))
        assert len({row.phone_index for row in waiting}) == len(waiting) == 2


@pytest.mark.usefixtures("committed")
def test_taking_apart_twice_at_once_is_once() -> None:
    world, (one, other) = made(2)
    merging(world, one, other)()

    def work() -> object:
        with transaction(EVERYTHING) as session:
            actor = staff(session, world, Role.OPERATOR)
            orders.unmerge(session, session.get_one(Order, one), reason="看错了", actor=actor, now=NOW)
            return True

    answers = at_once([work, work])
    assert answers.count(True) == 1
    assert any(isinstance(answer, orders.NotMerged) for answer in answers)
