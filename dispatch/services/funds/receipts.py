"""Receipts for gifts: numbered by the database, void with a reason, never used again."""

from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.funds import Entry, Receipt
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.terms import EntryKind
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit, reach, vault
from dispatch.services.funds.post import lock_head

LONGEST_NAME = 60
LONGEST_REASON = 200
UNNAMED = "爱心人士"


class HasReceipt(Conflict):
    """这一笔已经开过收据；要重开，请先作废旧的"""


class NoGift(Conflict):
    """只有没有冲正的捐赠才能开收据"""


class VoidAlready(Conflict):
    """这张收据已经作废"""


def issue_receipt(session: Session, entry_id: int, *, received_from: str = "", actor: Actor, now: datetime) -> Receipt:
    """Give a gift its receipt with the next number of the year; without a name it is for 爱心人士.

    Raises NotFound, NoGift, HasReceipt, Invalid naming the field.
    """
    entry = session.scalars(select(Entry).where(Entry.id == entry_id, reach.visible(Entry, actor))).one_or_none()
    if entry is None:
        raise NotFound
    lock_head(session, entry.community_id)
    name = check_text("received_from", received_from, LONGEST_NAME) or UNNAMED
    reversal = select(Entry.id).where(Entry.reverses_id == entry_id)
    if entry.kind != EntryKind.GIFT or session.execute(reversal).first() is not None:
        raise NoGift
    if receipt_of(session, entry_id) is not None:
        raise HasReceipt
    uid = uuid4()
    made = Receipt(
        uid=uid,
        community_id=entry.community_id,
        entry_id=entry_id,
        received_from=vault.seal(f"receipts.received_from.{uid}", name),
        issued_by=actor.user_id,
        issued_at=now,
        year=0,
        number=0,
    )
    session.add(made)
    session.flush()
    session.refresh(made)
    note(session, "funds.issue_receipt", made, actor)
    return made


def void_receipt(session: Session, receipt_id: int, *, reason: str, actor: Actor, now: datetime) -> Receipt:
    """Make a receipt void; its number stays. Raises NotFound, VoidAlready, Invalid without a reason."""
    receipt = find_receipt(session, receipt_id, actor=actor, lock=True)
    words = check_text("reason", reason, LONGEST_REASON)
    if not words:
        raise Invalid("reason", "请写明作废的原因")
    if receipt.voided_at is not None:
        raise VoidAlready
    receipt.voided_at, receipt.voided_by, receipt.void_reason = now, actor.user_id, words
    session.flush()
    note(session, "funds.void_receipt", receipt, actor)
    return receipt


def note(session: Session, action: str, receipt: Receipt, actor: Actor) -> None:
    """The audit entry of a receipt."""
    fields = {"number": number_of(receipt)}
    audit.record(session, action, "receipts", receipt.id, actor=actor, community_id=receipt.community_id, fields=fields)


def find_receipt(session: Session, receipt_id: int, *, actor: Actor, lock: bool = False) -> Receipt:
    """A receipt in reach; raises NotFound."""
    query = select(Receipt).where(Receipt.id == receipt_id, reach.visible(Receipt, actor))
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def receipt_of(session: Session, entry_id: int) -> Receipt | None:
    """The receipt of an entry that holds."""
    query = select(Receipt).where(Receipt.entry_id == entry_id, Receipt.voided_at.is_(None))
    return session.scalars(query).one_or_none()


def number_of(receipt: Receipt) -> str:
    """The number as it is printed: 2026-000017."""
    return f"{receipt.year}-{receipt.number:06}"


def name_on(receipt: Receipt) -> str:
    """Who gave, as the receipt says."""
    return vault.open_sealed(f"receipts.received_from.{receipt.uid}", receipt.received_from)
