"""Vouchers as they are found: by id, by the code of a card, with what is left, who takes, and into which account."""

from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.care import Voucher, VoucherCard, VoucherGrant
from dispatch.models.catalogue import Coverage, Performer
from dispatch.models.funds import Account, Balance
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.vouchers import Purse, VoucherState, read_code
from dispatch.rules.grid.identity import mask_name
from dispatch.services.access import audit, tokens
from dispatch.services.access.reach import visible

Row = TypeVar("Row")

LEFT = (
    select(Balance.amount)
    .join(Account, Account.id == Balance.account_id)
    .where(Account.earmark_id == Voucher.earmark_id, Account.side == "custody")
    .scalar_subquery()
)
"""What is left in the account of a voucher: the journal's balance."""


class UnknownCode(Invalid):
    """没有这张服务券卡，请核对卡上的码；还是不行，请老人联系社区"""


class CardOver(Conflict):
    """这张卡已经挂失或收回，请用新卡；没有新卡的请老人联系社区"""


class NotAFirm(NotAllowed):
    """只有在本社区登记、正常营业的服务商可以核销服务券"""


@dataclass(frozen=True, slots=True)
class ShownVoucher:
    """What a firm is shown of a card: part of the name to compare, what is left, until when; nothing else."""

    number: int
    name: str
    left: int
    expires_on: date
    state: VoucherState


def find_voucher(session: Session, voucher_id: int, *, actor: Actor, locked: bool = False) -> Voucher:
    """A voucher in reach; raises NotFound."""
    query = select(Voucher).where(Voucher.id == voucher_id, visible(Voucher, actor))
    found = session.scalars(locking(query) if locked else query).one_or_none()
    if found is None:
        raise NotFound
    return found


def locking(query: Select[Row]) -> Select[Row]:
    """The same query, which waits for whoever holds the row and reads it as it is then."""
    return query.with_for_update().execution_options(populate_existing=True)


def purse_of(session: Session, voucher: Voucher) -> Purse:
    """The account of a granted voucher as the journal has it now."""
    left = session.scalars(select(LEFT).where(Voucher.id == voucher.id)).one() or 0
    return Purse(VoucherState(voucher.state), voucher.expires_on, voucher.fen, left, voucher.fen - left)


def firm_of(session: Session, actor: Actor) -> Performer:
    """The firm behind the actor; raises NotAFirm for everybody else, and for one that is not admitted."""
    performer = session.get(Performer, actor.performer_id) if actor.performer_id is not None else None
    works = performer is not None and performer.is_active and performer.admission == "admitted"
    if performer is None or performer.kind != "firm" or not works:
        raise NotAFirm
    return performer


def serves(performer_id: int) -> ColumnElement[bool]:
    """The vouchers of the communities to which a firm is admitted."""
    return Voucher.community_id.in_(select(Coverage.community_id).where(Coverage.performer_id == performer_id))


def card_of_code(session: Session, code: str, firm: Performer, *, actor: Actor) -> tuple[VoucherCard, Voucher]:
    """The card of a code and its voucher; raises Invalid("code"), UnknownCode("code"), CardOver."""
    row = session.execute(
        select(VoucherCard, Voucher)
        .join(Voucher, Voucher.id == VoucherCard.voucher_id)
        .where(
            VoucherCard.token_hash == tokens.hash_of(read_code(code)),
            visible(VoucherCard, actor),
            serves(firm.id),
        )
    ).one_or_none()
    if row is None:
        raise UnknownCode("code")
    if row[0].ended_at is not None:
        raise CardOver
    return row[0], row[1]


def is_used_at(session: Session, community_id: int) -> bool:
    """Whether somebody of a community has a voucher that can be redeemed."""
    query = select(Voucher.id).where(Voucher.community_id == community_id, Voucher.state == str(VoucherState.OPEN))
    return session.execute(query.limit(1)).first() is not None


def look_up(session: Session, code: str, *, actor: Actor) -> ShownVoucher:
    """What a firm is shown before it takes anything; audited. Raises NotAFirm and what `card_of_code` raises."""
    _, voucher = card_of_code(session, code, firm_of(session, actor), actor=actor)
    name = session.get_one(Resident, voucher.resident_id).name
    purse = purse_of(session, voucher)
    audit.record(
        session, "care.look_up_voucher", "vouchers", voucher.id, actor=actor, community_id=voucher.community_id
    )
    return ShownVoucher(voucher.number or 0, mask_name(name), purse.left, purse.expires_on, purse.state)


def grant_of(session: Session, voucher: Voucher) -> VoucherGrant:
    """The list on which a voucher was granted: its fund, wish and holding."""
    return session.get_one(VoucherGrant, voucher.grant_id)
