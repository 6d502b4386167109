"""催办 and 督办: counted and told, with a due date and closing check of their own; an end that needs two people."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.models.access import Membership
from dispatch.models.notify import Alarm, Notice
from dispatch.queue import Job
from dispatch.rules.access.roles import SYSTEM, Actor, Role
from dispatch.services import orders
from dispatch.services.access import keys
from tests.factories.world import World, staff
from tests.services.orders.test_life import NOW, Links, routed
from tests.services.orders.test_requests import DAY, accepted, alarms, called_back, finished


@pytest.fixture
def head(session: Session, world: World) -> Actor:
    return staff(session, world, Role.TEAM_HEAD)


@pytest.fixture
def centre(session: Session, world: World) -> Actor:
    return staff(session, world, Role.CENTRE)


def test_urging_is_counted_told_to_the_team_and_alarmed_at_the_third(
    session: Session, world: World, head: Actor
) -> None:
    order = routed(session, world)
    session.add(
        Membership(user_id=head.user_id, organisation_id=world.community.id, role="team_head", team_id=world.line.id)
    )
    session.flush()
    operator = staff(session, world, Role.OPERATOR)
    for number in (1, 2, 3):
        assert "order_urged" not in alarms(session, order)
        orders.urge(session, order, reason="居民又来电话问", by_resident=True, actor=operator, now=NOW)
        assert order.urged == number
    assert "order_urged" in alarms(session, order)
    told = session.scalars(select(Notice.template).where(Notice.user_id == head.user_id)).all()
    assert told.count("urged") == 3


def test_a_late_arrival_is_urged_by_the_clock_once(session: Session, world: World, links: Links) -> None:
    order, _token = accepted(session, world, links)
    job = session.scalars(select(Job).where(Job.kind == "orders.arrival_due", Job.reference == order.id)).one()
    assert job.run_at == order.arrive_due_at
    orders.arrival_due(session, order.id, now=job.run_at - timedelta(seconds=1))
    assert order.urged == 0
    orders.arrival_due(session, order.id, now=job.run_at)
    assert order.urged == 1


def test_supervision_has_a_due_date_and_a_closing_check_of_its_own(
    session: Session, world: World, centre: Actor
) -> None:
    order = routed(session, world)
    found = orders.supervise(session, order, reason="区长批示", actor=centre, now=NOW)
    with pytest.raises(orders.AlreadySupervised):
        orders.supervise(session, order, reason="再来一次", actor=centre, now=NOW)
    orders.supervision_due(session, found.id, now=found.due_at)
    late = select(Alarm.kind).where(Alarm.subject == f"supervision:{found.id}", Alarm.cleared_at.is_(None))
    assert session.scalars(late).all() == ["supervision_late"]
    assert [one.id for one, _ in orders.supervised(session, actor=centre)] == [found.id]
    orders.end_supervision(session, order, finding="到现场看过,已修好", actor=centre, now=NOW)
    assert session.scalars(late).all() == []
    with pytest.raises(orders.NotSupervised):
        orders.end_supervision(session, order, finding="已看过", actor=centre, now=NOW)


def test_a_key_supervises_as_the_centre_and_answers_as_the_team(
    session: Session, world: World, head: Actor, centre: Actor, links: Links
) -> None:
    order, token = accepted(session, world, links)
    orders.supervise(session, order, reason="中心的系统发起", actor=keyed(session, world, centre), now=NOW)
    finished(session, token)
    orders.feed_back(session, order, answer="好了", actor=keyed(session, world, head), now=NOW)

    kinds = {event.action: event.actor_kind for event in orders.time_line(session, order)}
    assert (kinds["supervise"], kinds["feed_back"]) == ("centre", "team")


def keyed(session: Session, world: World, actor: Actor) -> Actor:
    """The same rights by a machine's key."""
    here = world.community.id
    key, _ = keys.create_key(session, name="机器", organisation_id=here, scopes=actor.rights, actor=SYSTEM, now=NOW)
    return replace(actor, user_id=None, api_key_id=key.id)


def test_a_closed_order_is_put_away_only_after_the_closing_check(
    session: Session, world: World, head: Actor, centre: Actor, links: Links
) -> None:
    order, token = accepted(session, world, links)
    orders.supervise(session, order, reason="领导关注", actor=centre, now=NOW)
    finished(session, token)
    orders.feed_back(session, order, answer="好了", actor=head, now=NOW)
    called_back(session, order, staff(session, world, Role.CALLBACK_CLERK))
    assert order.state == "closed"
    orders.archive(session, order.id, now=NOW + 30 * DAY)
    assert order.state == "closed"
    orders.end_supervision(session, order, finding="已看过", actor=centre, now=NOW + 31 * DAY)
    orders.archive(session, order.id, now=NOW + 31 * DAY)
    assert order.state == "archived"


def test_what_is_five_working_days_late_is_supervised_by_the_clock(
    session: Session, world: World, links: Links
) -> None:
    order, _token = accepted(session, world, links)
    orders.escalate(session, order.id, now=NOW + 20 * DAY)
    orders.escalate(session, order.id, now=NOW + 21 * DAY)
    assert [one.asked_by for one in orders.supervisions_of(session, order)] == [None]


def test_one_person_cannot_void_past_the_code(session: Session, world: World) -> None:
    order = routed(session, world)
    operator = staff(session, world, Role.OPERATOR)
    orders.void(session, order, reason="打错了", actor=operator, now=NOW)
    with pytest.raises(IntegrityError, match="voided by two people"), session.begin_nested():
        session.execute(
            text(
                "INSERT INTO order_events (order_id, version, action, from_state, to_state, at, actor_kind, "
                "user_id, digest) "
                "VALUES (:id, :version, 'void', 'offered', 'voided', dispatch_now(), 'operator', :user, '\\x00')"
            ),
            {"id": order.id, "version": order.version + 1, "user": operator.user_id},
        )
