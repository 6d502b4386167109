"""Until when the performer arrives: of the present cycle and of whoever accepted, never of an earlier one."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy.orm import Session

from dispatch.models.orders import Order
from dispatch.rules.access.roles import Role
from dispatch.services import orders
from dispatch.services.orders import WorkReport
from tests.factories.world import World, staff
from tests.services.orders.test_life import NOW, Links, routed

MINUTES = timedelta(minutes=45)


@pytest.fixture(autouse=True)
def forty_five_minutes(session: Session, world: World) -> None:
    """The kind asks for arrival within 45 minutes, as a power fault does."""
    world.plumbing.arrive_minutes = 45
    session.flush()


def accepted(session: Session, world: World, links: Links, at: datetime) -> tuple[Order, str]:
    """An order accepted then, with the link of whoever accepted."""
    order = routed(session, world)
    ((_, token),) = links(order).items()
    orders.accept(session, token, now=at)
    return order, token


def test_the_limit_runs_from_the_call_until_somebody_accepts_and_then_from_there(
    session: Session, world: World, links: Links
) -> None:
    order = routed(session, world)
    assert order.arrive_due_at == NOW + MINUTES
    ((_, token),) = links(order).items()
    orders.accept(session, token, now=NOW + timedelta(minutes=9))
    assert order.arrive_due_at == NOW + timedelta(minutes=9) + MINUTES


def test_an_order_given_back_has_a_new_limit_and_the_next_one_s_acceptance_another(
    session: Session, world: World, links: Links
) -> None:
    order, token = accepted(session, world, links, NOW)
    later = NOW + timedelta(hours=2)
    orders.give_back(session, token, reason="车坏了", now=later)
    assert order.arrive_due_at == later + MINUTES
    orders.route(session, order.id, now=later)
    ((_, token),) = links(order).items()
    orders.accept(session, token, now=later + timedelta(minutes=5))
    assert order.arrive_due_at == later + timedelta(minutes=5) + MINUTES


def test_an_order_dispatched_by_hand_to_another_firm_has_a_new_limit(
    session: Session, world: World, links: Links
) -> None:
    order, _ = accepted(session, world, links, NOW)
    other = next(firm for firm in world.firms if firm.id != order.performer_id)
    later = NOW + timedelta(hours=1)
    dispatcher = staff(session, world, Role.DISPATCHER)
    orders.dispatch_by_hand(session, order, performer_id=other.id, reason="居民要求", actor=dispatcher, now=later)
    assert order.arrive_due_at == later + MINUTES


def test_a_reopened_order_forgets_the_limit_and_the_window_of_its_first_visit(
    session: Session, world: World, links: Links
) -> None:
    order, token = accepted(session, world, links, NOW)
    orders.finish(session, token, WorkReport("done"), now=NOW)
    orders.feed_back(session, order, answer="已修好", actor=staff(session, world, Role.TEAM_HEAD), now=NOW)
    due = order.callback_due_at
    assert due is not None
    order.wanted_from, order.wanted_until = NOW, NOW + timedelta(hours=2)
    orders.record_callback(
        session,
        order,
        reached=True,
        contacted=True,
        solved=False,
        satisfaction="dissatisfied",
        actor=staff(session, world, Role.CALLBACK_CLERK),
        now=due,
    )
    assert (order.cycle, order.arrive_due_at) == (2, due + MINUTES)


def test_a_booking_given_back_before_its_time_keeps_its_window(session: Session, world: World, links: Links) -> None:
    wanted_from, wanted_until = NOW + timedelta(hours=4), NOW + timedelta(hours=6)
    order = routed(session, world, wanted_from=wanted_from, wanted_until=wanted_until)
    assert order.arrive_due_at == wanted_until
    ((_, token),) = links(order).items()
    orders.accept(session, token, now=NOW)
    assert order.arrive_due_at == wanted_until
    orders.give_back(session, token, reason="车坏了", now=NOW + timedelta(minutes=5))
    assert order.arrive_due_at == wanted_until
