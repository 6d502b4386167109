"""A chunk of the load: the community's funds, where money lies, and a small counted opening."""

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.loading.book import Book
from dispatch.demo.organisations import COMMUNITY
from dispatch.models.funds import Fund
from dispatch.rules.funds.draft import Dimension, Draft, at
from dispatch.rules.funds.terms import GROUNDS, EntryKind, HoldingKind, Owner, Purpose
from dispatch.services import funds

FUNDS: Final = (
    ("general", "爱心基金", Owner.OWN, (Purpose.ANY,)),
    ("hardship", "特困帮扶基金", Owner.OWN, (*GROUNDS, Purpose.YEARLY_ROUND)),
    ("overseas", "侨爱基金", Owner.OVERSEAS, (*GROUNDS, Purpose.RELIEF)),
    ("party", "党内关爱资金", Owner.OWN, (Purpose.PARTY_CARE,)),
)
HOLDINGS: Final = (("till", "钱箱", HoldingKind.TILL), ("bank", "基本户", HoldingKind.BANK))
OPENING: Final = (
    ("general", "till", 86_350),
    ("general", "bank", 2_410_000),
    ("hardship", "bank", 1_560_000),
    ("overseas", "bank", 3_280_000),
    ("party", "bank", 800_000),
)
"""Fund, where it was counted, fen: made up, as everything of the demo."""


def load_funds(session: Session, book: Book) -> int:
    """Funds, a till, a bank account and what was counted in them; 0 when they are there."""
    community_id = book.known(session).organisations()[COMMUNITY]
    if session.execute(select(Fund.id).where(Fund.community_id == community_id)).first() is not None:
        return 0
    made = {
        code: funds.open_fund(
            session, community_id, code=code, name=name, owner=owner, purposes=purposes, actor=book.actor, now=book.now
        ).id
        for code, name, owner, purposes in FUNDS
    }
    places = {
        code: funds.add_holding(
            session, community_id, kind=kind, code=code, name=name, actor=book.actor, now=book.now
        ).id
        for code, name, kind in HOLDINGS
    }
    for fund, place, fen in OPENING:
        lines = at(Dimension(made[fund]), places[place], fen)
        counted = Draft(community_id, EntryKind.OPENING, lines, words="开账清点")
        funds.post(session, counted, actor=book.actor, now=clock.now(session))
    return len(made) + len(places) + len(OPENING)
