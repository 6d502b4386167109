"""What people book by hand: money that comes, goes or changes its place; goods are booked by the market."""

from dataclasses import dataclass
from datetime import date
from typing import Final

from dispatch.errors import Invalid
from dispatch.rules.funds.draft import Dimension, Draft, Foreign, at, moved
from dispatch.rules.funds.money import DIGITS, fen_of
from dispatch.rules.funds.terms import FOR_A_PURPOSE, EntryKind, Purpose

BY_HAND: Final = (
    EntryKind.GIFT,
    EntryKind.SPEND,
    EntryKind.TRANSFER,
    EntryKind.INTEREST,
    EntryKind.GIVEN_BACK,
    EntryKind.OPENING,
)
GOES: Final = frozenset({EntryKind.SPEND, EntryKind.GIVEN_BACK})
NEEDS_TWO: Final = GOES | {EntryKind.OPENING}
"""What one person books alone up to an amount only."""

FORM: Final = "funds.form"
"""The origin of what was booked by a form: its key makes one form one entry, however often it is sent."""


@dataclass(frozen=True, slots=True)
class Booking:
    """An amount of fen of a fund (and wish) at a holding; foreign money says its own amount."""

    kind: EntryKind
    fund_id: int
    holding_id: int
    amount_fen: int | None = None
    earmark_id: int | None = None
    to_holding_id: int | None = None
    purpose: Purpose | None = None
    happened_on: date | None = None
    words: str = ""
    foreign: Foreign | None = None
    form_key: int | None = None


def draft_of(booking: Booking, community_id: int) -> Draft:
    """The draft of a booking; raises Invalid naming the field."""
    if booking.kind not in BY_HAND:
        raise Invalid("kind", "请选择一类账")
    if booking.foreign is not None and booking.kind is not EntryKind.GIFT:
        raise Invalid("currency", "只有捐赠可以按外币登记")
    dimension, fen = Dimension(booking.fund_id, earmark_id=booking.earmark_id), amount_of(booking)
    if booking.kind is EntryKind.TRANSFER:
        if booking.to_holding_id is None or booking.to_holding_id == booking.holding_id:
            raise Invalid("to_holding_id", "请选择转到哪里，不能与原处相同")
        lines = moved(dimension, booking.holding_id, booking.to_holding_id, fen)
    else:
        lines = at(dimension, booking.holding_id, -fen if booking.kind in GOES else fen)
    return Draft(
        community_id=community_id,
        kind=booking.kind,
        lines=lines,
        purpose=booking.purpose if booking.kind in FOR_A_PURPOSE else None,
        happened_on=booking.happened_on,
        words=booking.words,
        foreign=booking.foreign,
        origin=None if booking.form_key is None else FORM,
        origin_id=booking.form_key,
    )


def amount_of(booking: Booking) -> int:
    """The fen: as written, or what the foreign money is worth; raises Invalid."""
    if booking.foreign is None:
        if booking.amount_fen is None or booking.amount_fen <= 0:
            raise Invalid("amount", "请填写大于零的数量")
        return booking.amount_fen
    if booking.foreign.currency not in DIGITS:
        raise Invalid("currency", "不认识这种货币，请填三个字母的代码，如 USD")
    fen = fen_of(booking.foreign)
    if booking.amount_fen is not None and booking.amount_fen != fen:
        raise Invalid("amount", "人民币金额与外币金额、汇率不符，请按汇率折算到分")
    return fen
