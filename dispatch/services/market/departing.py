"""What the love supermarket does when somebody has died or moved away, and when that turns out to be wrong."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.market.people import AidApplication, Beneficiary, Card
from dispatch.rules.access.roles import Actor
from dispatch.rules.market.eligibility import Standing
from dispatch.services.access import audit
from dispatch.services.market import cards
from dispatch.services.market.applications import end_earlier, settle


def depart(session: Session, resident_id: int, *, actor: Actor, now: datetime) -> list[tuple[str, int]]:
    """End what a person was approved for, and the card, as (table, id); what a household was approved for stays."""
    query = select(Beneficiary.id).where(Beneficiary.resident_id == resident_id).order_by(Beneficiary.id)
    ended = []
    for beneficiary_id in session.scalars(query).all():
        card = cards.good_card(session, beneficiary_id)
        cards.end_of(session, beneficiary_id, actor=actor, now=now)
        approved = end_earlier(session, beneficiary_id, now=now)
        ended += [("aid_applications", approved.id)] if approved is not None else []
        ended += [("cards", card.id)] if card is not None else []
    return ended


def hold_again(session: Session, application_id: int, *, actor: Actor) -> None:
    """What was approved holds again; the database refuses where no event was taken back."""
    found = session.get_one(AidApplication, application_id, with_for_update=True, populate_existing=True)
    found.ended_at = found.ended_by = None
    settle(session, found, Standing.APPROVED)
    audit.record(
        session, "market.hold_again", "aid_applications", found.id, actor=actor, community_id=found.community_id
    )


def open_again(session: Session, card_id: int, *, actor: Actor) -> None:
    """The card on the person's paper is good again, as long as an approval holds."""
    found = session.get_one(Card, card_id, with_for_update=True, populate_existing=True)
    found.ended_at = found.ended_as = found.ended_by = found.ended_by_key = None
    session.flush()
    cards.note(session, found, "open_card_again", actor=actor)
