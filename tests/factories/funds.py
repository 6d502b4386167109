"""A small treasury: a general fund, one of overseas Chinese, a till, a bank account, a stock, a way; gifts in one line.

Goods on a stock belong to a step of the market: what only the journal is asked about is on its way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.funds import Entry, Fund, Holding
from dispatch.rules.access.roles import SYSTEM, Actor
from dispatch.rules.funds.draft import Dimension, Draft, at
from dispatch.rules.funds.terms import Commodity, EntryKind, HoldingKind, Owner, Purpose
from dispatch.services import funds


@dataclass(frozen=True, slots=True)
class Treasury:
    """The funds and holdings of a community that tests speak of."""

    community_id: int
    general: Fund
    overseas: Fund
    till: Holding
    bank: Holding
    stock: Holding
    way: Holding


def make_treasury(session: Session, community_id: int, mark: str = "") -> Treasury:
    """Make it; the general fund is for anything, that of overseas Chinese for lone elders and relief.

    A second one of a community has a mark in its codes.
    """
    now = clock.now(session)
    general, overseas = (
        funds.open_fund(
            session,
            community_id,
            code=f"{code}{mark}",
            name=name,
            owner=owner,
            purposes=purposes,
            actor=SYSTEM,
            now=now,
        )
        for code, name, owner, purposes in (
            ("general", "爱心基金", Owner.OWN, [Purpose.ANY]),
            ("overseas", "侨爱基金", Owner.OVERSEAS, [Purpose.LONE_ELDER, Purpose.RELIEF]),
        )
    )
    till, bank, stock, way = (
        funds.add_holding(session, community_id, kind=kind, code=f"{kind}{mark}", name=name, actor=SYSTEM, now=now)
        for kind, name in (
            (HoldingKind.TILL, "钱箱"),
            (HoldingKind.BANK, "基本户"),
            (HoldingKind.STOCK, "爱心超市"),
            (HoldingKind.TRANSIT, "在途"),
        )
    )
    return Treasury(community_id, general, overseas, till, bank, stock, way)


def give(session: Session, treasury: Treasury, amount: int, **changes: Any) -> Entry:
    """A gift: fen into the till of the general fund, unless told otherwise (fund, holding, commodity, earmark_id)."""
    return put(session, treasury, EntryKind.GIFT, amount, changes)


def spend(session: Session, treasury: Treasury, amount: int, **changes: Any) -> Entry:
    """Spending from the till of the general fund for a lone elder, unless told otherwise."""
    return put(session, treasury, EntryKind.SPEND, -amount, {"purpose": Purpose.LONE_ELDER, **changes})


def put(session: Session, treasury: Treasury, kind: EntryKind, amount: int, changes: Mapping[str, Any]) -> Entry:
    """Post an amount that comes to or leaves one holding."""
    told = dict(changes)
    fund, holding = told.pop("fund", treasury.general), told.pop("holding", treasury.till)
    actor: Actor = told.pop("actor", SYSTEM)
    dimension = Dimension(fund.id, told.pop("commodity", Commodity.FEN), told.pop("earmark_id", None))
    draft = Draft(treasury.community_id, kind, at(dimension, holding.id, amount), **told)
    return funds.post(session, draft, actor=actor, now=clock.now(session))
