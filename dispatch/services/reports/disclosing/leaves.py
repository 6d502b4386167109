"""The leaves of a statement's tree: made in blocks, kept with the statement, read again in blocks; a donor's proof."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.orm import Session

from dispatch.db import insert_rows
from dispatch.models.funds import Entry, Receipt
from dispatch.models.market import GiftLine
from dispatch.models.reports import Disclosure, DisclosureLeaf
from dispatch.rules.reports.merkle import GiftLeaf, proof_of, proves, root_of
from dispatch.rules.reports.periods import bounds_of_day
from dispatch.services import funds, market

LEAVES_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Proof:
    """That a line stands in a published statement: its place and the digests beside its way to the root."""

    disclosure: Disclosure
    line: GiftLeaf
    item: str
    position: int
    beside: tuple[bytes, ...]

    @property
    def holds(self) -> bool:
        """Whether the line, with its secret, leads to the root that was published."""
        made = self.disclosure
        return proves(self.line.digest, self.position, made.leaf_count, self.beside, made.root)


def leaves_of(session: Session, community_id: int, first: date, last: date) -> Iterator[tuple[int, GiftLeaf]]:
    """The lines whose receipts were issued in the period and held at its end, in blocks, each with its receipt's id."""
    begin, end = bounds_of_day(first)[0], bounds_of_day(last)[1]
    newest = (begin, 0)
    while True:
        rows = session.execute(
            select(Receipt, GiftLine.commodity, GiftLine.amount, Entry.posted_on)
            .join(GiftLine, GiftLine.entry_id == Receipt.entry_id)
            .join(Entry, Entry.id == Receipt.entry_id)
            .where(
                Receipt.community_id == community_id,
                tuple_(Receipt.issued_at, Receipt.id) > newest,
                Receipt.issued_at < end,
                Receipt.voided_at.is_(None) | (Receipt.voided_at >= end),
            )
            .order_by(Receipt.issued_at, Receipt.id)
            .limit(LEAVES_AT_ONCE)
        ).all()
        for receipt, commodity, amount, day in rows:
            yield receipt.id, leaf_of(receipt, commodity, amount, day)
        if len(rows) < LEAVES_AT_ONCE:
            return
        newest = (rows[-1][0].issued_at, rows[-1][0].id)


def leaf_of(receipt: Receipt, commodity: str, amount: int, day: date) -> GiftLeaf:
    """The leaf of a line, with the secret that stands on its receipt."""
    return GiftLeaf(funds.number_of(receipt), commodity, amount, day, market.secret_of_receipt(receipt))


def root_and_count(session: Session, community_id: int, first: date, last: date) -> tuple[bytes, int]:
    """The root over the lines of a period and how many they are, without keeping them."""
    count = 0

    def counted() -> Iterator[bytes]:
        nonlocal count
        for _, leaf in leaves_of(session, community_id, first, last):
            count += 1
            yield leaf.digest

    return root_of(counted()), count


def keep_leaves(session: Session, made: Disclosure) -> None:
    """Keep the leaves with the statement, a block at a time."""
    block: list[dict[str, Any]] = []
    for position, (receipt_id, leaf) in enumerate(leaves_of(session, made.community_id, made.first_day, made.last_day)):
        block.append(
            {
                "disclosure_id": made.id,
                "position": position,
                "community_id": made.community_id,
                "receipt_id": receipt_id,
                "digest": leaf.digest,
            }
        )
        if len(block) == LEAVES_AT_ONCE:
            insert_rows(session, DisclosureLeaf, block)
            block.clear()
    if block:
        insert_rows(session, DisclosureLeaf, block)


def leaves_from(session: Session, disclosure_id: int, position: int) -> list[bytes]:
    """A block of the leaves of a published statement, in their order, from a place on; empty after the last."""
    query = select(DisclosureLeaf.digest).where(
        DisclosureLeaf.disclosure_id == disclosure_id, DisclosureLeaf.position >= position
    )
    return list(session.scalars(query.order_by(DisclosureLeaf.position).limit(LEAVES_AT_ONCE)))


def leaves_kept(session: Session, disclosure_id: int) -> Iterator[bytes]:
    """The leaves of a published statement in their order, a block at a time."""
    position = 0
    while block := leaves_from(session, disclosure_id, position):
        yield from block
        position += len(block)


def proof_for(session: Session, community_id: int, number: str, secret: str) -> Proof | None:
    """The proof for a receipt in the newest statement that holds it, None while none does; raises ReceiptUnknown."""
    year, _, serial = market.look_up(session, community_id, number, secret).number.partition("-")
    row = session.execute(
        select(Disclosure, DisclosureLeaf.position, Receipt, GiftLine, Entry.posted_on)
        .join(DisclosureLeaf, DisclosureLeaf.disclosure_id == Disclosure.id)
        .join(Receipt, Receipt.id == DisclosureLeaf.receipt_id)
        .join(GiftLine, GiftLine.entry_id == Receipt.entry_id)
        .join(Entry, Entry.id == Receipt.entry_id)
        .where(Receipt.community_id == community_id, Receipt.year == int(year), Receipt.number == int(serial))
        .order_by(Disclosure.id.desc())
        .limit(1)
    ).one_or_none()
    if row is None:
        return None
    disclosure, position, receipt, line, day = row
    beside = tuple(proof_of(leaves_kept(session, disclosure.id), position))
    return Proof(disclosure, leaf_of(receipt, line.commodity, line.amount, day), line.item, position, beside)


def proof_out(found: Proof) -> dict[str, Any]:
    """What leaves of a proof; the secret does not."""
    line = found.line
    return {
        "statement": found.disclosure.id,
        "digest": found.disclosure.digest.hex(),
        "line": {
            "receipt": line.receipt,
            "commodity": line.commodity,
            "amount": line.amount,
            "day": line.day.isoformat(),
        },
        "position": found.position,
        "beside": [one.hex() for one in found.beside],
    }
