"""What can be asked of an application for aid, a beneficiary and a card that an address names."""

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.market import Keeper
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.rules.funds.terms import EntryKind, Owner, Purpose
from dispatch.rules.market.shelf import Commodity
from dispatch.services import funds, market
from dispatch.services.market import FacilityDraft, GoodsDraft, LotDraft, Receipt, cards, hand_outs
from tests.factories.aid import applied, approved, carded
from tests.factories.world import NUMBERS, World, staff

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


def reserved(session: Session, world: World, user_id: int) -> str:
    """A hand-out that waits for its signature, at a facility of its own that the user keeps."""
    community_id, now, code = world.community.id, clock.now(session), f"m{next(NUMBERS)}"
    house = {"actor": SYSTEM, "now": now}
    purposes = [Purpose.ANY]
    fund = funds.open_fund(
        session, community_id, code=code, name="爱心基金", owner=Owner.OWN, purposes=purposes, **house
    )
    place = FacilityDraft(code, "love_market", "爱心超市", world.buildings[0].id)
    facility = market.open_facility(session, community_id, place, **house)
    if user_id:
        session.add(Keeper(community_id=community_id, facility_id=facility.id, user_id=user_id, since=now))
    coat = GoodsDraft(code, "棉衣", "clothes", Commodity.PIECE, "件")
    goods = market.create_goods(session, community_id, coat, **house)
    lots = (LotDraft(goods_id=goods.id, amount=3, fund_id=fund.id),)
    market.receive(session, Receipt(facility_id=facility.id, lots=lots, entry=EntryKind.GIFT), **house)
    chosen = [hand_outs.Chosen(goods.id, 1)]
    return str(hand_outs.reserve(session, facility.id, carded(session, world).qr, chosen, **house).id)


def goods(session: Session, world: World, _user_id: int) -> str:
    """Goods of the catalogue."""
    coat = GoodsDraft(f"g{next(NUMBERS)}", "棉衣", "clothes", Commodity.PIECE, "件")
    made = market.create_goods(session, world.community.id, coat, actor=SYSTEM, now=clock.now(session))
    return str(made.id)


A_PERSON_DECIDES = 403
ID = "<int(min=1, max=9223372036854775807):{}>"
APPLICATION = f"/aid-applications/{ID.format('application_id')}"
BENEFICIARY = f"/beneficiaries/{ID.format('beneficiary_id')}"
CARD = f"/cards/{ID.format('card_id')}"
HAND_OUT = f"/counter/hand-outs/{ID.format('hand_out_id')}"
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
    ("POST", f"{HAND_OUT}/signature"): (reserved, 422, lambda _: {"way": "stroke"}),
    ("POST", f"{HAND_OUT}/cancellation"): (reserved, 200, lambda _: {}),
    ("GET", f"{HAND_OUT}/slip"): (reserved, 200, lambda _: {}),
    ("GET", f"/api/hand-outs/{ID.format('hand_out_id')}"): (reserved, 200, lambda _: {}),
    ("POST", f"/api/goods/{ID.format('goods_id')}/points"): (goods, 200, lambda _: {"points": 5, "step": 1}),
}
