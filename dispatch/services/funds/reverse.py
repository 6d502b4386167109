"""Reversing: a mistake is taken back whole by an entry that names it, and written anew by another."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.funds import Account, Entry, EntryLine, Spending
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.draft import AccountKey, Dimension, Draft, Line, fen_moved
from dispatch.rules.funds.terms import Commodity, EntryKind
from dispatch.services.access import reach
from dispatch.services.funds.post import lock_head, made_by, post
from dispatch.services.funds.receipts import receipt_of, void_receipt
from dispatch.services.funds.two_people import above_fen, approved

VOID_REASON = "这一笔已冲正"
OWN = "funds."
"""How origins of this domain begin."""


class AlreadyReversed(Conflict):
    """这一笔已经冲正过了"""


class IsReversal(Conflict):
    """冲正的账不能再冲正，请重新记一笔"""


class MadeElsewhere(Conflict):
    """这一笔是在别处登记的（物资、捐赠或义卖），请到登记它的地方冲正"""


class NeedsAnother(Conflict):
    """自己记的账、或超过一个人可以经手的金额，不能一个人冲正，请提交冲正申请，由另一位审批"""


def take_back(
    session: Session, entry_id: int, *, words: str, actor: Actor, now: datetime, asked: Spending | None = None
) -> Entry:
    """Reverse by hand what was booked by hand; a step of stock, a gift or a sale is taken back where it was made.

    Raises MadeElsewhere, and what `reverse` raises.
    """
    check_by_hand(entry_in_reach(session, entry_id, actor))
    return reverse(session, entry_id, words=words, actor=actor, now=now, asked=asked)


def check_by_hand(entry: Entry) -> None:
    """Refuse what was made in another domain; raises MadeElsewhere."""
    if entry.origin is not None and not entry.origin.startswith(OWN):
        raise MadeElsewhere


def reverse(
    session: Session, entry_id: int, *, words: str, actor: Actor, now: datetime, asked: Spending | None = None
) -> Entry:
    """Take an entry back with exactly the opposite lines; `words` say why. Its receipt is void.

    Raises NotFound, Invalid without a reason, IsReversal, AlreadyReversed, NeedsAnother where nobody else has `asked`,
    NotEnough where what came in has been spent meanwhile.
    """
    entry = entry_in_reach(session, entry_id, actor)
    lock_head(session, entry.community_id)
    draft = reversal_of(session, entry, words)
    if asked is None and takes_two(session, entry, actor=actor):
        raise NeedsAnother
    receipt = receipt_of(session, entry_id)
    if receipt is not None:
        void_receipt(session, receipt.id, reason=VOID_REASON, actor=actor, now=now)
    return post(session, draft if asked is None else approved(draft, asked, actor), actor=actor, now=now)


def reversal_of(session: Session, entry: Entry, words: str) -> Draft:
    """The draft that takes an entry back; raises Invalid without a reason, IsReversal, AlreadyReversed."""
    if not words.strip():
        raise Invalid("words", "请写明冲正的原因")
    if entry.kind == EntryKind.REVERSAL:
        raise IsReversal
    if session.execute(select(Entry.id).where(Entry.reverses_id == entry.id)).first() is not None:
        raise AlreadyReversed
    return Draft(
        community_id=entry.community_id,
        kind=EntryKind.REVERSAL,
        lines=tuple(Line(line.account, -line.amount) for line in lines_of(session, entry.id)),
        reverses_id=entry.id,
        words=words,
    )


def takes_two(session: Session, entry: Entry, *, actor: Actor) -> bool:
    """Whether taking an entry back takes a second person: it is the actor's own, or above the community's amount.

    The house itself asks nobody; kits that their keeper takes apart change nothing that is owed.
    """
    if actor.principal == "system" or entry.kind == EntryKind.KIT:
        return False
    maker = made_by(actor)
    is_own = (entry.made_by, entry.made_by_key) == (maker.user_id, maker.key_id)
    return is_own or fen_moved(lines_of(session, entry.id)) > above_fen(session, entry.community_id)


def entry_in_reach(session: Session, entry_id: int, actor: Actor) -> Entry:
    """An entry that the actor may see; raises NotFound."""
    found = session.scalars(select(Entry).where(Entry.id == entry_id, reach.visible(Entry, actor))).one_or_none()
    if found is None:
        raise NotFound
    return found


def lines_of(session: Session, entry_id: int) -> list[Line]:
    """The lines of an entry as a draft has them."""
    rows = session.execute(
        select(Account.fund_id, Account.commodity, Account.earmark_id, Account.holding_id, EntryLine.amount)
        .join(EntryLine, EntryLine.account_id == Account.id)
        .where(EntryLine.entry_id == entry_id)
        .order_by(Account.id)
    )
    return [
        Line(AccountKey(Dimension(row.fund_id, Commodity(row.commodity), row.earmark_id), row.holding_id), row.amount)
        for row in rows
    ]
