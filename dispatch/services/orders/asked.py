"""What was asked about orders, to be read: of one order, and what waits for a decision."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import NotFound
from dispatch.models.orders import Order, OrderRequest
from dispatch.rules.access.roles import Actor
from dispatch.rules.orders.requests import RequestState
from dispatch.services.access import reach

MOST_LISTED = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits for a decision, with its order."""

    request: OrderRequest
    order: Order


def order_asked_about(session: Session, request_id: int, *, actor: Actor) -> str:
    """The number of the order that a request is about, if the actor may see it; raises NotFound."""
    number = session.scalars(
        select(Order.number)
        .join(OrderRequest, OrderRequest.order_id == Order.id)
        .where(OrderRequest.id == request_id, reach.visible_orders(actor))
    ).one_or_none()
    if number is None:
        raise NotFound
    return number


def requests_of(session: Session, order: Order) -> Sequence[OrderRequest]:
    """Everything asked about an order, oldest first."""
    query = select(OrderRequest).where(OrderRequest.order_id == order.id).order_by(OrderRequest.asked_at)
    return session.scalars(query.order_by(OrderRequest.id)).all()


def requests_to_decide(session: Session, *, actor: Actor, limit: int = MOST_LISTED) -> Sequence[Waiting]:
    """What waits for a decision within the actor's reach, the most urgent first."""
    rows = session.execute(
        select(OrderRequest, Order)
        .join(Order, Order.id == OrderRequest.order_id)
        .where(reach.visible_orders(actor), OrderRequest.state == str(RequestState.PENDING))
        .order_by(OrderRequest.decide_due_at, OrderRequest.id)
        .limit(limit)
    )
    return [Waiting(request, order) for request, order in rows]
