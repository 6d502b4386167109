"""Planned visits that were not made: each is told once, and an order that nobody took ends after some days."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.care import VisitOccurrence, VisitSchedule
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.orders.states import AFTER_WORK, OPEN, WITH_PERFORMER, OrderState
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import notify, orders
from dispatch.services.access import policies

MISSED = "visit_missed"
DAYS = "care.missed_visit_days"
NOBODY = "nobody"
TOO_LATE = "没有人去，已经记为漏做，不再派人"
UNACCEPTED = OPEN - WITH_PERFORMER - AFTER_WORK


def miss_unattended(session: Session, schedule: VisitSchedule, *, now: datetime) -> int:
    """Miss the placed visits whose window is past and that nobody has taken, each with an alarm; how many.

    Somebody may still be sent for some days (policy); then the order ends.
    """
    meant = [one for one in unattended(session, schedule, now) if one.state == "placed"]
    for one in meant:
        one.state, one.reason = "missed", NOBODY
        alarm_missed(session, schedule, one.occurs_at, reason=NOBODY)
    days = timedelta(days=int(policies.policy(session, schedule.community_id, DAYS)))
    end_orders(session, unattended(session, schedule, now - days), now=now)
    return len(meant)


def unattended(session: Session, schedule: VisitSchedule, before: datetime) -> Sequence[VisitOccurrence]:
    """The visits whose window was past at an instant and whose order nobody has taken, locked, in order."""
    states = [str(state) for state in UNACCEPTED]
    query = (
        select(VisitOccurrence)
        .join(Order, Order.id == VisitOccurrence.order_id)
        .where(
            VisitOccurrence.schedule_id == schedule.id,
            VisitOccurrence.state.in_(("placed", "missed")),
            VisitOccurrence.window_until <= before,
            Order.state.in_(states),
        )
        .order_by(VisitOccurrence.occurs_at)
        .with_for_update(of=VisitOccurrence)
    )
    return session.scalars(query).all()


def end_orders(session: Session, meant: Sequence[VisitOccurrence], *, now: datetime) -> None:
    """End the orders of missed visits; the visits stay missed."""
    for one in meant:
        order: Order = orders.lock(session, one.order_id or 0)
        if OrderState(order.state) in UNACCEPTED:
            orders.void(session, order, reason=TOO_LATE, actor=SYSTEM, now=now)
            one.order_version = order.version
    session.flush()


def end_missed(session: Session, schedule: VisitSchedule, *, now: datetime) -> None:
    """The schedule has ended: nobody is sent for what was missed, and it is no alarm any more."""
    end_orders(session, unattended(session, schedule, now), now=now)
    hush(session, schedule.id, now, now=now)


def alarm_missed(session: Session, schedule: VisitSchedule, occurs_at: datetime, *, reason: str) -> None:
    """Say that a visit was missed, once."""
    notify.raise_alarm(
        session,
        kind=MISSED,
        subject=subject_of(schedule.id, occurs_at),
        level="warning",
        community_id=schedule.community_id,
        facts={"schedule": schedule.id, "occurs_at": occurs_at.astimezone(SHANGHAI).isoformat(), "reason": reason},
    )


def hush(session: Session, schedule_id: int, through: datetime, *, now: datetime) -> None:
    """Somebody was there: the visits that were missed until then are no alarm any more."""
    query = select(VisitOccurrence.occurs_at).where(
        VisitOccurrence.schedule_id == schedule_id,
        VisitOccurrence.occurs_at <= through,
        VisitOccurrence.state.in_(("missed", "done")),
    )
    subjects = [subject_of(schedule_id, occurs_at) for occurs_at in session.scalars(query)]
    notify.clear_together(session, subjects, kinds=(MISSED,), now=now)


def subject_of(schedule_id: int, occurs_at: datetime) -> str:
    """What an alarm about a visit is about."""
    return f"visit:{schedule_id}:{occurs_at.astimezone(SHANGHAI).isoformat()}"
