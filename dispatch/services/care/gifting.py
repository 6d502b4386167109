"""慰问金: money of a fund for party care that goes with a visit of 三访, asked by one, approved by another."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid
from dispatch.models.care import Condolence
from dispatch.models.funds import Fund, Holding, Spending
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.booking import Booking
from dispatch.rules.funds.terms import EntryKind, HoldingKind, Purpose
from dispatch.services import funds
from dispatch.services.access import audit, reach
from dispatch.services.care.condoling import find_visit

WORDS = "三访慰问金"
GONE = ("refused", "withdrawn")


class GiftAsked(Conflict):
    """这次慰问已经申请过慰问金"""


class NoGiftAsked(Conflict):
    """这次慰问没有申请过慰问金"""


class VisitEnded(Conflict):
    """这次慰问已经不用去，不能再申请慰问金"""


def funds_for_care(session: Session, community_id: int, *, actor: Actor) -> Sequence[tuple[int, str]]:
    """The open funds of a community that were opened for party care, by code."""
    query = select(Fund.id, Fund.name).where(
        Fund.community_id == community_id,
        Fund.closed_at.is_(None),
        Fund.purposes.contains([str(Purpose.PARTY_CARE)]),
        reach.visible(Fund, actor),
    )
    return [(row.id, row.name) for row in session.execute(query.order_by(Fund.code))]


def holdings_of(session: Session, community_id: int, *, actor: Actor) -> Sequence[tuple[int, str]]:
    """Where money lies, by code."""
    query = select(Holding.id, Holding.name).where(
        Holding.community_id == community_id,
        Holding.kind.in_([str(HoldingKind.TILL), str(HoldingKind.BANK)]),
        reach.visible(Holding, actor),
    )
    return [(row.id, row.name) for row in session.execute(query.order_by(Holding.code))]


def spendings_of(session: Session, visit_ids: Sequence[int]) -> dict[int, Spending]:
    """What was last asked for each of these visits."""
    query = select(Condolence.id, Spending).join(Spending, Spending.id == Condolence.spending_id)
    rows = session.execute(query.where(Condolence.id.in_(visit_ids)))
    return {row.id: row.Spending for row in rows}


def ask_gift(
    session: Session, visit_id: int, *, fund_id: int, holding_id: int, fen: int, actor: Actor, now: datetime
) -> Spending:
    """Ask for money that goes with a visit; whoever approves it books it. What happened stands nowhere on it.

    Raises NotFound, GiftAsked, VisitEnded, Invalid naming the field, and what asking for spending raises.
    """
    visit = find_visit(session, visit_id, actor=actor, locked=True)
    if visit.state == "ended":
        raise VisitEnded
    before = None if visit.spending_id is None else session.get_one(Spending, visit.spending_id)
    if before is not None and before.state not in GONE:
        raise GiftAsked
    if fund_id not in {one for one, _ in funds_for_care(session, visit.community_id, actor=actor)}:
        raise Invalid("fund_id", "请选择用于党内关爱的基金")
    booking = Booking(
        kind=EntryKind.SPEND,
        fund_id=fund_id,
        holding_id=holding_id,
        amount_fen=fen,
        purpose=Purpose.PARTY_CARE,
        happened_on=clock.today(now),
        words=WORDS,
    )
    asked = funds.ask_spending(session, booking, actor=actor, now=now)
    visit.spending_id = asked.id
    session.flush()
    audit.record(session, "care.ask_gift", "condolences", visit.id, actor=actor, community_id=visit.community_id)
    return asked


def withdraw_gift(session: Session, visit_id: int, *, actor: Actor, now: datetime) -> Spending:
    """Take back what one asked for oneself, while nobody has decided; it may be asked for anew.

    Raises NotFound, NoGiftAsked, NotAllowed for somebody else's, SpendingDecided.
    """
    visit = find_visit(session, visit_id, actor=actor, locked=True)
    if visit.spending_id is None:
        raise NoGiftAsked
    found = funds.withdraw_spending(session, visit.spending_id, actor=actor, now=now)
    audit.record(session, "care.withdraw_gift", "condolences", visit.id, actor=actor, community_id=visit.community_id)
    return found
