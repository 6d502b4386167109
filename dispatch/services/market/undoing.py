"""Entries are taken back, the lines of gifts with their lots: at once, or when somebody else has approved."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.funds import Spending
from dispatch.models.market import GiftLine, GiftReversal
from dispatch.rules.access.roles import Actor
from dispatch.services import funds
from dispatch.services.market.gifts import reverse_line


def take_back_or_ask(session: Session, entry_id: int, *, words: str, actor: Actor, now: datetime) -> Spending | None:
    """Take an entry back, or ask for it where it takes a second person; then what was asked.

    Raises NotFound, and what `ask_back`, `reverse_line` and `funds.take_back` raise.
    """
    if funds.takes_two(session, funds.entry_in_reach(session, entry_id, actor), actor=actor):
        return ask_back(session, entry_id, words=words, actor=actor, now=now)
    line = line_of(session, entry_id)
    if line is None:
        funds.take_back(session, entry_id, words=words, actor=actor, now=now)
    else:
        reverse_line(session, line.id, reason=words, actor=actor, now=now)
    return None


def ask_back(session: Session, entry_id: int, *, words: str, actor: Actor, now: datetime) -> Spending:
    """Ask for an entry by hand, or that of a line of a gift, to be taken back.

    Raises NotFound, MadeElsewhere, and what `funds.ask_reversal` raises.
    """
    entry = funds.entry_in_reach(session, entry_id, actor)
    if line_of(session, entry_id) is None:
        funds.check_by_hand(entry)
    return funds.ask_reversal(session, entry, words=words, actor=actor, now=now)


def approve_asked(session: Session, spending_id: int, *, actor: Actor, now: datetime) -> Spending:
    """Approve what another asked for; the line of a gift goes back with its receipt and its lot."""
    return funds.approve_spending(session, spending_id, actor=actor, now=now, undo=undo)


def undo(session: Session, spending: Spending, actor: Actor, now: datetime) -> int:
    """Take back what was asked to be; the id of the entry that does so."""
    line = line_of(session, spending.reverses_id)
    if line is None:
        return funds.undo_by_hand(session, spending, actor, now)
    reverse_line(session, line.id, reason=spending.words, actor=actor, now=now, asked=spending)
    return session.get_one(GiftReversal, line.id).entry_id


def line_of(session: Session, entry_id: int | None) -> GiftLine | None:
    """The line of a gift behind an entry, where there is one."""
    return session.scalars(select(GiftLine).where(GiftLine.entry_id == entry_id)).one_or_none()
