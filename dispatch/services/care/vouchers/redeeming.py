"""Redeeming: a firm takes some of a voucher for what it did, by the code of the card; once, and never too much."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid
from dispatch.models.care import Voucher, VoucherGrant, VoucherPayee, VoucherRedemption
from dispatch.models.catalogue import Performer
from dispatch.models.funds import Fund
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.claims import EarmarkKind
from dispatch.rules.funds.draft import Dimension, Draft, at
from dispatch.rules.funds.terms import EntryKind, Purpose
from dispatch.rules.orders.intake import check_text
from dispatch.services import funds
from dispatch.services.access import audit
from dispatch.services.care.vouchers.finding import CardOver, card_of_code, firm_of, grant_of, locking, purse_of

ORIGIN = "care.redemption"
LONGEST_WHAT = 60
NEXT_ID = select(func.nextval(func.pg_get_serial_sequence("voucher_redemptions", "id")))


class FormReused(Conflict):
    """这张表单已经核销过另一笔，请重新打开页面再填"""


class OrderRedeemed(Conflict):
    """这张工单已经用服务券付过，不能再付一次"""


@dataclass(frozen=True, slots=True)
class NewRedemption:
    """What a firm wants: by which code, how much, for what, for which order of its own (its number)."""

    code: str
    fen: int
    what: str
    order_number: str | None = None
    form_key: int | None = None


def redeem(session: Session, wanted: NewRedemption, *, actor: Actor, now: datetime) -> VoucherRedemption:
    """Take some of a voucher; the same form sent again gives the redemption that it made.

    Raises NotAFirm, Invalid naming the field, UnknownCode, CardOver, VoucherFrozen, VoucherOver, NotLeft,
    OrderRedeemed, FormReused.
    """
    firm = firm_of(session, actor)
    what = check_text("what", wanted.what, LONGEST_WHAT)
    if not what:
        raise Invalid("what", "请写明做了什么")
    card, found = card_of_code(session, wanted.code, firm, actor=actor)
    voucher = session.scalars(locking(select(Voucher).where(Voucher.id == found.id))).one()
    known = of_form(session, firm.id, wanted.form_key)
    if known is not None:
        if (known.voucher_id, known.fen) != (voucher.id, wanted.fen):
            raise FormReused
        return known
    session.refresh(card)
    if card.ended_at is not None:
        raise CardOver
    purse_of(session, voucher).redeem(wanted.fen, clock.today(now))
    made = VoucherRedemption(
        id=session.execute(NEXT_ID).scalar_one(),
        community_id=voucher.community_id,
        voucher_id=voucher.id,
        card_id=card.id,
        performer_id=firm.id,
        fen=wanted.fen,
        what=what,
        order_id=order_of(session, voucher, firm, wanted.order_number),
        redeemed_on=clock.today(now),
        redeemed_at=now,
        made_by=actor.user_id,
        made_by_key=actor.key_alone,
        form_key=wanted.form_key,
    )
    return booked(session, made, voucher, firm, actor=actor, now=now)


def of_form(session: Session, performer_id: int, form_key: int | None) -> VoucherRedemption | None:
    """What a form of this firm has made already."""
    if form_key is None:
        return None
    return session.scalars(
        select(VoucherRedemption).where(
            VoucherRedemption.performer_id == performer_id, VoucherRedemption.form_key == form_key
        )
    ).one_or_none()


def order_of(session: Session, voucher: Voucher, firm: Performer, number: str | None) -> int | None:
    """The firm's own order of that number in the voucher's community; raises Invalid, OrderRedeemed."""
    if not number:
        return None
    order_id = session.scalars(
        select(Order.id).where(
            Order.number == number.strip(),
            Order.community_id == voucher.community_id,
            Order.performer_id == firm.id,
        )
    ).one_or_none()
    if order_id is None:
        raise Invalid("order_number", "您名下没有这张工单，请核对单号，没有工单的可以不填")
    if redeemed_for(session, order_id) is not None:
        raise OrderRedeemed
    return order_id


def redeemed_for(session: Session, order_id: int) -> VoucherRedemption | None:
    """What was taken of a voucher for an order and was not taken back."""
    query = select(VoucherRedemption).where(
        VoucherRedemption.order_id == order_id, VoucherRedemption.refunded_at.is_(None)
    )
    return session.scalars(query).one_or_none()


def booked(
    session: Session, made: VoucherRedemption, voucher: Voucher, firm: Performer, *, actor: Actor, now: datetime
) -> VoucherRedemption:
    """Write the redemption and its entry: from the person's account into the firm's."""
    grant = grant_of(session, voucher)
    payee_id = payee_of(session, grant, firm, actor=actor, now=now)
    lines = (
        *at(Dimension(grant.fund_id, earmark_id=voucher.earmark_id), grant.holding_id, -made.fen),
        *at(Dimension(grant.fund_id, earmark_id=payee_id), grant.holding_id, made.fen),
    )
    draft = Draft(
        made.community_id,
        EntryKind.REDEEM,
        lines,
        origin=ORIGIN,
        origin_id=made.id,
        facts={"voucher": voucher.number, "firm": firm.id},
    )
    made.entry_id = funds.post(session, draft, actor=actor, now=now).id
    session.add(made)
    try:
        with session.begin_nested():
            session.flush()
    except IntegrityError as error:
        raise OrderRedeemed from error
    audit.record(
        session, "care.redeem_voucher", "voucher_redemptions", made.id, actor=actor, community_id=made.community_id
    )
    return made


def payee_of(session: Session, grant: VoucherGrant, firm: Performer, *, actor: Actor, now: datetime) -> int:
    """The firm's account in the fund, opened when it first takes something; whoever opens stands in line."""
    funds.lock_head(session, grant.community_id)
    query = select(VoucherPayee.earmark_id).where(
        VoucherPayee.fund_id == grant.fund_id, VoucherPayee.performer_id == firm.id
    )
    known = session.scalars(query).one_or_none()
    if known is not None:
        return known
    named = funds.add_earmark(
        session,
        session.get_one(Fund, grant.fund_id),
        name=f"服务券应付 {firm.name}"[:LONGEST_WHAT],
        purposes=[Purpose.VOUCHER],
        kind=EarmarkKind.PAYEE,
        actor=actor,
        now=now,
    )
    session.add(
        VoucherPayee(fund_id=grant.fund_id, performer_id=firm.id, community_id=grant.community_id, earmark_id=named.id)
    )
    session.flush()
    return named.id
