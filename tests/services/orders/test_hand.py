"""What people at the desk and in the teams do with an order by hand: dispatch, void, sign."""

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.notify import Alarm, Notice
from dispatch.rules.access.roles import Role
from dispatch.services import orders
from tests.factories.world import World, make_world, staff
from tests.services.orders.test_life import NOW, Links, jobs_of, routed


def test_a_hand_dispatch_kills_the_open_round_and_its_link(session: Session, world: World, links: Links) -> None:
    order = routed(session, world)
    ((first, token),) = links(order).items()
    other = next(firm for firm in world.firms if firm.id != first)
    dispatcher = staff(session, world, Role.DISPATCHER)
    orders.dispatch_by_hand(session, order, performer_id=other.id, reason="居民要求", actor=dispatcher, now=NOW)
    with pytest.raises(orders.LinkDead):
        orders.accept(session, token, now=NOW)
    assert set(links(order)) == {other.id}


def test_a_firm_with_expired_papers_is_not_dispatched_by_hand_either(session: Session, world: World) -> None:
    order = routed(session, world)
    session.execute(
        text("UPDATE papers SET valid_until = '2026-11-22' WHERE performer_id = :id"),
        {"id": world.firms[1].id},
    )
    dispatcher = staff(session, world, Role.DISPATCHER)
    with pytest.raises(Invalid) as refused:
        orders.dispatch_by_hand(
            session, order, performer_id=world.firms[1].id, reason="熟悉", actor=dispatcher, now=NOW
        )
    assert refused.value.field == "performer_id"


def test_void_needs_two_people(session: Session, world: World) -> None:
    order = routed(session, world)
    first, second = staff(session, world, Role.OPERATOR), staff(session, world, Role.OPERATOR)
    assert not orders.void(session, order, reason="打错了", actor=first, now=NOW)
    with pytest.raises(orders.SecondPersonMissing):
        orders.void(session, order, reason="打错了", actor=first, now=NOW)
    assert orders.void(session, order, reason="核实了", actor=second, now=NOW)
    assert order.state == "voided"


def test_a_voided_order_is_nobodys_and_its_firm_is_told(session: Session, world: World, links: Links) -> None:
    order = routed(session, world)
    ((firm, token),) = links(order).items()
    orders.accept(session, token, now=NOW)
    operator = staff(session, world, Role.OPERATOR)
    assert orders.void(session, order, reason="居民撤回", by_resident=True, actor=operator, now=NOW)
    assert order.performer_id is None
    told = select(Notice.performer_id).where(Notice.order_id == order.id, Notice.template == "withdrawn")
    assert session.scalars(told).all() == [firm]


def test_a_team_worker_kind_waits_for_the_teams_signature_and_is_alarmed_without_it(
    session: Session, world: World
) -> None:
    world.plumbing.signed_for, world.plumbing.performer = True, "team_worker"
    session.flush()
    order = routed(session, world)
    assert (order.state, jobs_of(session, order)) == (
        "dispatched",
        {"orders.route", "orders.sign_due", "orders.escalate"},
    )
    orders.sign_due(session, order.id)
    alarms = session.scalars(select(Alarm.kind).where(Alarm.order_id == order.id, Alarm.cleared_at.is_(None))).all()
    assert alarms == ["order_unsigned"]
    orders.sign(session, order, actor=staff(session, world, Role.TEAM_HEAD), now=NOW)
    assert order.state == "signed"
    assert session.scalars(select(Alarm).where(Alarm.order_id == order.id, Alarm.cleared_at.is_(None))).all() == []


def test_a_firm_kind_signs_by_itself(session: Session, world: World) -> None:
    world.plumbing.signed_for = True
    session.flush()
    assert routed(session, world).state == "offered"


def test_a_firm_that_the_community_has_not_admitted_is_not_dispatched_by_hand(session: Session, world: World) -> None:
    order = routed(session, world)
    stranger = make_world(session, firms=1).firms[0]
    with pytest.raises(Invalid) as refused:
        orders.dispatch_by_hand(
            session,
            order,
            performer_id=stranger.id,
            reason="听说不错",
            actor=staff(session, world, Role.DISPATCHER),
            now=NOW,
        )
    assert refused.value.field == "performer_id"
