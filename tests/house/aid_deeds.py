"""What can be asked of an application for aid, a beneficiary and a card that an address names."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.access.roles import Role
from dispatch.services.market import cards
from tests.factories.aid import applied, approved
from tests.factories.world import World, staff

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]


def waiting(session: Session, world: World, _user_id: int) -> str:
    """An application that waits for a decision."""
    return str(applied(session, world).id)


def holding(session: Session, world: World, _user_id: int) -> str:
    """An approved application."""
    return str(approved(session, world).id)


def beneficiary(session: Session, world: World, _user_id: int) -> str:
    """Somebody with an approval and without a card."""
    return str(approved(session, world).beneficiary_id)


def card(session: Session, world: World, _user_id: int) -> str:
    """A good card."""
    made = approved(session, world)
    clerk = staff(session, world, Role.WELFARE)
    return str(cards.issue(session, made.beneficiary_id, actor=clerk, now=clock.now(session)).card.id)


A_PERSON_DECIDES = 403
ID = "<int(min=1, max=9223372036854775807):{}>"
APPLICATION = f"/aid-applications/{ID.format('application_id')}"
BENEFICIARY = f"/beneficiaries/{ID.format('beneficiary_id')}"
CARD = f"/cards/{ID.format('card_id')}"
REASON = {"reason": "收入超过标准"}
A_PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

AID_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", f"/api{BENEFICIARY}"): (beneficiary, 200, lambda _: {}),
    ("POST", f"/api{BENEFICIARY}/cards"): (beneficiary, 201, lambda _: {}),
    ("GET", f"/api{APPLICATION}"): (waiting, 200, lambda _: {}),
    ("POST", f"/api{APPLICATION}/evidence"): (waiting, 200, lambda _: {"picture": A_PIXEL}),
    ("POST", f"/api{APPLICATION}/approval"): (waiting, A_PERSON_DECIDES, lambda _: {}),
    ("POST", f"/api{APPLICATION}/refusal"): (waiting, A_PERSON_DECIDES, lambda _: REASON),
    ("POST", f"/api{APPLICATION}/end"): (holding, A_PERSON_DECIDES, lambda _: REASON),
    ("POST", f"/api{CARD}/replacement"): (card, 201, lambda _: {}),
    ("DELETE", f"/api{CARD}"): (card, 200, lambda _: {}),
    ("GET", BENEFICIARY): (beneficiary, 200, lambda _: {}),
    ("POST", f"{BENEFICIARY}/cards"): (beneficiary, 200, lambda _: {}),
    ("GET", f"{APPLICATION}/evidence/<int:position>"): (waiting, 200, lambda _: {}),
    ("POST", f"{APPLICATION}/evidence"): (waiting, 422, lambda _: {}),
    ("POST", f"{APPLICATION}/approval"): (waiting, 303, lambda _: {}),
    ("POST", f"{APPLICATION}/refusal"): (waiting, 303, lambda _: REASON),
    ("POST", f"{APPLICATION}/end"): (holding, 303, lambda _: {"end_reason": "搬走"}),
    ("POST", f"{CARD}/replacement"): (card, 200, lambda _: {}),
    ("POST", f"{CARD}/revocation"): (card, 303, lambda _: {}),
}
