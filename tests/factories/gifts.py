"""A supermarket that takes gifts: a till, a bank account, money and rice in one line each, a sale on its agreement."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.funds import Holding
from dispatch.models.market import Gift, Sale
from dispatch.rules.access.roles import SYSTEM, Actor
from dispatch.rules.funds.terms import Commodity, HoldingKind
from dispatch.rules.market.gifts import GiftItem, Package
from dispatch.services import funds, market
from dispatch.services.market import GiftDraft, SaleDraft
from tests.factories.giving import fetch_kind, make_agreement
from tests.factories.market import Shop, make_shop
from tests.factories.world import NUMBERS

MONEY = GiftItem("捐款", Commodity.FEN, 50_000)


@dataclass(frozen=True, slots=True)
class Office:
    """The supermarket with where its money is."""

    shop: Shop
    till: Holding
    bank: Holding

    @property
    def clerk(self) -> Actor:
        """Who takes gifts here."""
        return self.shop.keeper


def make_office(session: Session) -> Office:
    """Make it, with the kind of order that fetches pledges."""
    shop, now = make_shop(session), clock.now(session)
    fetch_kind(session, shop.world)
    till, bank = (
        funds.add_holding(session, shop.world.community.id, kind=kind, code=kind, name=name, actor=SYSTEM, now=now)
        for kind, name in ((HoldingKind.TILL, "钱箱"), (HoldingKind.BANK, "基本户"))
    )
    return Office(shop, till, bank)


def rice_of(office: Office, grams: int) -> GiftItem:
    """Rice that was produced today."""
    package = Package(produced_on=office.shop.today)
    return GiftItem("大米", Commodity.GRAM, grams, goods_id=office.shop.rice.id, package=package)


def receive(session: Session, office: Office, *items: GiftItem, **changes: Any) -> Gift:
    """A gift at the desk into the general fund: 500 yuan into the till unless told otherwise."""
    values: dict[str, Any] = {
        "fund_id": office.shop.general.id,
        "items": items or (MONEY,),
        "holding_id": office.till.id,
        "facility_id": office.shop.facility.id,
    }
    actor = changes.pop("actor", office.clerk)
    return market.receive_gift(session, GiftDraft(**(values | changes)), actor=actor, now=clock.now(session))


def plan(session: Session, office: Office, *, held_on: date | None = None, **changes: Any) -> Sale:
    """A sale of today on an agreement of today."""
    now = clock.now(session)
    agreement = make_agreement(
        session, office.shop.world, signed_on=office.shop.today, now=now, number=f"协{next(NUMBERS)}"
    )
    values: dict[str, Any] = {
        "name": "春风义卖",
        "place": "社区广场",
        "held_on": held_on or office.shop.today,
        "agreement_id": agreement.id,
        "fund_id": office.shop.general.id,
    }
    return market.plan_sale(session, SaleDraft(**(values | changes)), actor=office.clerk, now=now)
