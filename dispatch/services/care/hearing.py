"""What the orders of visits tell: done, cancelled, re-opened, not done."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.care import VisitOccurrence
from dispatch.models.orders import Order
from dispatch.rules.orders.states import OrderState
from dispatch.services.care.placing import alarm_missed

AFTER_WORK = frozenset(
    {OrderState.FINISHED, OrderState.FED_BACK, OrderState.CALLING_BACK, OrderState.CLOSED, OrderState.ARCHIVED}
)
WITHOUT_WORK = frozenset({OrderState.VOIDED, OrderState.MERGED, OrderState.ANSWERED})
NOT_DONE = "not_done"


def order_changed(session: Session, order_id: int, version: int) -> bool:
    """Take over what became of a visit's order; False when that, or something newer, is known already.

    The order is read as it is now, which may be newer than `version`: told twice, or out of turn, is told once.
    """
    occurrence = session.scalars(
        select(VisitOccurrence)
        .where(VisitOccurrence.order_id == order_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if occurrence is None or occurrence.order_version >= version:
        return False
    order = session.get_one(Order, order_id, populate_existing=True)
    before = occurrence.state
    occurrence.state, occurrence.reason = outcome_of(order)
    occurrence.order_version = order.version
    session.flush()
    if occurrence.state == "missed" and before != "missed":
        schedule, occurs_at = occurrence.schedule_id, occurrence.occurs_at
        alarm_missed(session, occurrence.community_id, schedule, occurs_at, reason=NOT_DONE)
    return True


def outcome_of(order: Order) -> tuple[str, str | None]:
    """What an order's state means for its visit, and why when it was not made."""
    state = OrderState(order.state)
    if state in WITHOUT_WORK:
        return "cancelled", order.state
    if state in AFTER_WORK:
        return ("missed", NOT_DONE) if order.result == NOT_DONE else ("done", None)
    return "placed", None
