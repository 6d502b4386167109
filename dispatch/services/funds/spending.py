"""Spending above an amount, and what is taken back: asked by one, approved and booked or refused by another."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.access import User
from dispatch.models.funds import Earmark, Entry, Fund, Holding, Spending
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.booking import GOES, Booking, draft_of, needs_approval
from dispatch.rules.funds.draft import fen_moved
from dispatch.rules.funds.spoken import spoken
from dispatch.rules.funds.terms import Commodity, EntryKind, Purpose
from dispatch.rules.orders.intake import check_text
from dispatch.services import notify
from dispatch.services.access import audit, policies
from dispatch.services.access.reach import visible
from dispatch.services.funds.post import check, found_right, lock_head, made_by, post
from dispatch.services.funds.reading import find_open_fund
from dispatch.services.funds.reverse import reversal_of, take_back
from dispatch.services.funds.two_people import above_fen, approved, fen_alone

DAYS = "funds.approve_days"
WAITS, LATE = "spending_waits", "spending_late"
LONGEST_REASON = 200
Undo = Callable[[Session, Spending, Actor, datetime], int]
"""How an entry is taken back that was asked to be; gives the id of the entry that does so."""


class AlreadyAsked(Conflict):
    """这件申请已经提交过了"""


class SpendingDecided(Conflict):
    """这件申请已经有了结果，不能再改"""


class OwnSpending(NotAllowed):
    """申请的人不能自己审批，请另一位来审批"""


@dataclass(frozen=True, slots=True)
class SpendingRow:
    """What was asked, with what its fund, wish and holding are called (a reversal has none), who asked and decided."""

    spending: Spending
    fund: str | None
    earmark: str | None
    holding: str | None
    asker: str | None
    decider: str | None


def must_be_approved(session: Session, booking: Booking, *, actor: Actor) -> bool:
    """Whether somebody else has to approve it first; the house itself asks nobody. Raises Invalid("fund_id").

    What leaves is judged with what left for the same purpose before it, so that it stands in line behind that.
    """
    fund = find_open_fund(session, booking.fund_id, actor=actor)
    if actor.principal == "system" or booking.kind not in GOES:
        return False
    lock_head(session, fund.community_id)
    alone = fen_alone(session, fund.community_id, booking.kind, booking.purpose)
    return needs_approval(booking, alone, above_fen(session, fund.community_id))


def ask_spending(
    session: Session, booking: Booking, *, to_payee: bool = False, actor: Actor, now: datetime
) -> Spending:
    """Ask for spending; what could not be booked today is not asked either. Whoever may approve is alarmed.

    `to_payee`: a firm is to be paid from what is kept for it; nobody asks for that by hand.
    Raises Invalid naming the field, AlreadyAsked for a form that was sent before, and what `post` raises.
    """
    fund = find_open_fund(session, booking.fund_id, actor=actor)
    draft = draft_of(booking, fund.community_id)
    if draft.kind not in {EntryKind.SPEND, EntryKind.GIVEN_BACK}:
        raise Invalid("kind", "只有支出和退还要先申请")
    check(draft, actor, now)
    lock_head(session, fund.community_id)
    if spending_of_form(session, booking.form_key, actor=actor) is not None:
        raise AlreadyAsked
    found_right(session, draft, is_approved=to_payee)
    made = Spending(
        community_id=fund.community_id,
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


def undo_by_hand(session: Session, spending: Spending, actor: Actor, now: datetime) -> int:
    """Take back what was booked by hand, as it was asked."""
    return take_back(session, spending.reverses_id or 0, words=spending.words, actor=actor, now=now, asked=spending).id


def approve_spending(
    session: Session, spending_id: int, *, actor: Actor, now: datetime, undo: Undo = undo_by_hand
) -> Spending:
    """Approve what another asked for and book it, made by who asked and approved by who does this.

    Raises NotFound, OwnSpending, SpendingDecided, NotEnough where it was spent meanwhile, and what `post` raises.
    """
    spending = decidable(session, spending_id, actor)
    if spending.kind == EntryKind.REVERSAL:
        spending.entry_id = undo(session, spending, actor, now)
    else:
        spending.entry_id = book_asked(session, spending, actor=actor, now=now).id
    return decided(session, spending, "booked", actor=actor, now=now)


def book_asked(session: Session, spending: Spending, *, actor: Actor, now: datetime) -> Entry:
    """The entry of spending that was asked for; raises what `post` raises."""
    booking = Booking(
        kind=EntryKind(spending.kind),
        fund_id=spending.fund_id or 0,
        earmark_id=spending.earmark_id,
        holding_id=spending.holding_id or 0,
        amount_fen=spending.amount_fen,
        purpose=None if spending.purpose is None else Purpose(spending.purpose),
        happened_on=spending.happened_on,
        words=spending.words,
    )
    find_open_fund(session, booking.fund_id, actor=actor)
    draft = approved(draft_of(booking, spending.community_id), spending, actor)
    return post(session, draft, actor=actor, now=now)


def refuse_spending(session: Session, spending_id: int, *, reason: str, actor: Actor, now: datetime) -> Spending:
    """Refuse what another asked for, with a reason; raises NotFound, OwnSpending, SpendingDecided, Invalid."""
    spending = decidable(session, spending_id, actor)
    words = check_text("reason", reason, LONGEST_REASON)
    if not words:
        raise Invalid("reason", "请写明不批准的理由")
    spending.reason = words
    return decided(session, spending, "refused", actor=actor, now=now)


def withdraw_spending(session: Session, spending_id: int, *, actor: Actor, now: datetime) -> Spending:
    """Take back what one asked for oneself; raises NotFound, NotAllowed, SpendingDecided."""
    spending = locked(session, spending_id, actor)
    mine = (spending.asked_by, spending.asked_by_key) == (actor.user_id, actor.api_key_id)
    if not mine:
        raise NotAllowed
    return decided(session, spending, "withdrawn", actor=actor, now=now)


def decidable(session: Session, spending_id: int, actor: Actor) -> Spending:
    """What this person, and no machine, may decide."""
    spending = locked(session, spending_id, actor)
    if actor.user_id is None:
        raise NotAllowed
    if actor.user_id == spending.asked_by:
        raise OwnSpending
    return spending


def locked(session: Session, spending_id: int, actor: Actor) -> Spending:
    """Spending in reach that waits, locked; raises NotFound, SpendingDecided."""
    found = session.scalars(
        select(Spending)
        .where(Spending.id == spending_id, visible(Spending, actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if found is None:
        raise NotFound
    if found.state != "asked":
        raise SpendingDecided
    return found


def decided(session: Session, spending: Spending, state: str, *, actor: Actor, now: datetime) -> Spending:
    """Write down what became of it; its alarms are cleared."""
    spending.state, spending.decided_by, spending.decided_at = state, actor.user_id, now
    session.flush()
    note(session, f"funds.spending_{state}", spending, actor)
    notify.clear_alarms(session, kinds=(WAITS, LATE), subject=subject_of(spending), now=now)
    return spending


def note(session: Session, action: str, spending: Spending, actor: Actor) -> None:
    """The audit entry of a step of it."""
    audit.record(session, action, "spendings", spending.id, actor=actor, community_id=spending.community_id)


def subject_of(spending: Spending) -> str:
    """What an alarm is about."""
    return f"spendings:{spending.id}"


def spending_of_form(session: Session, form_key: int | None, *, actor: Actor) -> int | None:
    """The spending that a form has asked for already."""
    query = select(Spending.id).where(visible(Spending, actor), Spending.form_key == form_key)
    return session.scalars(query).one_or_none() if form_key is not None else None


def list_spendings(
    session: Session,
    *,
    actor: Actor,
    waiting: bool | None = None,
    spending_id: int | None = None,
    before: int | None = None,
    limit: int,
) -> Sequence[SpendingRow]:
    """Spending in reach: what waits the oldest first, what was decided the newest first. One query."""
    asker, decider = aliased(User), aliased(User)
    query = (
        select(Spending, Fund.name, Earmark.name, Holding.name, asker.name, decider.name)
        .outerjoin(Fund, Fund.id == Spending.fund_id)
        .outerjoin(Holding, Holding.id == Spending.holding_id)
        .outerjoin(Earmark, Earmark.id == Spending.earmark_id)
        .outerjoin(asker, asker.id == Spending.asked_by)
        .outerjoin(decider, decider.id == Spending.decided_by)
        .where(visible(Spending, actor))
        .order_by(Spending.id if waiting else Spending.id.desc())
        .limit(limit)
    )
    if waiting is not None:
        query = query.where(Spending.state == "asked" if waiting else Spending.state != "asked")
    if spending_id is not None:
        query = query.where(Spending.id == spending_id)
    if before is not None:
        query = query.where(Spending.id < before)
    return [SpendingRow(*row) for row in session.execute(query)]


def view_spending(session: Session, spending_id: int, *, actor: Actor) -> SpendingRow:
    """One of them; raises NotFound."""
    found = list_spendings(session, actor=actor, spending_id=spending_id, limit=1)
    if not found:
        raise NotFound
    return found[0]


def alarm_waiting(session: Session, *, now: datetime) -> list[int]:
    """Alarm what has waited for its approval longer than its community's days; returns their ids."""
    waiting = session.scalars(select(Spending).where(Spending.state == "asked").order_by(Spending.id)).all()
    days = {one: int(policies.policy(session, one, DAYS)) for one in {one.community_id for one in waiting}}
    late = [one for one in waiting if one.asked_at + timedelta(days=days[one.community_id]) < now]
    for one in late:
        notify.raise_alarm(
            session, kind=LATE, subject=subject_of(one), level="warning", community_id=one.community_id, facts=said(one)
        )
    return [one.id for one in late]
