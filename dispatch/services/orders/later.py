"""When somebody could take an order that nobody can take at the time wanted, and its routing then."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.models.catalogue import Performer
from dispatch.models.orders import DecisionRecord, Order
from dispatch.rules.catalogue.calendar import next_shift
from dispatch.rules.orders.decision import Decision, Filter
from dispatch.rules.orders.record import decode
from dispatch.rules.queue import Lane
from dispatch.services.catalogue.shifts import weekly

Shift = tuple[datetime, str]
"""When a shift begins, and whose it is."""


def first_shift(session: Session, decision: Decision, *, after: datetime) -> Shift | None:
    """The first shift after an instant of those whom only their shift keeps out; None where there is nobody."""
    off = [one.performer_id for one in decision.considered if one.failed == Filter.ON_SHIFT]
    if decision.ranked or not off:
        return None
    rows = session.execute(select(Performer.name, Performer.shifts).where(Performer.id.in_(off)))
    coming = ((next_shift(weekly(shifts), after), name) for name, shifts in rows)
    return min(((begins, name) for begins, name in coming if begins is not None), default=None)


def shift_waited_for(session: Session, order: Order, *, now: datetime) -> Shift | None:
    """The first shift from now on that an order without a candidate could wait for."""
    if order.waits_for != "no_candidate":
        return None
    newest = (
        select(DecisionRecord.record)
        .where(DecisionRecord.order_id == order.id)
        .order_by(DecisionRecord.cycle.desc(), DecisionRecord.round.desc())
        .limit(1)
    )
    record = session.scalars(newest).one_or_none()
    wanted = now if order.wanted_from is None else max(now, order.wanted_from)
    return None if record is None else first_shift(session, decode(record), after=wanted)


def wait_for_shift(session: Session, order: Order, *, now: datetime) -> None:
    """Have an order that only shifts keep back routed anew when the first of them begins, once per cycle."""
    shift = shift_waited_for(session, order, now=now)
    if shift is not None:
        queue.enqueue(
            session,
            "orders.wake",
            lane=Lane.DISPATCH,
            reference=order.id,
            run_at=shift[0],
            dedupe=f"orders.wake:{order.id}:{order.cycle}",
            cycle=order.cycle,
        )
