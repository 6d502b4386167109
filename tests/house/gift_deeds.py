"""What can be asked of a gift, a line of it and a charity sale that an address names."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.funds import Fund, Holding
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.funds.terms import Commodity, EntryKind, HoldingKind, Owner, Purpose
from dispatch.rules.market.gifts import GiftItem
from dispatch.rules.market.sales import SaleSource
from dispatch.services import funds, market
from dispatch.services.market import GiftDraft, LotDraft, Receipt, SaleDraft, selling
from tests.factories.giving import make_agreement
from tests.factories.market import make_shop
from tests.factories.world import NUMBERS, World, user

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]
TAKINGS = 12_300


@dataclass(frozen=True, slots=True)
class Purse:
    """The fund and the bank account of a community."""

    fund: Fund
    bank: Holding


def purse(session: Session, world: World) -> Purse:
    """Those of the community, opened when there are none."""
    community, now = world.community.id, clock.now(session)
    fund = session.scalars(select(Fund).where(Fund.community_id == community, Fund.code == "deeds")).one_or_none()
    if fund is None:
        about = {"code": "deeds", "name": "爱心基金", "actor": SYSTEM, "now": now}
        funds.open_fund(session, community, owner=Owner.OWN, purposes=[Purpose.ANY], **about)
        funds.add_holding(session, community, kind=HoldingKind.BANK, **about)
    bank = session.scalars(select(Holding).where(Holding.community_id == community, Holding.code == "deeds")).one()
    fund = session.scalars(select(Fund).where(Fund.community_id == community, Fund.code == "deeds")).one()
    BANKS[community] = bank.id
    return Purse(fund, bank)


BANKS: dict[int, int] = {}
"""The bank account of each community."""


def gift(session: Session, world: World, _user_id: int) -> str:
    """A gift of money."""
    it = purse(session, world)
    draft = GiftDraft(it.fund.id, (GiftItem("捐款", Commodity.FEN, 100),), holding_id=it.bank.id)
    return str(market.receive_gift(session, draft, actor=SYSTEM, now=clock.now(session)).id)


def line(session: Session, world: World, user_id: int) -> str:
    """The line of such a gift."""
    gift_id = int(gift(session, world, user_id))
    return str(market.lines_of_gifts(session, [gift_id])[gift_id][0][0].id)


def sale(session: Session, world: World, _user_id: int, *, steps: int = 0) -> str:
    """A sale of today, counted, banked by others as far as wanted."""
    it, now, number = purse(session, world), clock.now(session), next(NUMBERS)
    agreement = make_agreement(session, world, signed_on=clock.today(now), now=now, number=f"卖{number}")
    draft = SaleDraft(f"义卖{number}", "广场", clock.today(now), agreement.id, it.fund.id)
    made = market.plan_sale(session, draft, actor=SYSTEM, now=now)
    if steps:
        for _ in range(2):
            counter = replace(SYSTEM, user_id=user(session).id)
            market.count_sale(session, made.id, TAKINGS, actor=counter, now=now)
    if steps > 1:
        market.bank_sale(session, made.id, TAKINGS, it.bank.id, actor=SYSTEM, now=now)
    return str(made.id)


def counted(session: Session, world: World, user_id: int) -> str:
    """A sale that two people counted alike."""
    return sale(session, world, user_id, steps=1)


def banked(session: Session, world: World, user_id: int) -> str:
    """A sale whose takings are in the bank."""
    return sale(session, world, user_id, steps=2)


GOODS: dict[int, dict[str, str]] = {}
"""What the keeper of each community can take to a sale."""


def stocked(session: Session, world: World, user_id: int) -> str:
    """A sale for whose fund the user keeps coats."""
    made, it = int(sale(session, world, user_id)), purse(session, world)
    shop, now = make_shop(session, world, keeper_id=user_id or None), clock.now(session)
    lot = LotDraft(goods_id=shop.coat.id, amount=9, fund_id=it.fund.id)
    market.receive(session, Receipt(shop.facility.id, (lot,), entry=EntryKind.GIFT), actor=shop.keeper, now=now)
    GOODS[world.community.id] = {"facility_id": str(shop.facility.id), "goods_id": str(shop.coat.id)}
    return str(made)


def own_line(session: Session, world: World, user_id: int) -> str:
    """Three coats of the user's supermarket that were taken to a sale."""
    made = int(stocked(session, world, user_id))
    said = {name: int(value) for name, value in GOODS[world.community.id].items()}
    now = clock.now(session)
    about = {"actor": replace(SYSTEM, user_id=user_id or None), "now": now}
    return str(selling.bring_own(session, made, said["facility_id"], said["goods_id"], 3, **about).id)


def their_line(session: Session, world: World, user_id: int) -> str:
    """Gloves of the partner."""
    made = int(sale(session, world, user_id))
    return str(selling.bring_others(session, made, SaleSource.PARTNER, "手套", 5, actor=SYSTEM).id)


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


ID = "<int(min=1, max=9223372036854775807):{}_id>"
GIFT, LINE, SALE = f"gifts/{ID.format('gift')}", ID.format("line"), f"/sales/{ID.format('sale')}"
REASON = {"reason": "打错了"}
RESULT = {"result": "谢谢大家"}
A_KEY_NEVER_COUNTS = 403

GIFT_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", f"/api/{GIFT}"): (gift, 200, nothing),
    ("POST", f"/api/{GIFT}/thanks"): (gift, 200, nothing),
    ("POST", f"/api/gift-lines/{LINE}/reversal"): (line, 200, lambda _: REASON),
    ("GET", f"/giving/{GIFT}"): (gift, 200, nothing),
    ("GET", f"/giving/{GIFT}/receipts"): (gift, 200, nothing),
    ("POST", f"/giving/{GIFT}/thanks"): (gift, 303, nothing),
    ("POST", f"/giving/lines/{LINE}/reversal"): (line, 303, lambda _: REASON),
    ("GET", f"/api{SALE}"): (sale, 200, nothing),
    ("DELETE", f"/api{SALE}"): (sale, 200, nothing),
    ("POST", f"/api{SALE}/counts"): (sale, A_KEY_NEVER_COUNTS, lambda _: {"fen": TAKINGS}),
    ("POST", f"/api{SALE}/banking"): (
        counted,
        200,
        lambda world: {"fen": TAKINGS, "holding_id": BANKS[world.community.id]},
    ),
    ("POST", f"/api{SALE}/publication"): (banked, 200, lambda _: RESULT),
    ("GET", SALE): (sale, 200, nothing),
    ("POST", f"{SALE}/counts"): (sale, 303, lambda _: {"yuan": "123"}),
    ("POST", f"{SALE}/banking"): (
        counted,
        303,
        lambda world: {"yuan": "123", "holding_id": str(BANKS[world.community.id])},
    ),
    ("POST", f"{SALE}/publication"): (banked, 303, lambda _: RESULT),
    ("POST", f"{SALE}/cancellation"): (sale, 303, nothing),
    ("POST", f"{SALE}/own-goods"): (stocked, 303, lambda world: GOODS[world.community.id] | {"amount": "3"}),
    ("POST", f"{SALE}/other-goods"): (
        sale,
        303,
        lambda _: {"source": "consigned", "words": "毛衣", "pieces": "5"},
    ),
    ("POST", f"/sales/lines/{LINE}/own-sold"): (own_line, 303, lambda _: {"sold": "2"}),
    ("POST", f"/sales/lines/{LINE}/sold"): (their_line, 303, lambda _: {"sold": "2"}),
}
