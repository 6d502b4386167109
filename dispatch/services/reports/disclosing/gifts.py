"""The single gifts of a published statement, in the order of its leaves: nobody is named who did not consent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.funds import Receipt
from dispatch.models.market import Donor, Gift, GiftLine
from dispatch.models.reports import Disclosure, DisclosureLeaf

GIFTS_AT_ONCE = 50


@dataclass(frozen=True, slots=True)
class GiftTold:
    """A line of a gift as everybody may read it; without a donor it is from 爱心人士."""

    position: int
    happened_on: date
    item: str
    commodity: str
    amount: int
    donor: str | None


def gifts_told(session: Session, made: Disclosure, start: int) -> Sequence[GiftTold]:
    """The lines from a place of the tree on, a page of them.

    A name is told while the gift was given by name and the donor still consents: who takes the consent back is named
    no more, in what was published before neither.
    """
    query = (
        select(DisclosureLeaf.position, Gift.happened_on, GiftLine, Donor.name, Donor.is_named, Gift.is_named)
        .join(Receipt, Receipt.id == DisclosureLeaf.receipt_id)
        .join(GiftLine, GiftLine.entry_id == Receipt.entry_id)
        .join(Gift, Gift.id == GiftLine.gift_id)
        .outerjoin(Donor, Donor.id == Gift.donor_id)
        .where(DisclosureLeaf.disclosure_id == made.id, DisclosureLeaf.position >= start)
        .order_by(DisclosureLeaf.position)
        .limit(GIFTS_AT_ONCE)
    )
    return [
        GiftTold(position, day, line.item, line.commodity, line.amount, name if still and then else None)
        for position, day, line, name, still, then in session.execute(query)
    ]
