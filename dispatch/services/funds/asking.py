"""Asking for what one person may not do alone: spending above an amount, openings, what is taken back."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid
from dispatch.models.funds import Entry, Spending
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.booking import GOES, Booking, draft_of
from dispatch.rules.funds.draft import Draft, fen_moved
from dispatch.rules.funds.spoken import spoken
from dispatch.rules.funds.terms import Commodity, EntryKind
from dispatch.services import notify
from dispatch.services.access import audit
from dispatch.services.access.reach import visible
from dispatch.services.funds.opening import Counted, counted_of, opening_of, rows_of
from dispatch.services.funds.post import check, found_right, lock_head, made_by
from dispatch.services.funds.reading import find_open_fund
from dispatch.services.funds.reverse import reversal_of
from dispatch.services.funds.two_people import is_too_much

WAITS, LATE = "spending_waits", "spending_late"


class AlreadyAsked(Conflict):
    """这件申请已经提交过了"""


def must_be_approved(session: Session, booking: Booking, *, actor: Actor) -> bool:
    """Whether somebody else has to approve it first; the house itself asks nobody. Raises Invalid("fund_id")."""
    fund = find_open_fund(session, booking.fund_id, actor=actor)
    return is_too_much(session, draft_of(booking, fund.community_id), actor=actor)


def opening_must_be_approved(session: Session, counted: Counted, *, actor: Actor) -> bool:
    """The same of what was counted at a take-over; raises Invalid naming the field."""
    return is_too_much(session, opening_of(session, counted, actor=actor), actor=actor)


def ask_spending(
    session: Session, booking: Booking, *, to_payee: bool = False, actor: Actor, now: datetime
) -> Spending:
    """Ask for spending; what could not be booked today is not asked either. Whoever may approve is alarmed.

    `to_payee`: a firm is to be paid from what is kept for it; nobody asks for that by hand.
    Raises Invalid naming the field, AlreadyAsked for a form that was sent before, and what `post` raises.
    """
    if booking.kind is EntryKind.OPENING:
        return ask_opening(session, counted_of(booking), actor=actor, now=now)
    draft = draft_of(booking, find_open_fund(session, booking.fund_id, actor=actor).community_id)
    if draft.kind not in GOES:
        raise Invalid("kind", "只有支出、退还和开账要先申请")
    check_new(session, draft, to_payee=to_payee, actor=actor, now=now)
    made = Spending(
        community_id=draft.community_id,
        kind=str(draft.kind),
        fund_id=booking.fund_id,
        earmark_id=booking.earmark_id,
        holding_id=booking.holding_id,
        amount_fen=-draft.lines[0].amount,
        purpose=None if draft.purpose is None else str(draft.purpose),
        happened_on=booking.happened_on,
        words=booking.words.strip(),
        form_key=booking.form_key,
    )
    return kept(session, made, "funds.ask_spending", actor=actor, now=now)


def ask_opening(session: Session, counted: Counted, *, actor: Actor, now: datetime) -> Spending:
    """Ask for what was counted to be taken over; raises as `ask_spending` does."""
    draft = opening_of(session, counted, actor=actor)
    check_new(session, draft, actor=actor, now=now)
    made = Spending(
        community_id=draft.community_id,
        kind=str(draft.kind),
        counted=rows_of(counted),
        holding_id=counted.holding_id,
        amount_fen=fen_moved(draft.lines),
        happened_on=counted.counted_on,
        words=counted.words.strip(),
        form_key=counted.form_key,
    )
    return kept(session, made, "funds.ask_opening", actor=actor, now=now)


def check_new(session: Session, draft: Draft, *, to_payee: bool = False, actor: Actor, now: datetime) -> None:
    """Refuse what could not be booked today, or was asked by the same form."""
    check(draft, actor, now)
    lock_head(session, draft.community_id)
    if spending_of_form(session, draft.origin_id, actor=actor) is not None:
        raise AlreadyAsked
    found_right(session, draft, is_approved=to_payee)


def ask_reversal(session: Session, entry: Entry, *, words: str, actor: Actor, now: datetime) -> Spending:
    """Ask for an entry to be taken back; what could not be taken back today is not asked either.

    Raises Invalid without a reason, IsReversal, AlreadyReversed, AlreadyAsked, NotEnough.
    """
    lock_head(session, entry.community_id)
    draft = reversal_of(session, entry, words)
    check(draft, actor, now)
    if entry.id in reversals_asked(session, (entry.id,)):
        raise AlreadyAsked
    found_right(session, draft, is_approved=True)
    made = Spending(
        community_id=entry.community_id,
        kind=str(draft.kind),
        reverses_id=entry.id,
        amount_fen=fen_moved(draft.lines),
        words=words.strip(),
    )
    return kept(session, made, "funds.ask_reversal", actor=actor, now=now)


def reversals_asked(session: Session, entry_ids: Sequence[int]) -> dict[int, int]:
    """Which of some entries wait to be taken back, each with what was asked. One query."""
    query = select(Spending.reverses_id, Spending.id).where(
        Spending.reverses_id.in_(entry_ids), Spending.state == "asked"
    )
    return {entry_id: asked for entry_id, asked in session.execute(query) if entry_id is not None}


def spending_of_form(session: Session, form_key: int | None, *, actor: Actor) -> int | None:
    """The spending that a form has asked for already."""
    query = select(Spending.id).where(visible(Spending, actor), Spending.form_key == form_key)
    return session.scalars(query).one_or_none() if form_key is not None else None


def kept(session: Session, made: Spending, action: str, *, actor: Actor, now: datetime) -> Spending:
    """Write down what was asked, and tell whoever may approve."""
    maker = made_by(actor)
    made.asked_by, made.asked_by_key, made.asked_at = maker.user_id, maker.key_id, now
    session.add(made)
    session.flush()
    note(session, action, made, actor)
    notify.raise_alarm(
        session, kind=WAITS, subject=subject_of(made), level="notice", community_id=made.community_id, facts=said(made)
    )
    return made


def said(spending: Spending) -> dict[str, str]:
    """What an alarm says of it."""
    return {"kind": spending.kind, "amount": spoken(spending.amount_fen, Commodity.FEN)}


def note(session: Session, action: str, spending: Spending, actor: Actor) -> None:
    """The audit entry of a step of it."""
    audit.record(session, action, "spendings", spending.id, actor=actor, community_id=spending.community_id)


def subject_of(spending: Spending) -> str:
    """What an alarm is about."""
    return f"spendings:{spending.id}"
