"""When the job of an order is dead: the order goes to the desk, alarmed, never left in silence."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.access import Organisation
from dispatch.models.orders import Offer, Order
from dispatch.rules.access.roles import SYSTEM, ActorKind
from dispatch.rules.orders.states import Action, OrderState, possible_actions
from dispatch.services.orders.hand import withdraw_round
from dispatch.services.orders.steps import lock, step

WAITS_FOR = "job_dead"
TO_THE_DESK = (Action.FAIL_ROUTING, Action.ROUND_FAILED)


def desk_of_the_house(session: Session) -> int | None:
    """The organisation whose desk sees alarms that are about no order: the top of the tree; None before any."""
    top = select(Organisation.id).where(Organisation.parent_id.is_(None), ~Organisation.is_hidden)
    return session.scalars(top.order_by(Organisation.id).limit(1)).one_or_none()


def order_of_job(session: Session, kind: str, reference: int | None) -> int | None:
    """The order that a job is about; jobs of a round name the round. None when there is none (any more)."""
    if reference is None or not kind.startswith("orders."):
        return None
    if kind == "orders.lapse":
        offer = session.get(Offer, reference)
        return None if offer is None else offer.order_id
    return None if session.get(Order, reference) is None else reference


def give_to_desk(session: Session, order_id: int, *, job_kind: str, now: datetime) -> Order:
    """Bring an order whose job is dead to 待人工, if its state has such a step; an open round is withdrawn."""
    order = lock(session, order_id)
    allowed = possible_actions(OrderState(order.state), ActorKind.SYSTEM)
    action = next((one for one in TO_THE_DESK if one in allowed), None)
    if action is not None:
        withdraw_round(session, order, now=now)
        order.waits_for = WAITS_FOR
        step(session, order, action, actor=SYSTEM, now=now, facts={"reason": WAITS_FOR, "job": job_kind})
    return order
