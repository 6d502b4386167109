"""Taking back a redemption: asked by one, done or refused by another; what was settled is not taken back."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.care import Voucher, VoucherRedemption, VoucherRefund
from dispatch.models.funds import Entry
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.vouchers import RefundState, Settled, said
from dispatch.rules.funds.draft import Maker
from dispatch.rules.orders.intake import check_text
from dispatch.services import funds
from dispatch.services.access.reach import visible
from dispatch.services.care.vouchers.deciding import (
    LONGEST_REASON,
    asked,
    decidable,
    decide,
    given_reason,
    own,
)
from dispatch.services.care.vouchers.finding import find_voucher, locking, purse_of


class Refunded(Conflict):
    """这一笔已经退回，或者正在等待审批"""


def ask_refund(session: Session, redemption_id: int, *, words: str, actor: Actor, now: datetime) -> VoucherRefund:
    """Ask for a redemption to be taken back, and say why; whoever may approve is alarmed.

    Raises NotFound, Invalid("words"), Refunded, Settled, VoucherOver.
    """
    redemption, voucher = locked_redemption(session, redemption_id, actor=actor)
    reason = check_text("words", words, LONGEST_REASON)
    if not reason:
        raise Invalid("words", "请写明为什么要退回")
    check_refundable(session, redemption, voucher)
    waits = select(VoucherRefund.id).where(
        VoucherRefund.redemption_id == redemption.id, VoucherRefund.state == str(RefundState.ASKED)
    )
    if session.execute(waits).first() is not None:
        raise Refunded
    made = VoucherRefund(
        community_id=redemption.community_id,
        redemption_id=redemption.id,
        words=reason,
        asked_by=actor.user_id,
        asked_by_key=actor.key_alone,
        asked_at=now,
    )
    return asked(session, made, said(redemption.fen), actor=actor)


def locked_redemption(session: Session, redemption_id: int, *, actor: Actor) -> tuple[VoucherRedemption, Voucher]:
    """A redemption in reach and its voucher, the voucher locked first as everybody does; raises NotFound."""
    found = find_redemption(session, redemption_id, actor=actor)
    voucher = find_voucher(session, found.voucher_id, actor=actor, locked=True)
    query = select(VoucherRedemption).where(VoucherRedemption.id == redemption_id)
    return session.scalars(locking(query)).one(), voucher


def find_redemption(session: Session, redemption_id: int, *, actor: Actor) -> VoucherRedemption:
    """A redemption in reach; raises NotFound."""
    query = select(VoucherRedemption).where(VoucherRedemption.id == redemption_id, visible(VoucherRedemption, actor))
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def voucher_of_refund(session: Session, refund_id: int, *, actor: Actor) -> int:
    """Of which voucher a refund is; raises NotFound."""
    query = (
        select(VoucherRedemption.voucher_id)
        .join(VoucherRefund, VoucherRefund.redemption_id == VoucherRedemption.id)
        .where(VoucherRefund.id == refund_id, visible(VoucherRefund, actor))
    )
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def check_refundable(session: Session, redemption: VoucherRedemption, voucher: Voucher) -> None:
    """Whether it may come back; raises Refunded, Settled, VoucherOver."""
    if redemption.refunded_at is not None:
        raise Refunded
    if redemption.settlement_id is not None:
        raise Settled
    purse_of(session, voucher).refund(redemption.fen)


def approve_refund(session: Session, refund_id: int, *, actor: Actor, now: datetime) -> VoucherRefund:
    """Take back what another asked to be, by the reversal of its entry.

    Raises NotFound, OwnRequest, RequestDecided, and what `check_refundable` raises.
    """
    refund = decidable(session, VoucherRefund, refund_id, actor=actor)
    redemption, voucher = locked_redemption(session, refund.redemption_id, actor=actor)
    check_refundable(session, redemption, voucher)
    entry = session.get_one(Entry, redemption.entry_id)
    plain = funds.reversal_of(session, entry, refund.words)
    draft = replace(plain, approved_by=actor.user_id, maker=Maker(refund.asked_by, refund.asked_by_key))
    refund.entry_id = funds.post(session, draft, actor=actor, now=now).id
    decide(session, refund, RefundState.DONE, actor=actor, now=now)
    redemption.refunded_at = now
    session.flush()
    return refund


def refuse_refund(session: Session, refund_id: int, *, reason: str, actor: Actor, now: datetime) -> VoucherRefund:
    """Refuse it, with a reason; raises NotFound, OwnRequest, RequestDecided, Invalid("reason")."""
    refund = decidable(session, VoucherRefund, refund_id, actor=actor)
    refund.reason = given_reason(reason)
    decide(session, refund, RefundState.REFUSED, actor=actor, now=now)
    return refund


def withdraw_refund(session: Session, refund_id: int, *, actor: Actor, now: datetime) -> VoucherRefund:
    """Take back what one asked for oneself; raises NotFound, NotAllowed, RequestDecided."""
    refund = own(session, VoucherRefund, refund_id, actor=actor)
    decide(session, refund, RefundState.WITHDRAWN, actor=actor, now=now)
    return refund
