"""What was asked for is approved and booked, or refused, by another than who asked; or withdrawn by who did."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.access import User
from dispatch.models.funds import Earmark, Entry, Fund, Holding, Spending
from dispatch.rules.access.roles import SYSTEM, Actor
from dispatch.rules.funds.booking import Booking, draft_of
from dispatch.rules.funds.terms import EntryKind, Purpose
from dispatch.rules.orders.intake import check_text
from dispatch.services import notify
from dispatch.services.access import policies
from dispatch.services.access.reach import visible
from dispatch.services.funds.asking import LATE, WAITS, note, said, subject_of
from dispatch.services.funds.opening import counted_in, opening_of
from dispatch.services.funds.post import post
from dispatch.services.funds.reading import find_open_fund
from dispatch.services.funds.reverse import take_back
from dispatch.services.funds.two_people import approved

DAYS = "funds.approve_days"
LONGEST_REASON = 200
Undo = Callable[[Session, Spending, Actor, datetime], int]
"""How an entry is taken back that was asked to be; gives the id of the entry that does so."""


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
    """The entry of what was asked for; raises what `post` raises."""
    if spending.kind == EntryKind.OPENING:
        opening = opening_of(session, counted_in(spending), actor=actor)
        return post(session, approved(opening, spending, actor), actor=actor, now=now)
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
        raise NotAllowed("只有申请的人才能撤回")
    return decided(session, spending, "withdrawn", actor=actor, now=now)


def call_off_spending(session: Session, spending_id: int, *, now: datetime) -> bool:
    """What was asked for something that is needless now is asked no more; False where it was decided already."""
    try:
        spending = locked(session, spending_id, SYSTEM)
    except SpendingDecided:
        return False
    decided(session, spending, "withdrawn", actor=SYSTEM, now=now)
    return True


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
