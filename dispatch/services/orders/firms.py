"""What it means for orders that somebody gets no more: open rounds go on without them, what they have in hand moves."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.catalogue import Performer
from dispatch.models.orders import Offer, OfferRecipient, Order
from dispatch.rules.access.roles import Actor, ActorKind
from dispatch.rules.catalogue.firms import FirmAction
from dispatch.rules.notify.texts import said
from dispatch.rules.orders.states import OrderState
from dispatch.rules.queue import Lane
from dispatch.services import catalogue, notify
from dispatch.services.access import audit, reach
from dispatch.services.orders.offers import close_round, others_open, route_without

IN_HAND = (OrderState.ACCEPTED, OrderState.ARRIVED)
TAKES_OFFERS_AWAY = frozenset({FirmAction.SUSPEND, FirmAction.LEAVE})
TOLD = {
    FirmAction.ADMIT: "firm_admitted",
    FirmAction.SUSPEND: "firm_suspended",
    FirmAction.LIFT: "firm_lifted",
    FirmAction.LEAVE: "firm_left",
    FirmAction.WARN: "firm_warned",
}
MOST_IN_HAND = 100


def decide_firm(
    session: Session,
    performer_id: int,
    action: FirmAction,
    *,
    reason: str,
    until: datetime | None = None,
    actor: Actor,
    now: datetime,
) -> Sequence[Order]:
    """Decide about a firm, tell it, and take it out of its open rounds where it gets nothing any more.

    Each such round goes on with the others, or the next one is routed. Gives the orders that the firm has in
    hand: a dispatcher decides about them. Raises what catalogue.decide_firm does.
    """
    firm = catalogue.decide_firm(session, performer_id, action, reason=reason, until=until, actor=actor, now=now)
    if action in TAKES_OFFERS_AWAY:
        leave_rounds(session, firm, reason=reason, actor=actor, now=now)
    if action in TOLD:
        made = catalogue.firm_decisions(session, firm.id)[0]
        facts = {} if until is None else {"until": said(until)}
        notify.tell_performer(
            session,
            dedupe=f"firm_decision:{made.id}",
            template=TOLD[action],
            performer_id=firm.id,
            order_id=None,
            lane=Lane.NOTIFY,
            now=now,
            facts=facts,
        )
    return orders_in_hand(session, firm.id, actor=actor)


def take_all(session: Session, performer: Performer, *, reason: str, actor: Actor, now: datetime) -> int:
    """Take from somebody what they were offered or had accepted: others are asked. How many they are at work on.

    At those the work has begun: a dispatcher decides about them.
    """
    leave_rounds(session, performer, reason=reason, actor=actor, now=now)
    query = select(Order).where(Order.performer_id == performer.id, Order.state.in_(IN_HAND)).order_by(Order.id)
    found = session.scalars(query.with_for_update().execution_options(populate_existing=True)).all()
    accepted = [order for order in found if order.state == OrderState.ACCEPTED]
    for order in accepted:
        route_without(session, order, performer.id, reason=reason, actor=actor, kind=ActorKind.DISPATCHER, now=now)
        audit.record(session, "orders.take_away", "orders", order.id, actor=actor, community_id=order.community_id)
    return len(found) - len(accepted)


def leave_rounds(session: Session, firm: Performer, *, reason: str, actor: Actor, now: datetime) -> None:
    """Take a firm out of every round that waits for its answer."""
    waiting = select(Offer.order_id).join(OfferRecipient, OfferRecipient.offer_id == Offer.id)
    waiting = waiting.where(
        OfferRecipient.performer_id == firm.id, OfferRecipient.outcome == "open", Offer.closed_at.is_(None)
    )
    orders = session.scalars(select(Order).where(Order.id.in_(waiting)).order_by(Order.id).with_for_update()).all()
    open_parts = (
        select(Offer, OfferRecipient)
        .join(OfferRecipient, OfferRecipient.offer_id == Offer.id)
        .where(
            Offer.order_id.in_([order.id for order in orders]),
            Offer.closed_at.is_(None),
            OfferRecipient.performer_id == firm.id,
            OfferRecipient.outcome == "open",
        )
        .execution_options(populate_existing=True)
    )
    by_id = {order.id: order for order in orders}
    for offer, recipient in session.execute(open_parts).all():
        order = by_id[offer.order_id]
        recipient.outcome, recipient.answered_at, recipient.reason = "withdrawn", now, reason[:200]
        session.flush()
        audit.record(session, "orders.leave_round", "orders", order.id, actor=actor, community_id=order.community_id)
        if not others_open(session, offer):
            close_round(session, order, offer, "withdrawn", now=now)


def orders_in_hand(session: Session, performer_id: int, *, actor: Actor) -> Sequence[Order]:
    """The orders within reach that a firm has accepted and not finished, the most pressing first."""
    query = select(Order).where(
        Order.performer_id == performer_id, Order.state.in_(IN_HAND), reach.visible_orders(actor)
    )
    return session.scalars(query.order_by(Order.service_due_at, Order.id).limit(MOST_IN_HAND)).all()
