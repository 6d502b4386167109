"""Settling a month: what a firm is owed becomes a spending that another approves; each redemption is settled once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Row, Select, exists, or_, select, update
from sqlalchemy.orm import Session, aliased

from dispatch import clock
from dispatch.errors import Conflict, NotFound
from dispatch.models.care import (
    Voucher,
    VoucherGrant,
    VoucherPayee,
    VoucherRedemption,
    VoucherRefund,
    VoucherSettlement,
)
from dispatch.models.catalogue import Performer
from dispatch.models.funds import Entry, Fund, Spending
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.vouchers import Owed, RefundState, Taken, check_settled_month, month_of, owed_to_firms
from dispatch.rules.funds.booking import Booking
from dispatch.rules.funds.terms import EntryKind, Purpose
from dispatch.services import funds
from dispatch.services.access import audit
from dispatch.services.access.reach import visible

MOST_LISTED = 200
CAME_TO_NOTHING = ("refused", "withdrawn")
Undone = aliased(Entry)
TAKEN_BACK = exists().where(Undone.reverses_id == Spending.entry_id)


class NothingOwed(Conflict):
    """这个月没有要结算的核销"""


@dataclass(frozen=True, slots=True)
class OwedRow:
    """What a firm is owed, with what firm and fund are called."""

    owed: Owed
    firm: str
    fund: str


@dataclass(frozen=True, slots=True)
class SettlementRow:
    """A settlement with what firm and fund are called; its payment is asked, booked, or came to nothing."""

    settlement: VoucherSettlement
    firm: str
    fund: str
    state: str


def owed_of_month(session: Session, community_id: int, month: str, *, actor: Actor) -> list[OwedRow]:
    """What firms are owed at the end of a month and was not settled; two queries. Raises Invalid("month")."""
    owed = owed_to_firms(taken_until(session, community_id, month_of(month)[1], actor=actor))
    firms = {one.performer_id for one in owed}
    names = {row.id: row.name for row in session.execute(select(Performer).where(Performer.id.in_(firms))).scalars()}
    purses = {row.id: row.name for row in session.execute(select(Fund).where(visible(Fund, actor))).scalars()}
    return [OwedRow(one, names[one.performer_id], purses[one.fund_id]) for one in owed]


def taken_until(session: Session, community_id: int, last: date, *, actor: Actor, locked: bool = False) -> list[Taken]:
    """The redemptions until a day that are settled nowhere that holds, and whose refund nobody waits for."""
    waits = exists().where(
        VoucherRefund.redemption_id == VoucherRedemption.id, VoucherRefund.state == str(RefundState.ASKED)
    )
    query = (
        select(VoucherRedemption, VoucherGrant.fund_id, VoucherGrant.holding_id)
        .join(Voucher, Voucher.id == VoucherRedemption.voucher_id)
        .join(VoucherGrant, VoucherGrant.id == Voucher.grant_id)
        .outerjoin(VoucherSettlement, VoucherSettlement.id == VoucherRedemption.settlement_id)
        .outerjoin(Spending, Spending.id == VoucherSettlement.spending_id)
        .where(
            visible(VoucherRedemption, actor),
            VoucherRedemption.community_id == community_id,
            VoucherRedemption.redeemed_on <= last,
            VoucherRedemption.refunded_at.is_(None),
            or_(VoucherRedemption.settlement_id.is_(None), Spending.state.in_(CAME_TO_NOTHING), TAKEN_BACK),
            ~waits,
        )
        .order_by(VoucherRedemption.id)
    )
    if locked:
        query = query.with_for_update(of=VoucherRedemption)
    return [
        Taken(one.id, one.performer_id, fund_id, holding_id, one.fen)
        for one, fund_id, holding_id in session.execute(query)
    ]


def settle_month(
    session: Session, community_id: int, month: str, *, actor: Actor, now: datetime
) -> list[VoucherSettlement]:
    """Ask that each firm is paid what it is owed at the end of a month that is over.

    Raises NotFound for a community out of reach, Invalid("month"), NothingOwed, and what funds.ask_spending raises.
    """
    if not actor.scope.everything and community_id not in actor.scope.communities:
        raise NotFound
    first, last = month_of(month)
    check_settled_month(last, clock.today(now))
    funds.lock_head(session, community_id)
    owed = owed_to_firms(taken_until(session, community_id, last, actor=actor, locked=True))
    if not owed:
        raise NothingOwed
    release(session, community_id, now=now)
    return [settle(session, community_id, first, one, actor=actor, now=now) for one in owed]


def release(session: Session, community_id: int, *, now: datetime) -> None:
    """End the settlements whose payment came to nothing; what they held may be settled anew."""
    failed = session.scalars(
        select(VoucherSettlement)
        .join(Spending, Spending.id == VoucherSettlement.spending_id)
        .where(
            VoucherSettlement.community_id == community_id,
            VoucherSettlement.ended_at.is_(None),
            or_(Spending.state.in_(CAME_TO_NOTHING), TAKEN_BACK),
        )
    ).all()
    for one in failed:
        one.ended_at = now
    session.flush()
    held = VoucherRedemption.settlement_id.in_([one.id for one in failed])
    session.execute(update(VoucherRedemption).where(held).values(settlement_id=None))


def settle(
    session: Session, community_id: int, first: date, owed: Owed, *, actor: Actor, now: datetime
) -> VoucherSettlement:
    """One firm's sum: the spending from its account that another approves, and what is in it."""
    firm = session.get_one(Performer, owed.performer_id)
    payee = session.get_one(VoucherPayee, (owed.fund_id, owed.performer_id))
    booking = Booking(
        EntryKind.SPEND,
        owed.fund_id,
        owed.holding_id,
        owed.fen,
        payee.earmark_id,
        purpose=Purpose.VOUCHER,
        words=f"{first:%Y-%m} 服务券结算 {firm.name} {len(owed.redemptions)} 笔",
    )
    spending = funds.ask_spending(session, booking, to_payee=True, actor=actor, now=now)
    made = VoucherSettlement(
        community_id=community_id,
        performer_id=firm.id,
        month=first,
        fund_id=owed.fund_id,
        holding_id=owed.holding_id,
        fen=owed.fen,
        redemption_count=len(owed.redemptions),
        spending_id=spending.id,
        made_by=actor.user_id,
        made_by_key=actor.key_alone,
        made_at=now,
    )
    session.add(made)
    session.flush()
    chosen = VoucherRedemption.id.in_(owed.redemptions)
    session.execute(update(VoucherRedemption).where(chosen).values(settlement_id=made.id))
    audit.record(
        session, "care.settle_vouchers", "voucher_settlements", made.id, actor=actor, community_id=community_id
    )
    return made


def settlements() -> Select[VoucherSettlement, str, str, str, bool]:
    """Settlements with the names of firm and fund and how their spending stands."""
    return (
        select(VoucherSettlement, Performer.name, Fund.name, Spending.state, TAKEN_BACK)
        .join(Performer, Performer.id == VoucherSettlement.performer_id)
        .join(Fund, Fund.id == VoucherSettlement.fund_id)
        .join(Spending, Spending.id == VoucherSettlement.spending_id)
    )


def list_settlements(
    session: Session, *, actor: Actor, before: int | None = None, performer_id: int | None = None, limit: int
) -> Sequence[SettlementRow]:
    """The newest settlements in reach; one query."""
    query = settlements().where(visible(VoucherSettlement, actor)).order_by(VoucherSettlement.id.desc()).limit(limit)
    if before is not None:
        query = query.where(VoucherSettlement.id < before)
    if performer_id is not None:
        query = query.where(VoucherSettlement.performer_id == performer_id)
    return [row_of(row) for row in session.execute(query)]


def view_settlement(session: Session, settlement_id: int, *, actor: Actor) -> SettlementRow:
    """One settlement; raises NotFound."""
    query = settlements().where(VoucherSettlement.id == settlement_id, visible(VoucherSettlement, actor))
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound
    return row_of(found)


def row_of(row: Row[VoucherSettlement, str, str, str, bool]) -> SettlementRow:
    """A settlement as it is listed; a payment that was taken back is `reversed`."""
    settlement, firm, fund, state, is_taken_back = row
    return SettlementRow(settlement, firm, fund, "reversed" if is_taken_back else state)
