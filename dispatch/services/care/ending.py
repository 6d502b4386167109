"""A contact that was recorded ends the orders that it has made needless: finished for who came, else withdrawn."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.care import Contact, DutyOrder, DutyPeriod
from dispatch.models.orders import Offer, OfferRecipient, Order
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.care.duties import Happened, counts_for
from dispatch.rules.care.terms import ContactKind, DutyKind, PeriodState
from dispatch.rules.orders.states import AFTER_WORK, OPEN, WITH_PERFORMER, OrderState
from dispatch.services import catalogue, orders
from dispatch.services.care.cases import Case

RECORDED = "探访已登记"


def end_orders(
    session: Session,
    contact: Contact,
    found: Sequence[Case],
    met: Sequence[DutyPeriod],
    *,
    signature: bytes | None,
    now: datetime,
) -> None:
    """End each order of these homes that worked for what is met now or is over, and for nothing that is still due."""
    still = {period.id for case in found for _, period in case.due()}
    rows = under_way(session, {period.id for period in met} | over(session, contact, found))
    for order_id in sorted({one.order_id for one in rows}):
        parts = [one for one in rows if one.order_id == order_id]
        if any(one.period_id in still for one in parts):
            continue
        for one in parts:
            one.outcome = "done"
        order = orders.lock(session, order_id)
        if OrderState(order.state) in OPEN - AFTER_WORK and not finished(
            session, order, contact, signature=signature, now=now
        ):
            orders.void(session, order, reason=RECORDED, actor=SYSTEM, now=now)
        for one in parts:
            one.order_version = order.version
    session.flush()


def over(session: Session, contact: Contact, found: Sequence[Case]) -> set[int]:
    """The periods that were missed and for which somebody is still sent, where such a contact is what they asked."""
    kinds = {duty.id: DutyKind(duty.kind) for case in found for duty in case.duties.values()}
    query = (
        select(DutyPeriod.id, DutyPeriod.duty_id)
        .join(DutyOrder, DutyOrder.period_id == DutyPeriod.id)
        .where(
            DutyPeriod.duty_id.in_(kinds),
            DutyPeriod.state == PeriodState.MISSED,
            DutyPeriod.until < contact.day,
            DutyOrder.outcome == "under_way",
        )
    )
    happened = Happened(contact.day, ContactKind(contact.kind), contact.answered, contact.tested)
    return {one.id for one in session.execute(query) if counts_for(happened, kinds[one.duty_id])}


def under_way(session: Session, period_ids: set[int]) -> list[DutyOrder]:
    """The rows of the orders that work for some of these periods, with their other periods."""
    own = select(DutyOrder.order_id).where(DutyOrder.period_id.in_(period_ids), DutyOrder.outcome == "under_way")
    return list(session.scalars(select(DutyOrder).where(DutyOrder.order_id.in_(own)).with_for_update()))


def finished(session: Session, order: Order, contact: Contact, *, signature: bytes | None, now: datetime) -> bool:
    """Finish an order for the helper who came; False when it is not theirs, or lacks the signature that it asks."""
    if contact.performer_id is None or contact.kind == "call":
        return False
    offer = session.scalars(
        select(Offer)
        .join(OfferRecipient, OfferRecipient.offer_id == Offer.id)
        .where(Offer.order_id == order.id, OfferRecipient.performer_id == contact.performer_id)
        .order_by(Offer.round.desc(), Offer.id.desc())
        .limit(1)
    ).one_or_none()
    service = catalogue.find_service(session, order.organisation_id, service_id=order.service_id)
    if offer is None or ("signature" in service.proof and signature is None) or "photo" in service.proof:
        return False
    key = orders.NamedRound(contact.performer_id, order.number, offer.round)
    state = OrderState(order.state)
    if state is OrderState.OFFERED and offer.closed_at is None and now < offer.hold_until:
        orders.accept(session, key, now=now)
    elif state not in WITH_PERFORMER or order.performer_id != contact.performer_id:
        return False
    orders.finish(session, key, orders.WorkReport(result="done", note=RECORDED, signature=signature), now=now)
    return True
