"""Openings: all that was counted at a holding when its books are taken over, in one entry."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.funds import Spending
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.booking import FORM, Booking, amount_of
from dispatch.rules.funds.draft import Dimension, Draft, at
from dispatch.rules.funds.terms import EntryKind
from dispatch.services.funds.reading import find_open_fund
from dispatch.services.funds.wishes import Wish


@dataclass(frozen=True, slots=True)
class Counted:
    """What was counted at a holding when the books were taken over: fen by fund and wish, on which day."""

    holding_id: int
    fen: Mapping[Wish, int]
    counted_on: date | None = None
    words: str = ""
    form_key: int | None = None


def opening_of(session: Session, counted: Counted, *, actor: Actor) -> Draft:
    """The draft of an opening; raises Invalid for no fund, one that is not there, or those of several communities."""
    found = {wish.fund_id: find_open_fund(session, wish.fund_id, actor=actor) for wish in counted.fen}
    if not found:
        raise Invalid("counted", "请至少填写一个基金的现有金额")
    communities = {fund.community_id for fund in found.values()}
    if len(communities) > 1:
        raise Invalid("counted", "一次只能登记一个社区的开账")
    lines = [
        line
        for wish, fen in counted.fen.items()
        for line in at(Dimension(wish.fund_id, earmark_id=wish.earmark_id), counted.holding_id, fen)
    ]
    return Draft(
        communities.pop(),
        EntryKind.OPENING,
        tuple(lines),
        happened_on=counted.counted_on,
        words=counted.words,
        origin=None if counted.form_key is None else FORM,
        origin_id=counted.form_key,
    )


def counted_of(booking: Booking) -> Counted:
    """An opening that was booked by hand, as what was counted; raises Invalid without an amount."""
    fen = {Wish(booking.fund_id, booking.earmark_id): amount_of(booking)}
    return Counted(booking.holding_id, fen, booking.happened_on, booking.words, booking.form_key)


def rows_of(counted: Counted) -> list[list[int | None]]:
    """What was counted as it is kept while it waits: fund, wish, fen."""
    return [[wish.fund_id, wish.earmark_id, fen] for wish, fen in counted.fen.items()]


def counted_in(asked: Spending) -> Counted:
    """What was counted, from what waited."""
    fen = {Wish(fund_id, earmark_id): fen for fund_id, earmark_id, fen in asked.counted or ()}
    return Counted(asked.holding_id or 0, fen, asked.happened_on, asked.words)
