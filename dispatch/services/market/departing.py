"""What the love supermarket does when somebody has died or moved away: the eligibility and the card end at once."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.market.people import Beneficiary, Card
from dispatch.rules.access.roles import Actor
from dispatch.services.market import cards
from dispatch.services.market.applications import end_earlier


def depart(session: Session, resident_id: int, *, actor: Actor, now: datetime) -> list[Card]:
    """End what a person was approved for, and the card; what a household was approved for stays its own."""
    query = select(Beneficiary.id).where(Beneficiary.resident_id == resident_id).order_by(Beneficiary.id)
    ended = []
    for beneficiary_id in session.scalars(query).all():
        card = cards.good_card(session, beneficiary_id)
        cards.end_of(session, beneficiary_id, actor=actor, now=now)
        end_earlier(session, beneficiary_id, now=now)
        if card is not None:
            ended.append(card)
    return ended
