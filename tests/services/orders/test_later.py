"""Nobody is on shift: when somebody comes, told before saving and while the order waits."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.queue import Job
from dispatch.rules.access.roles import Role
from dispatch.services import orders
from tests.factories.world import World, bump, staff
from tests.services.orders.test_life import NOW, draft, routed

AT_TWO = NOW + timedelta(hours=4)


def off_until(session: Session, world: World, *begins: str) -> None:
    """The firms' shifts begin at these times of the day, in Shanghai; now it is ten in the morning there."""
    for firm, time in zip(world.firms, begins, strict=True):
        firm.shifts = {str(day): [f"{time}-18:00"] for day in range(1, 8)}
    session.flush()
    bump(session, world.district)


def test_the_first_shift_of_those_who_could_take_it_is_told_before_saving(session: Session, world: World) -> None:
    off_until(session, world, "15:00", "14:00", "16:00")
    seen = orders.preview(session, draft(world), actor=staff(session, world, Role.OPERATOR), now=NOW)
    assert (seen.recipients, seen.first_shift) == ([], (AT_TWO, world.firms[1].name))


def test_a_time_within_the_shift_is_offered_and_nothing_is_waited_for(session: Session, world: World) -> None:
    off_until(session, world, "15:00", "14:00", "16:00")
    wanted = {"wanted_from": AT_TWO, "wanted_until": AT_TWO + timedelta(hours=2)}
    seen = orders.preview(session, draft(world, **wanted), actor=staff(session, world, Role.OPERATOR), now=NOW)
    assert (len(seen.recipients), seen.first_shift) == (1, None)


def test_an_order_that_waits_for_a_shift_says_so_and_one_that_was_offered_does_not(
    session: Session, world: World
) -> None:
    assert orders.shift_waited_for(session, routed(session, world), now=NOW) is None
    off_until(session, world, "15:00", "14:00", "16:00")
    order = routed(session, world)
    assert order.waits_for == "no_candidate"
    assert orders.shift_waited_for(session, order, now=NOW) == (AT_TWO, world.firms[1].name)


def test_where_more_than_the_shift_keeps_them_out_nothing_is_promised(session: Session, world: World) -> None:
    off_until(session, world, "15:00", "14:00", "16:00")
    order = routed(session, world, excluded_performers=tuple(firm.id for firm in world.firms))
    assert orders.shift_waited_for(session, order, now=NOW) is None


def test_an_order_that_only_a_shift_keeps_back_is_routed_anew_when_the_shift_begins(
    session: Session, world: World
) -> None:
    off_until(session, world, "15:00", "14:00", "16:00")
    order = routed(session, world)
    assert (order.state, order.cycle) == ("awaiting_human", 1)
    job = session.scalars(select(Job).where(Job.kind == "orders.wake", Job.reference == order.id)).one()
    assert (job.run_at, job.arguments) == (AT_TWO, {"cycle": 1})
    orders.wake(session, order.id, cycle=1, now=AT_TWO)
    orders.route(session, order.id, now=AT_TWO)
    assert order.state == "offered"
    orders.wake(session, order.id, cycle=1, now=AT_TWO)
    assert order.state == "offered"


def test_an_order_that_somebody_took_care_of_meanwhile_is_left_alone(session: Session, world: World) -> None:
    off_until(session, world, "15:00", "14:00", "16:00")
    order = routed(session, world)
    dispatcher = staff(session, world, Role.DISPATCHER)
    orders.retry_routing(session, order, reason="问过了", actor=dispatcher, now=NOW)
    orders.route(session, order.id, now=NOW)
    assert (order.state, order.cycle) == ("awaiting_human", 2)
    version = order.version
    orders.wake(session, order.id, cycle=1, now=AT_TWO)
    assert order.version == version


def test_nobody_waits_for_a_shift_that_never_comes(session: Session, world: World) -> None:
    everybody = tuple(firm.id for firm in world.firms)
    order = routed(session, world, excluded_performers=everybody)
    assert session.scalars(select(Job).where(Job.kind == "orders.wake", Job.reference == order.id)).all() == []
