"""At the counter: somebody with a card, goods reserved for them, a signature."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.market import HandOut
from dispatch.rules.market.hand_outs import SigningWay
from dispatch.services.market import hand_outs
from dispatch.services.market.cards import NewCard
from dispatch.services.market.hand_outs import Chosen, Signing
from tests.factories.aid import carded
from tests.factories.market import Shop, signature


def card_of(session: Session, shop: Shop, **changes: Any) -> NewCard:
    """Somebody with a card of the shop's community."""
    return carded(session, shop.world, **changes)


def reserve(session: Session, shop: Shop, card: NewCard, *lines: tuple[int, int], **changes: Any) -> HandOut:
    """So much of some goods (id, amount) reserved by the keeper, now unless told otherwise."""
    asked = {"actor": shop.keeper, "now": clock.now(session)} | changes
    facility_id = asked.pop("facility_id", shop.facility.id)
    return hand_outs.reserve(session, facility_id, card.qr, [Chosen(*line) for line in lines], **asked)


def signing(hand_out: HandOut, at: datetime, **changes: Any) -> Signing:
    """The holder's stroke under this list at that instant."""
    values = {
        "way": SigningWay.STROKE,
        "picture": signature(),
        "list_hash": hand_out.list_hash.hex(),
        "signed_at": at,
    }
    return Signing(**(values | changes))


def sign(session: Session, shop: Shop, hand_out: HandOut, **changes: Any) -> HandOut:
    """The keeper has it signed, now unless told otherwise."""
    now = changes.pop("now", None) or clock.now(session)
    at = changes.pop("at", None) or now
    return hand_outs.sign(session, hand_out, signing(hand_out, at, **changes), actor=shop.keeper, now=now)
