"""Alarms: what must not stay silent, shown at the desk until it is cleared; one open per kind and subject."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, case, or_, select, update
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from dispatch.db import insert_rows
from dispatch.errors import NotFound
from dispatch.models.notify import Alarm
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, ActorKind
from dispatch.services.access import audit
from dispatch.services.access.reach import visible, visible_orders

NO_FACTS: Mapping[str, Any] = {}
MOST_SHOWN = 100


def raise_alarm(
    session: Session,
    *,
    kind: str,
    subject: str,
    level: str,
    organisation_id: int | None = None,
    community_id: int | None = None,
    order_id: int | None = None,
    facts: Mapping[str, Any] = NO_FACTS,
) -> bool:
    """Raise an alarm (level notice, warning or emergency); False when the same one is open already.

    `facts` are codes and numbers that fill the alarm's text, never personal data.
    """
    row = session.execute(
        upsert(Alarm)
        .values(
            kind=kind,
            subject=subject,
            level=level,
            organisation_id=organisation_id,
            community_id=community_id,
            order_id=order_id,
            facts=dict(facts),
        )
        .on_conflict_do_nothing(index_elements=["kind", "subject"], index_where=Alarm.cleared_at.is_(None))
        .returning(Alarm.id)
    )
    return row.one_or_none() is not None


@dataclass(frozen=True, slots=True)
class NewAlarm:
    """An alarm to be raised together with others: see raise_alarm."""

    kind: str
    subject: str
    level: str
    community_id: int
    facts: Mapping[str, Any]


def raise_alarms(session: Session, alarms: Sequence[NewAlarm]) -> None:
    """Raise many alarms in one statement; those that are open already stay as they are."""
    if alarms:
        rows = [asdict(one) for one in alarms]
        insert_rows(session, Alarm, rows, "ON CONFLICT (kind, subject) WHERE cleared_at IS NULL DO NOTHING")


def clear_alarms(
    session: Session,
    *,
    kinds: Iterable[str] | None,
    now: datetime,
    order_id: int | None = None,
    subject: str | None = None,
) -> None:
    """Clear the open alarms of an order or of a subject: these kinds, or all of them with None."""
    if (order_id is None) == (subject is None):
        raise ValueError("alarms are cleared by order or by subject")
    whose = Alarm.order_id == order_id if subject is None else Alarm.subject == subject
    statement = update(Alarm).where(whose, Alarm.cleared_at.is_(None)).values(cleared_at=now)
    if kinds is not None:
        statement = statement.where(Alarm.kind.in_(list(kinds)))
    session.execute(statement)


def clear_together(
    session: Session, subjects: Collection[str], *, kinds: Collection[str] | None, now: datetime
) -> None:
    """Clear the open alarms of many subjects in one statement: these kinds, or all of them with None."""
    if not subjects:
        return
    statement = update(Alarm).where(Alarm.subject.in_(subjects), Alarm.cleared_at.is_(None)).values(cleared_at=now)
    session.execute(statement if kinds is None else statement.where(Alarm.kind.in_(kinds)))


def own_alarms(actor: Actor) -> ColumnElement[bool]:
    """The alarms that the actor may see: within the reach; a narrowed actor's only about orders in their part.

    What is about no order (papers, posts, jobs) is the staff's: a performer does not learn it of others.
    """
    reached = visible(Alarm, actor)
    if not actor.narrowed:
        return reached
    about_own = Alarm.order_id.in_(select(Order.id).where(visible_orders(actor)))
    is_performer = actor.kind is ActorKind.PERFORMER
    return and_(reached, about_own if is_performer else or_(Alarm.order_id.is_(None), about_own))


def open_alarms(session: Session, *, actor: Actor, limit: int = MOST_SHOWN) -> Sequence[Alarm]:
    """The open alarms within the actor's reach, the most pressing first, then the oldest."""
    urgency = case({"emergency": 0, "warning": 1}, value=Alarm.level, else_=2)
    return session.scalars(
        select(Alarm)
        .where(own_alarms(actor), Alarm.cleared_at.is_(None))
        .order_by(urgency, Alarm.raised_at, Alarm.id)
        .limit(limit)
    ).all()


def see_alarm(session: Session, alarm_id: int, *, actor: Actor, now: datetime) -> Alarm:
    """Note who saw an alarm first and when; it stays until its cause is gone. Raises NotFound."""
    alarm = session.scalars(
        select(Alarm).where(Alarm.id == alarm_id, own_alarms(actor)).with_for_update()
    ).one_or_none()
    if alarm is None:
        raise NotFound
    if alarm.seen_at is None:
        alarm.seen_at, alarm.seen_by = now, actor.user_id
        audit.record(session, "notify.see_alarm", "alarms", alarm.id, actor=actor, community_id=alarm.community_id)
    return alarm
