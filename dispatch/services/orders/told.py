"""What a notice may tell of an order, and whether it is still worth telling."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.access import Organisation
from dispatch.models.catalogue import Service
from dispatch.models.grid import Area
from dispatch.models.notify import Notice
from dispatch.models.orders import Offer, OfferRecipient, Order
from dispatch.rules.notify.texts import facts_of_order, text_of
from dispatch.rules.orders.states import ENDED, OrderState

ABOUT_OWN_WORK = frozenset({"escalation"})


def facts_for(session: Session, notice: Notice, *, now: datetime) -> Mapping[str, Any] | None:
    """The order's number, kind, area, urgency and times; None when the notice is out of date.

    Never a name, phone, address or description (promise.md): those are on the phone page, after accepting.
    A notice that is about no order has nothing to add.
    """
    if notice.order_id is None:
        return {}
    subject = subject_of(session, notice.order_id)
    if subject is None:
        return None
    if notice.offer_recipient_id is None:
        is_stale = notice.template in ABOUT_OWN_WORK and not is_at_work(subject.order, notice.performer_id)
        return None if is_stale else facts_of(subject, None)
    offer = open_offer(session, notice.offer_recipient_id, now=now)
    return None if offer is None else facts_of(subject, offer)


class Subject(NamedTuple):
    """An order with the names that a notice may tell."""

    order: Order
    service: str
    community: str | None
    area: str | None


def subject_of(session: Session, order_id: int) -> Subject | None:
    """An order with its names, in one query."""
    row = session.execute(
        select(Order, Service.name, Organisation.name, Area.name)
        .join(Service, Service.id == Order.service_id)
        .outerjoin(Organisation, Organisation.id == Order.community_id)
        .outerjoin(Area, Area.id == Order.area_id)
        .where(Order.id == order_id)
    ).one_or_none()
    return None if row is None else Subject(*row)


def facts_of(subject: Subject, offer: Offer | None) -> dict[str, Any]:
    """What may be told of an order, with the round that it is offered in: its community and area, nothing closer."""
    order = subject.order
    facts: dict[str, Any] = facts_of_order(
        number=order.number,
        service=subject.service,
        place=(subject.community or "") + (subject.area or ""),
        urgency=order.urgency,
        confidential=order.confidential,
        wanted=wanted_of(order),
        hold_until=offer.hold_until if offer else None,
    )
    if offer is not None:
        facts |= {"round": offer.round, "hold_until_at": offer.hold_until.isoformat()}
    return facts


def inbox_text(session: Session, notice: Notice) -> str:
    """What a notice in somebody's inbox says, also when it is out of date by now."""
    facts: dict[str, Any] = {}
    subject = None if notice.order_id is None else subject_of(session, notice.order_id)
    if subject is not None:
        facts = facts_of(subject, round_of(session, notice.offer_recipient_id))
    return text_of(notice.template, facts | notice.facts)


def round_of(session: Session, recipient_id: int | None) -> Offer | None:
    """The round of a recipient, open or not."""
    query = select(Offer).join(OfferRecipient, OfferRecipient.offer_id == Offer.id)
    return session.scalars(query.where(OfferRecipient.id == recipient_id)).one_or_none()


def open_offer(session: Session, recipient_id: int, *, now: datetime) -> Offer | None:
    """The round of a recipient while it is open to them."""
    return session.scalars(
        select(Offer)
        .join(OfferRecipient, OfferRecipient.offer_id == Offer.id)
        .where(
            OfferRecipient.id == recipient_id,
            OfferRecipient.outcome == "open",
            Offer.closed_at.is_(None),
            Offer.hold_until > now,
        )
    ).one_or_none()


def is_at_work(order: Order, performer_id: int | None) -> bool:
    """Whether the performer has this order in hand."""
    return order.performer_id == performer_id and OrderState(order.state) not in ENDED


def wanted_of(order: Order) -> tuple[datetime, datetime] | None:
    """The time that the resident asked for."""
    if order.wanted_from is None or order.wanted_until is None:
        return None
    return order.wanted_from, order.wanted_until
