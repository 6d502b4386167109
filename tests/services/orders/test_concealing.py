"""保密 made and lifted later: by whom, told in history and audit, with all that is merged with it."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotAllowed
from dispatch.models.access import AuditEntry
from dispatch.models.notify import Notice
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, Role
from dispatch.rules.orders.states import IllegalStep
from dispatch.services import orders
from dispatch.services.orders import told
from tests.factories.world import World, staff
from tests.services.orders.merging_world import NOW, check, placed
from tests.services.orders.test_life import routed

WHY = "住户要求不让别人知道"


@pytest.fixture
def centre(session: Session, world: World) -> Actor:
    return staff(session, world, Role.CENTRE)


def took_the_call(session: Session, world: World, order: Order) -> Actor:
    return replace(staff(session, world, Role.OPERATOR), user_id=order.created_by)


def last(session: Session, order: Order) -> tuple[str, str | None, int | None]:
    """The newest event: what, why, by whom."""
    event = orders.time_line(session, order)[-1]
    return event.action, event.reason, event.user_id


def test_whoever_took_the_call_hides_it_and_the_centre_lifts_it(session: Session, world: World, centre: Actor) -> None:
    order = routed(session, world)
    state, version = order.state, order.version
    mine = took_the_call(session, world, order)
    orders.conceal(session, order, reason=WHY, version=version, actor=mine, now=NOW)
    assert (order.confidential, order.state, order.version) == (True, state, version + 1)
    assert last(session, order) == ("conceal", WHY, mine.user_id)
    with pytest.raises(orders.AlreadyConfidential):
        orders.conceal(session, order, reason=WHY, actor=centre, now=NOW)
    orders.reveal(session, order, reason="住户同意公开", actor=centre, now=NOW)
    assert not order.confidential
    assert last(session, order) == ("reveal", "住户同意公开", centre.user_id)
    with pytest.raises(orders.NotConfidential):
        orders.reveal(session, order, reason=WHY, actor=centre, now=NOW)
    noted = select(AuditEntry.action).where(AuditEntry.subject_id == order.id).order_by(AuditEntry.id)
    assert session.scalars(noted).all()[-2:] == ["orders.conceal", "orders.reveal"]


def test_another_operator_a_team_and_a_clerk_may_not(session: Session, world: World) -> None:
    order = routed(session, world)
    for role in (Role.OPERATOR, Role.TEAM_HEAD, Role.CALLBACK_CLERK):
        with pytest.raises(NotAllowed):
            orders.conceal(session, order, reason=WHY, actor=staff(session, world, role), now=NOW)
    assert not order.confidential


def test_nobody_lifts_what_they_made_nor_without_a_reason(session: Session, world: World, centre: Actor) -> None:
    order = routed(session, world)
    with pytest.raises(Invalid, match="原因"):
        orders.conceal(session, order, reason=" ", actor=centre, now=NOW)
    orders.conceal(session, order, reason=WHY, actor=centre, now=NOW)
    with pytest.raises(orders.ConcealedByYou):
        orders.reveal(session, order, reason="弄错了", actor=centre, now=NOW)
    for role in (Role.OPERATOR, Role.DISPATCHER, Role.CALLBACK_CLERK):
        with pytest.raises(NotAllowed):
            orders.reveal(session, order, reason="弄错了", actor=staff(session, world, role), now=NOW)
    machine = replace(centre, user_id=None, api_key_id=1)
    with pytest.raises(NotAllowed):
        orders.reveal(session, order, reason="弄错了", actor=machine, now=NOW)
    assert order.confidential
    orders.reveal(session, order, reason="弄错了", actor=staff(session, world, Role.CENTRE), now=NOW)
    assert not order.confidential


def test_what_was_decided_on_an_older_picture_is_refused(session: Session, world: World, centre: Actor) -> None:
    order = routed(session, world)
    with pytest.raises(orders.Stale):
        orders.conceal(session, order, reason=WHY, version=order.version - 1, actor=centre, now=NOW)


def test_it_can_be_hidden_when_it_has_ended_but_not_when_it_was_put_away(
    session: Session, world: World, centre: Actor
) -> None:
    order = routed(session, world)
    orders.void(session, order, reason="不用了", by_resident=True, actor=centre, now=NOW)
    orders.conceal(session, order, reason=WHY, actor=centre, now=NOW)
    assert (order.state, order.confidential) == ("voided", True)
    other = routed(session, world)
    other.state = "archived"
    session.flush()
    with pytest.raises(IllegalStep):
        orders.conceal(session, other, reason=WHY, actor=centre, now=NOW)


def test_what_is_merged_is_one_matter_hidden_and_lifted_together(session: Session, world: World, centre: Actor) -> None:
    first, second, third = (placed(session, world, caller_phone=f"1740000000{number}") for number in (1, 2, 3))
    desk = staff(session, world, Role.OPERATOR)
    orders.merge(session, first, second, actor=desk, now=NOW)
    orders.merge(session, second, third, actor=desk, now=NOW)
    orders.conceal(session, second, reason=WHY, actor=staff(session, world, Role.DISPATCHER), now=NOW)
    assert [one.confidential for one in (first, second, third)] == [True, True, True]
    assert [orders.time_line(session, one)[-1].facts for one in (first, second, third)] == [
        {"with": second.number},
        {},
        {"with": second.number},
    ]
    orders.reveal(session, third, reason="公开", actor=centre, now=NOW)
    assert [one.confidential for one in (first, second, third)] == [False, False, False]
    check(session)


def test_a_notice_that_waits_keeps_the_matter_to_itself_from_now_on(
    session: Session, world: World, centre: Actor
) -> None:
    order = routed(session, world)
    notice = session.scalars(select(Notice).where(Notice.order_id == order.id).limit(1)).one()
    before = dict(told.facts_for(session, notice, now=NOW) or {})
    orders.conceal(session, order, reason=WHY, actor=centre, now=NOW)
    after = dict(told.facts_for(session, notice, now=NOW) or {})
    assert before["service"] != after["service"] == "保密服务"
    assert after["place"] == "地点见链接"
    assert WHY not in str(after)
