"""Whom a level is told to: each once, in a storm one notice for many, listed until it is dealt with."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError, ProgrammingError
from sqlalchemy.orm import Session

from dispatch.errors import NotFound
from dispatch.models.access import AuditEntry, Membership
from dispatch.models.notify import Notice
from dispatch.models.orders import Assignment, Escalation, EscalationRecipient, Order, OrderEvent
from dispatch.queue import Job
from dispatch.rules.access.roles import SYSTEM, Actor, ActorKind, Role
from dispatch.rules.orders.states import Action
from dispatch.services import orders
from dispatch.services.orders import OrderDraft
from dispatch.services.orders.steps import step
from tests.factories.world import World, bump, make_world, set_policies, staff
from tests.statements import statements

NOW = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
LATE = NOW + timedelta(hours=8, minutes=1)
"""A drain is due after eight hours day and night: three levels are reached."""


def head_of(session: Session, world: World) -> Actor:
    """The head of the team that leads drains."""
    actor = staff(session, world, Role.TEAM_HEAD)
    role = Membership(
        user_id=actor.user_id, organisation_id=world.community.id, role=str(Role.TEAM_HEAD), team_id=world.line.id
    )
    session.add(role)
    session.flush()
    return actor


def late_orders(session: Session, world: World, count: int, **changes: object) -> list[Order]:
    """Orders that were dispatched and are all late at the same moment."""
    operator = staff(session, world, Role.OPERATOR)
    draft = OrderDraft("堵了", service_code="drain_clearing", stairwell_id=world.stairwells[0].id, **changes)  # type: ignore[arg-type]
    made = [orders.place(session, draft, actor=operator, now=NOW) for _ in range(count)]
    orders.route_many(session, [order.id for order in made], now=NOW)
    return made


def told(session: Session, actor: Actor) -> list[tuple[str, object]]:
    """What somebody was told: template and, of many, how many."""
    query = select(Notice).where(Notice.user_id == actor.user_id, Notice.template.startswith("escalation"))
    return [(one.template, one.facts.get("count")) for one in session.scalars(query.order_by(Notice.id))]


def digest_all(session: Session, now: datetime) -> None:
    """Run every job that gathers notices, as often as there are, twice over."""
    for _ in range(2):
        for reference in session.scalars(select(Job.reference).where(Job.kind == "orders.escalation_digest")).all():
            orders.tell_digest(session, reference or 0, now=now)


def test_fifty_orders_late_at_once_are_a_few_notices_and_every_level_is_kept(session: Session, world: World) -> None:
    head = head_of(session, world)
    made = late_orders(session, world, 50)
    for _ in range(2):
        for order in made:
            orders.escalate(session, order.id, now=LATE)
    assert told(session, head) == [("escalation", None)] * 4

    digest_all(session, LATE + timedelta(minutes=10))

    assert told(session, head) == [*[("escalation", None)] * 4, ("escalations", 46)]
    levels = session.execute(
        select(Escalation.level, func.count()).group_by(Escalation.level).order_by(Escalation.level)
    ).all()
    assert [tuple(row) for row in levels] == [("1", 50), ("2", 50), ("3", 50)]
    assert orders.escalated_count(session, actor=head) == 50
    assert len(orders.escalated_to(session, actor=head)) == 50


def test_the_minutes_of_a_digest_are_those_after_the_first_notice(session: Session, world: World) -> None:
    head_of(session, world)
    for order in late_orders(session, world, 6):
        orders.escalate(session, order.id, now=LATE)
    waiting = select(Job.run_at).where(Job.kind == "orders.escalation_digest").distinct()
    assert session.scalars(waiting).all() == [LATE + timedelta(minutes=10)]


def test_the_numbers_are_the_organisations(session: Session, world: World) -> None:
    changes = {"escalation__digest_from": 2, "escalation__digest_minutes": 30}
    set_policies(session, world.community, **changes)
    head = head_of(session, world)
    made = late_orders(session, world, 3)
    session.execute(text("UPDATE orders SET organisation_id = :id"), {"id": world.community.id})
    session.expire_all()
    for order in made:
        orders.escalate(session, order.id, now=LATE)
    assert told(session, head) == [("escalation", None)]
    digest_all(session, LATE + timedelta(minutes=30))
    assert told(session, head) == [("escalation", None), ("escalations", 2)]


def test_an_emergency_is_told_at_once_and_never_gathered(session: Session, world: World) -> None:
    head = head_of(session, world)
    for order in [*late_orders(session, world, 8), *late_orders(session, world, 8, urgency="emergency")]:
        orders.escalate(session, order.id, now=LATE)
    emergencies = select(func.count()).select_from(Notice).join(Order, Order.id == Notice.order_id)
    mine = (Notice.user_id == head.user_id, Notice.template == "escalation")
    assert session.scalar(emergencies.where(*mine, Order.urgency == "emergency")) == 8
    assert session.scalar(emergencies.where(*mine, Order.urgency != "emergency")) == 4


def test_what_is_finished_before_the_digest_is_spared_and_one_that_is_left_is_told_alone(
    session: Session, world: World
) -> None:
    head = head_of(session, world)
    made = late_orders(session, world, 7)
    for order in made:
        orders.escalate(session, order.id, now=LATE)
    centre = staff(session, world, Role.CENTRE)
    for order in made[4:6]:
        orders.void(session, order, reason="不用了", by_resident=True, actor=centre, now=LATE)
    digest_all(session, LATE + timedelta(minutes=10))
    assert told(session, head) == [("escalation", None)] * 5
    states = select(EscalationRecipient.state, func.count()).where(EscalationRecipient.user_id == head.user_id)
    rows = session.execute(states.group_by(EscalationRecipient.state)).all()
    assert dict(rows) == {"told": 4, "spared": 2, "digested": 1}


def test_a_firm_with_many_late_orders_gets_one_message_that_names_them(session: Session) -> None:
    world = make_world(session, firms=1)
    world.firms[0].capacity = 60
    bump(session, world.district)
    made = late_orders(session, world, 9)
    for order in made:
        order.performer_id = world.firms[0].id
    session.flush()
    for order in made:
        orders.escalate(session, order.id, now=LATE)
    digest_all(session, LATE + timedelta(minutes=10))
    query = select(Notice).where(Notice.performer_id == world.firms[0].id, Notice.template.startswith("escalation"))
    found = session.scalars(query.order_by(Notice.id)).all()
    assert [one.template for one in found] == ["escalation"] * 4 + ["escalations"]
    assert found[-1].facts["count"] == 5
    assert found[-1].facts["numbers"].startswith(made[4].number)


def test_no_level_fires_while_an_order_is_held(session: Session, world: World) -> None:
    (order,) = late_orders(session, world, 1)
    order.held_since, order.held_until = NOW, LATE + timedelta(days=1)
    session.flush()
    orders.escalate(session, order.id, now=LATE)
    assert session.scalar(select(func.count()).select_from(Escalation)) == 0


def test_after_a_hold_what_is_still_to_come_has_moved_by_it(session: Session, world: World) -> None:
    (order,) = late_orders(session, world, 1)
    centre = staff(session, world, Role.CENTRE)
    order.held_since, order.held_until = NOW + timedelta(hours=1), NOW + timedelta(hours=30)
    step(session, order, Action.HOLD, actor=centre, kind=ActorKind.CENTRE, now=NOW + timedelta(hours=1))
    orders.resume(session, order, actor=centre, now=NOW + timedelta(hours=3))
    assert order.service_due_at == NOW + timedelta(hours=10)
    waiting = select(Job.run_at).where(Job.kind == "orders.escalate").order_by(Job.run_at)
    assert session.scalars(waiting).all() == [NOW + timedelta(hours=4), NOW + timedelta(hours=6)]
    orders.escalate(session, order.id, now=NOW + timedelta(hours=4))
    assert session.scalar(select(func.count()).select_from(Escalation)) == 0
    orders.escalate(session, order.id, now=NOW + timedelta(hours=6))
    assert session.scalars(select(Escalation.level)).all() == ["1"]


def reopened(session: Session, world: World, order: Order, now: datetime) -> None:
    """A late order is worked on, answered, and not solved for the resident: done again."""
    order.performer_id = world.firms[0].id
    for action, kind in (
        (Action.ACCEPT, ActorKind.PERFORMER),
        (Action.ARRIVE, ActorKind.PERFORMER),
        (Action.FINISH, ActorKind.PERFORMER),
        (Action.FEED_BACK, ActorKind.TEAM),
    ):
        step(session, order, action, actor=SYSTEM, kind=kind, now=now)
    clerk = staff(session, world, Role.CALLBACK_CLERK)
    answer = {"contacted": True, "solved": False, "satisfaction": "dissatisfied"}
    orders.record_callback(session, order, reached=True, **answer, actor=clerk, now=now)  # type: ignore[arg-type]


def test_an_emergency_done_again_has_a_limit_of_its_own_and_climbs_from_the_first_level(
    session: Session, world: World
) -> None:
    (order,) = late_orders(session, world, 1, urgency="emergency")
    first = order.service_due_at
    again = NOW + timedelta(days=3)
    reopened(session, world, order, again)
    assert (order.service_since, order.service_due_at) == (again, again + timedelta(hours=8))
    (facts,) = session.scalars(select(OrderEvent.facts).where(OrderEvent.action == "reopen"))
    assert first is not None
    assert facts["service_due_at_from"] == first.isoformat()

    orders.route(session, order.id, now=again)
    orders.escalate(session, order.id, now=again)
    levels = select(Escalation.level).where(Escalation.cycle == 2).order_by(Escalation.level)
    assert session.scalars(levels).all() == []
    waiting = select(func.max(Job.run_at)).where(Job.kind == "orders.escalate", Job.reference == order.id)
    assert session.scalar(waiting) == again + timedelta(hours=4)
    orders.escalate(session, order.id, now=again + timedelta(hours=4))
    assert session.scalars(levels).all() == ["1"]
    due = select(Assignment.due_at).where(Assignment.order_id == order.id, Assignment.cycle == 2).distinct()
    assert session.scalars(due).all() == [order.service_due_at]


def test_of_a_hold_in_which_an_order_is_opened_again_its_new_limit_moves_by_what_came_after(
    session: Session, world: World
) -> None:
    (order,) = late_orders(session, world, 1)
    centre, begin = staff(session, world, Role.CENTRE), NOW + timedelta(hours=1)
    order.held_since, order.held_until = begin, NOW + timedelta(hours=30)
    step(session, order, Action.HOLD, actor=centre, kind=ActorKind.CENTRE, now=begin)
    reopened(session, world, order, begin + timedelta(hours=5))
    orders.resume(session, order, actor=centre, now=begin + timedelta(hours=7))
    assert order.service_due_at == begin + timedelta(hours=5 + 8 + 2)


def test_a_kind_with_levels_of_its_own_climbs_by_them(session: Session, world: World) -> None:
    world.plumbing.escalation_levels = [{"at_ratio": 0.1, "tell": "team_head"}, {"at_ratio": 0.2, "tell": "centre"}]
    bump(session, world.district)
    head = head_of(session, world)
    (order,) = late_orders(session, world, 1)
    first = session.scalars(select(Job.run_at).where(Job.kind == "orders.escalate")).one()
    assert first == NOW + timedelta(minutes=48)
    orders.escalate(session, order.id, now=NOW + timedelta(minutes=48))
    assert told(session, head) == [("escalation", None)]


@pytest.mark.parametrize("levels", ["[]", "{}", '"x"'])
def test_the_database_refuses_levels_that_are_no_list(session: Session, world: World, levels: str) -> None:
    with pytest.raises(IntegrityError, match="escalation_levels"):
        session.execute(
            text("UPDATE services SET escalation_levels = cast(:levels AS jsonb) WHERE id = :id"),
            {"levels": levels, "id": world.plumbing.id},
        )


def test_what_is_dealt_with_leaves_the_list_and_stays_in_the_history(session: Session, world: World) -> None:
    head = head_of(session, world)
    (order,) = late_orders(session, world, 1)
    orders.escalate(session, order.id, now=LATE)
    (one,) = orders.escalated_to(session, actor=head)
    assert (one.level, one.audience, one.order.id) == (2, "team_head", order.id)
    for _ in range(2):
        orders.handle_escalation(session, one.id, actor=head, now=LATE, note="已催师傅")
    assert orders.escalated_to(session, actor=head) == []
    event = session.scalars(select(OrderEvent).where(OrderEvent.action == "remark")).one()
    assert (event.facts, event.reason) == ({"escalation": 2, "handled": True}, "已催师傅")
    audited = select(func.count()).where(AuditEntry.action == "orders.handle_escalation")
    assert session.scalar(audited) == 1
    orders.escalate(session, order.id, now=LATE + timedelta(hours=1))
    assert told(session, head) == [("escalation", None)]


def test_another_s_is_not_found_and_a_narrowed_reach_hides_it(session: Session, world: World) -> None:
    head, other = head_of(session, world), head_of(session, make_world(session))
    (order,) = late_orders(session, world, 1)
    orders.escalate(session, order.id, now=LATE)
    (one,) = orders.escalated_to(session, actor=head)
    with pytest.raises(NotFound):
        orders.handle_escalation(session, one.id, actor=other, now=LATE)
    assert orders.escalated_count(session, actor=other) == 0


def test_nobody_forgets_whom_a_level_was_told_to(session: Session, world: World) -> None:
    head_of(session, world)
    (order,) = late_orders(session, world, 1)
    orders.escalate(session, order.id, now=LATE)
    with pytest.raises(ProgrammingError, match="permission denied"):
        session.execute(text("DELETE FROM escalation_recipients"))


@pytest.mark.parametrize("count", [2, 20])
def test_the_list_and_the_count_are_one_statement_each_however_many(session: Session, world: World, count: int) -> None:
    head = head_of(session, world)
    for order in late_orders(session, world, count):
        orders.escalate(session, order.id, now=LATE)
    with statements(session) as listing:
        assert len(orders.escalated_to(session, actor=head)) == count
    with statements(session) as counting:
        assert orders.escalated_count(session, actor=head) == count
    assert (len(listing), len(counting)) == (1, 1)
