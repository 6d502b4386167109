"""Receipts of gifts: one per line, with a secret by which the donor looks up that line and nothing else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from dispatch.models.funds import Earmark, Entry, Fund, Receipt
from dispatch.models.market import Donor, Gift, GiftLine, GiftReversal
from dispatch.rules.access.roles import Actor
from dispatch.rules.market import gifts as rule
from dispatch.services import funds
from dispatch.services.access import vault

LOOK_UP = "receipts.look_up"
NUMBER = re.compile(r"(?P<year>20[0-9]{2})-?(?P<number>[0-9]{1,9})")
OwnRow = Row[GiftLine, Receipt, Gift, Entry, str, str | None, datetime | None]


@dataclass(frozen=True, slots=True)
class ReceiptRow:
    """A receipt as it is printed: the line, its number and secret, and whether it holds no more."""

    line: GiftLine
    receipt: Receipt

    @property
    def number(self) -> str:
        """The number as it is printed: 2026-000017."""
        return funds.number_of(self.receipt)

    @property
    def secret(self) -> str:
        """What the donor shows besides the number."""
        return secret_of_receipt(self.receipt)


@dataclass(frozen=True, slots=True)
class OwnLine:
    """What a donor is told of their own line; nobody's name, no other line."""

    number: str
    item: str
    commodity: str
    amount: int
    happened_on: date
    fund: str
    wish: str | None
    entry_seq: int
    digest: str
    thanked: bool
    is_void: bool
    reversed_at: datetime | None


def secret_of_receipt(receipt: Receipt) -> str:
    """The secret of a receipt; it hangs on DISPATCH_SECRET and is kept nowhere."""
    return rule.secret_of(vault.keyed(LOOK_UP, str(receipt.uid)))


def give_receipts(session: Session, gift: Gift, *, actor: Actor, now: datetime) -> None:
    """Give every line of a new gift its receipt, in the donor's name or for 爱心人士."""
    name = session.scalars(select(Donor.name).where(Donor.id == gift.donor_id)).one_or_none() if gift.donor_id else ""
    entries = select(GiftLine.entry_id).where(GiftLine.gift_id == gift.id).order_by(GiftLine.position)
    for entry_id in session.scalars(entries).all():
        funds.issue_receipt(session, entry_id, received_from=name or "", actor=actor, now=now)


def receipts_of_gifts(session: Session, gift_ids: Sequence[int]) -> dict[int, list[ReceiptRow]]:
    """The receipts of gifts in the order of their lines, void ones too. One query."""
    query = (
        select(GiftLine, Receipt)
        .join(Receipt, Receipt.entry_id == GiftLine.entry_id)
        .where(GiftLine.gift_id.in_(gift_ids))
        .order_by(GiftLine.gift_id, GiftLine.position, Receipt.id)
    )
    found: dict[int, list[ReceiptRow]] = {gift_id: [] for gift_id in gift_ids}
    for line, receipt in session.execute(query):
        found[line.gift_id].append(ReceiptRow(line, receipt))
    return found


def line_of_receipt(session: Session, community_id: int, number: str) -> OwnRow | None:
    """The line of a receipt by its printed number, with what its donor is told of; None for no such number."""
    match = NUMBER.fullmatch(number.strip())
    if match is None:
        return None
    query = (
        select(GiftLine, Receipt, Gift, Entry, Fund.name, Earmark.name, GiftReversal.reversed_at)
        .join(Receipt, Receipt.entry_id == GiftLine.entry_id)
        .join(Gift, Gift.id == GiftLine.gift_id)
        .join(Entry, Entry.id == GiftLine.entry_id)
        .join(Fund, Fund.id == Gift.fund_id)
        .outerjoin(Earmark, Earmark.id == Gift.earmark_id)
        .outerjoin(GiftReversal, GiftReversal.line_id == GiftLine.id)
        .where(
            Receipt.community_id == community_id,
            Receipt.year == int(match["year"]),
            Receipt.number == int(match["number"]),
        )
    )
    return session.execute(query).one_or_none()


def look_up(session: Session, community_id: int, number: str, secret: str) -> OwnLine:
    """What became of one's own line, by number and secret; a wrong one of either is answered alike.

    Raises ReceiptUnknown.
    """
    row = line_of_receipt(session, community_id, number)
    expected = secret_of_receipt(row[1]) if row is not None else rule.secret_of(vault.keyed(LOOK_UP, ""))
    is_right = rule.is_secret(secret, expected)
    if row is None or not is_right:
        raise rule.ReceiptUnknown
    line, receipt, gift, entry, fund, wish, reversed_at = row
    return OwnLine(
        number=funds.number_of(receipt),
        item=line.item,
        commodity=line.commodity,
        amount=line.amount,
        happened_on=gift.happened_on,
        fund=fund,
        wish=wish,
        entry_seq=entry.seq,
        digest=entry.digest.hex(),
        thanked=gift.thanked_at is not None,
        is_void=receipt.voided_at is not None,
        reversed_at=reversed_at,
    )
