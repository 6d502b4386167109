"""A corrected calendar moves the limits of open orders: told in the history, once, and nothing told twice."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace

import pytest
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from dispatch.models.orders import Assignment, Escalation, Order, OrderEvent
from dispatch.queue import Job
from dispatch.rules.access.roles import CLOCK, SYSTEM, ActorKind, Role
from dispatch.rules.orders.states import Action, OrderState
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import catalogue, orders
from dispatch.services.orders import OrderDraft, WorkReport, recompute
from dispatch.services.orders.steps import event_row
from tests.factories.world import World, make_world, staff
from tests.statements import statements

MAKEUP_WORKDAYS = ["2025-02-08", "2025-10-11", "2026-02-14", "2026-05-09", "2026-10-10"]
"""Make-up workdays of the published lists that follow an ordinary Friday."""


def at(text: str) -> datetime:
    """An instant of Shanghai's wall clock."""
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI).astimezone(UTC)


def placed(session: Session, world: World, now: datetime, code: str = "mediation") -> Order:
    """An order that was taken, of a kind on the working clock unless it is another."""
    draft = OrderDraft("吵架", service_code=code, stairwell_id=world.stairwells[0].id)
    return orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=now)


@pytest.fixture
def world(world: World) -> World:
    """A world whose mediation runs on the working clock: one working day for either limit."""
    world.gossip.service_clock = "working"
    world.gossip.civic_working_days = 1
    world.gossip.service_minutes = 7 * 60
    return world


def corrections(session: Session, order: Order) -> list[dict[str, str]]:
    """What the history says of limits that were worked out anew."""
    query = select(OrderEvent.facts).where(OrderEvent.order_id == order.id, OrderEvent.action == "recompute")
    return [*session.scalars(query.order_by(OrderEvent.version))]


@pytest.mark.parametrize("day", MAKEUP_WORKDAYS)
def test_a_makeup_workday_entered_late_brings_the_limits_forward(session: Session, world: World, day: str) -> None:
    makeup = date.fromisoformat(day)
    friday = f"{makeup - timedelta(days=1)} 10:00"
    order = placed(session, world, at(friday))
    before = order.civic_due_at
    assert before is not None
    assert before > at(f"{day} 23:59")

    catalogue.edit_day(session, world.district.id, makeup, kind="workday", name="调休上班", actor=SYSTEM)
    orders.recompute_due(session, world.district.id, now=at(friday))

    assert (order.civic_due_at, order.service_due_at) == (at(f"{day} 10:00"), at(f"{day} 10:00"))
    (facts,) = corrections(session, order)
    assert facts["civic_due_at_from"] == before.isoformat()
    assert datetime.fromisoformat(facts["civic_due_at_to"]) == order.civic_due_at


def test_a_correction_of_a_calendar_leaves_one_job_and_its_second_run_changes_nothing(
    session: Session, world: World
) -> None:
    order = placed(session, world, at("2026-11-23 10:00"))
    holiday = date(2026, 11, 24)
    catalogue.edit_day(session, world.district.id, holiday, kind="holiday", name="停电", actor=SYSTEM)
    jobs = select(func.count()).where(Job.kind == "orders.recompute_due", Job.reference == world.district.id)
    assert session.scalar(jobs) == 1

    for _ in range(3):
        orders.recompute_due(session, world.district.id, now=at("2026-11-23 10:05"))

    assert len(corrections(session, order)) == 1
    assert order.civic_due_at == at("2026-11-25 10:00")


def test_a_kind_served_day_and_night_keeps_its_service_limit(session: Session, world: World) -> None:
    order = placed(session, world, at("2026-11-23 10:00"), "drain_clearing")
    before = order.service_due_at
    catalogue.edit_day(session, world.district.id, date(2026, 11, 23), kind="holiday", name="停电", actor=SYSTEM)
    orders.recompute_due(session, world.district.id, now=at("2026-11-23 10:05"))
    assert order.service_due_at == before
    assert [name for name in corrections(session, order)[0] if name.startswith("service")] == []


def test_a_hold_that_is_over_still_counts(session: Session, world: World) -> None:
    order = placed(session, world, at("2026-11-23 10:00"))
    for action, moment in ((Action.HOLD, "2026-11-23 11:00"), (Action.RESUME, "2026-11-24 11:00")):
        step(session, order, action, at(moment))
    catalogue.edit_day(session, world.district.id, date(2026, 11, 25), kind="holiday", name="停电", actor=SYSTEM)
    orders.recompute_due(session, world.district.id, now=at("2026-11-24 12:00"))
    assert order.civic_due_at == at("2026-11-26 10:00")


def test_an_extension_counts_in_working_days_and_one_of_unknown_length_stays(session: Session, world: World) -> None:
    known, unknown = (placed(session, world, at("2026-11-23 10:00")) for _ in range(2))
    step(session, known, Action.EXTEND, at("2026-11-23 11:00"), {"days": 1})
    step(session, unknown, Action.EXTEND, at("2026-11-23 11:00"), {"number": 1})
    unknown.civic_due_at = at("2026-11-30 10:00")
    session.flush()
    catalogue.edit_day(session, world.district.id, date(2026, 11, 24), kind="holiday", name="停电", actor=SYSTEM)
    orders.recompute_due(session, world.district.id, now=at("2026-11-23 12:00"))
    assert known.civic_due_at == at("2026-11-26 10:00")
    assert unknown.civic_due_at == at("2026-11-30 10:00")


def step(session: Session, order: Order, action: Action, now: datetime, facts: dict[str, object] | None = None) -> None:
    """One event of an order, as the centre grants it."""
    row = event_row(
        order,
        action,
        OrderState(order.state),
        actor=CLOCK,
        kind=ActorKind.CENTRE,
        now=now,
        facts=facts or {},
        reason=None,
    )
    session.execute(insert(OrderEvent), [row])
    session.flush()


def test_a_callback_that_is_waited_for_moves_with_the_calendar(
    session: Session, world: World, links: Callable[[Order], dict[int, str]]
) -> None:
    monday = at("2026-11-23 10:00")
    order = placed(session, world, monday)
    orders.route(session, order.id, now=monday)
    (token,) = links(order).values()
    orders.accept(session, token, now=monday)
    orders.finish(session, token, WorkReport("done", 0, "已劝好"), now=monday)
    orders.feed_back(session, order, answer="已劝好", actor=staff(session, world, Role.TEAM_HEAD), now=monday)
    assert order.callback_due_at == at("2026-11-24 08:30")

    catalogue.edit_day(session, world.district.id, date(2026, 11, 24), kind="holiday", name="停电", actor=SYSTEM)
    orders.recompute_due(session, world.district.id, now=monday)

    assert order.callback_due_at == at("2026-11-25 08:30")
    orders.callback_due(session, order.id, now=at("2026-11-24 08:30"))
    assert order.state == "fed_back"
    waiting = select(Job.run_at).where(Job.kind == "orders.callback_due", Job.reference == order.id).order_by(Job.id)
    assert session.scalars(waiting).all() == [at("2026-11-24 08:30"), at("2026-11-25 08:30")]


def test_what_was_opened_again_is_worked_out_from_then_on(
    session: Session, world: World, links: Callable[[Order], dict[int, str]]
) -> None:
    monday, again = at("2026-11-23 10:00"), at("2026-11-25 10:00")
    order = placed(session, world, monday)
    orders.route(session, order.id, now=monday)
    (token,) = links(order).values()
    orders.accept(session, token, now=monday)
    orders.finish(session, token, WorkReport("done", 0, "已劝好"), now=monday)
    orders.feed_back(session, order, answer="已劝好", actor=staff(session, world, Role.TEAM_HEAD), now=monday)
    clerk, said = staff(session, world, Role.CALLBACK_CLERK), {"contacted": True, "solved": False}
    orders.record_callback(session, order, reached=True, **said, satisfaction="dissatisfied", actor=clerk, now=again)
    assert order.service_due_at == at("2026-11-26 10:00")

    catalogue.edit_day(session, world.district.id, date(2026, 11, 26), kind="holiday", name="停电", actor=SYSTEM)
    orders.recompute_due(session, world.district.id, now=again)

    assert (order.civic_due_at, order.service_due_at) == (at("2026-11-24 10:00"), at("2026-11-27 10:00"))
    due = select(Assignment.due_at).where(Assignment.order_id == order.id, Assignment.done_at.is_(None)).distinct()
    assert session.scalars(due).all() == [order.service_due_at]


def test_what_was_opened_again_before_limits_ran_anew_keeps_the_one_it_had() -> None:
    before = SimpleNamespace(action="reopen", at=at("2026-11-25 10:00"), facts={"count": 1})
    assert recompute.moves_of([before], {}) == []  # type: ignore[list-item]


def test_a_level_that_was_told_is_not_told_again_and_the_next_one_waits_for_the_new_time(
    session: Session, world: World
) -> None:
    monday = at("2026-11-23 08:30")
    order = placed(session, world, monday)
    orders.route(session, order.id, now=monday)
    orders.escalate(session, order.id, now=at("2026-11-23 15:00"))
    catalogue.edit_day(session, world.district.id, date(2026, 11, 23), kind="holiday", name="停电", actor=SYSTEM)
    orders.recompute_due(session, world.district.id, now=at("2026-11-23 15:10"))
    assert order.service_due_at == at("2026-11-24 17:30")

    for moment in ("2026-11-23 15:11", "2026-11-23 17:00", "2026-11-24 15:00"):
        orders.escalate(session, order.id, now=at(moment))

    told = session.scalars(select(Escalation.level).where(Escalation.order_id == order.id)).all()
    assert told == ["1"]
    waiting = select(func.max(Job.run_at)).where(Job.kind == "orders.escalate", Job.reference == order.id)
    assert session.scalar(waiting) == at("2026-11-24 16:06")
    due = select(Assignment.due_at).where(Assignment.order_id == order.id).distinct()
    assert session.scalars(due).all() == [order.service_due_at]


def test_ended_orders_and_those_of_others_stay(session: Session, world: World) -> None:
    order = placed(session, world, at("2026-11-23 10:00"))
    before = order.civic_due_at
    elsewhere = make_world(session)
    catalogue.edit_day(session, elsewhere.district.id, date(2026, 11, 24), kind="holiday", name="停电", actor=SYSTEM)
    orders.recompute_due(session, elsewhere.district.id, now=at("2026-11-23 10:05"))
    assert order.civic_due_at == before
    centre = staff(session, world, Role.CENTRE)
    orders.void(session, order, reason="不用了", by_resident=True, actor=centre, now=at("2026-11-23 10:06"))
    catalogue.edit_day(session, world.district.id, date(2026, 11, 24), kind="holiday", name="停电", actor=SYSTEM)
    orders.recompute_due(session, world.district.id, now=at("2026-11-23 10:10"))
    assert (order.civic_due_at, corrections(session, order)) == (before, [])


@pytest.mark.parametrize("count", [2, 20])
def test_a_batch_costs_the_same_statements_however_many_orders_it_moves(
    session: Session, world: World, count: int
) -> None:
    for _ in range(count):
        placed(session, world, at("2026-11-23 10:00"))
    catalogue.edit_day(session, world.district.id, date(2026, 11, 24), kind="holiday", name="停电", actor=SYSTEM)
    with statements(session) as sent:
        orders.recompute_due(session, world.district.id, now=at("2026-11-23 10:05"))
    assert len(sent) <= 14
    assert session.scalar(select(func.count()).where(OrderEvent.action == "recompute")) == count


def test_a_full_batch_leaves_the_rest_to_a_job(session: Session, world: World) -> None:
    made = [placed(session, world, at("2026-11-23 10:00")) for _ in range(recompute.BATCH + 1)]
    catalogue.edit_day(session, world.district.id, date(2026, 11, 24), kind="holiday", name="停电", actor=SYSTEM)
    orders.recompute_due(session, world.district.id, now=at("2026-11-23 10:05"))
    assert corrections(session, made[-1]) == []
    rest = session.scalars(
        select(Job.arguments).where(Job.kind == "orders.recompute_due", Job.arguments.has_key("after"))
    ).one()
    orders.recompute_due(session, world.district.id, after=rest["after"], now=at("2026-11-23 10:06"))
    assert len(corrections(session, made[-1])) == 1
