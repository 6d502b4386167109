"""What the orders of care tell: each goes to whoever placed it."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.care import VisitOccurrence, VisitSchedule
from dispatch.models.orders import Order
from dispatch.rules.orders.states import OrderState
from dispatch.services.care.condoling import ORIGIN as CONDOLENCES
from dispatch.services.care.condoling import hear_of_condolence
from dispatch.services.care.duty_hearing import NOT_DONE, WITHOUT_WORK, WORKED, hear_of_duty, hear_of_leader
from dispatch.services.care.ordering import ORIGIN as DUTIES
from dispatch.services.care.placing import ORIGIN as VISITS
from dispatch.services.care.unanswered import ORIGIN as UNANSWERED
from dispatch.services.care.unmade import alarm_missed, hush


def order_changed(session: Session, order_id: int, version: int, *, now: datetime) -> bool:
    """Take over what became of an order of care; False when that, or something newer, is known already.

    The order is read as it is now, which may be newer than `version`: told twice, or out of turn, is told once.
    """
    order = session.get(Order, order_id, populate_existing=True)
    hear = HEARD_BY.get(order.origin or "") if order is not None else None
    return hear(session, order, version, now) if order is not None and hear is not None else False


def hear_of_visit(session: Session, order: Order, version: int, now: datetime) -> bool:
    """A planned visit was made, or not; one that was missed stays so until somebody was there."""
    occurrence = session.scalars(
        select(VisitOccurrence)
        .where(VisitOccurrence.order_id == order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if occurrence is None or occurrence.order_version >= version:
        return False
    state, reason = outcome_of(order)
    occurrence.order_version = order.version
    if state == "done" or occurrence.state != "missed":
        occurrence.state, occurrence.reason = state, reason
    session.flush()
    if state == "missed":
        schedule = session.get_one(VisitSchedule, occurrence.schedule_id)
        alarm_missed(session, schedule, occurrence.occurs_at, reason=NOT_DONE)
    elif state == "done":
        hush(session, occurrence.schedule_id, occurrence.occurs_at, now=now)
    return True


def outcome_of(order: Order) -> tuple[str, str | None]:
    """What an order's state means for its visit, and why when it was not made."""
    state = OrderState(order.state)
    if state in WITHOUT_WORK:
        return "cancelled", order.state
    if state in WORKED:
        return ("missed", NOT_DONE) if order.result == NOT_DONE else ("done", None)
    return "placed", None


HEARD_BY: dict[str, Callable[[Session, Order, int, datetime], bool]] = {
    VISITS: hear_of_visit,
    DUTIES: hear_of_duty,
    UNANSWERED: hear_of_leader,
    CONDOLENCES: hear_of_condolence,
}
"""Who hears of an order, by its origin."""
