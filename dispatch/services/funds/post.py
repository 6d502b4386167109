"""Posting: a draft becomes an entry of its community's chain, or is refused before anything is written.

Order of locks: whatever the caller holds < the head of the journal < the balances. Whoever posts several entries in
one transaction has them all in line behind the same head, so that nobody waits in a circle.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.db import insert_rows
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.funds import Entry, EntryLine, EntryNote
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds import draft as rule
from dispatch.rules.funds.claims import EarmarkKind, is_allowed
from dispatch.rules.funds.draft import Draft, Maker
from dispatch.rules.funds.money import DIGITS, check_foreign, fen_of
from dispatch.rules.funds.record import Recorded, RecordedLine, digest
from dispatch.rules.funds.spoken import spoken
from dispatch.rules.funds.terms import Commodity, fits
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit
from dispatch.services.funds.accounts import Found, accounts_of

LONGEST_WORDS = 500
LOCK = text("SELECT seq, digest FROM lock_journal(:community_id)")


class NotEnough(Invalid):
    """“%(fund)s”在“%(place)s”只有 %(left)s，不够这一笔的 %(wanted)s，请改小或先转入"""


class NotForThis(Invalid):
    """“%(fund)s”不能用于这个用途，请改选用途或别的基金（专款专用）"""


class NamedAccount(Invalid):
    """服务券和服务商的账户只能由服务券办理收支，不能在这里记账"""


class AlreadyPosted(Conflict):
    """这件事已经入过账了"""


def post(session: Session, draft: Draft, *, actor: Actor, now: datetime) -> Entry:
    """Post a draft on the day of `now`; returns the entry with its number in the chain.

    Raises NotFound for a community, fund, earmark or holding out of reach; Invalid naming the field, NotEnough and
    NotForThis where the balance or the purpose does not fit; AlreadyPosted for an origin that has its entry. The
    head of the journal stays locked until the transaction ends: what takes long comes before.
    """
    check(draft, actor, now)
    head = lock_head(session, draft.community_id)
    if draft.origin is not None and is_posted(session, draft):
        raise AlreadyPosted
    found = found_right(session, draft, is_approved=draft.approved_by is not None)
    entry = write(session, draft, head, found, actor=actor, now=now)
    audit.record(
        session,
        "funds.post",
        "entries",
        entry.id,
        actor=actor,
        community_id=draft.community_id,
        fields={"kind": str(draft.kind), "seq": str(entry.seq)},
    )
    return entry


def found_right(session: Session, draft: Draft, *, is_approved: bool) -> Found:
    """The accounts of a draft whose purpose fits and for which there is enough; raises what `post` raises of them."""
    found = accounts_of(session, draft)
    check_claims(draft, found, is_approved=is_approved)
    check_purposes(draft, found)
    check_balances(draft, found)
    return found


def maker_of(draft: Draft, actor: Actor) -> Maker:
    """Who makes the entry: who asked for it, else who posts it."""
    return made_by(actor) if draft.maker is None else draft.maker


def made_by(actor: Actor) -> Maker:
    """Who an actor is in an entry: a person, else a machine's key, else the house."""
    return Maker(actor.user_id, actor.key_alone)


def check(draft: Draft, actor: Actor, now: datetime) -> None:
    """What can be said without asking the database."""
    if not actor.scope.everything and draft.community_id not in actor.scope.communities:
        raise NotFound
    rule.check(draft)
    check_text("words", draft.words, LONGEST_WORDS)
    today = clock.today(now)
    if draft.happened_on is not None and draft.happened_on > today:
        raise Invalid("happened_on", "发生的日期不能晚于今天")
    if draft.approved_by is not None and draft.approved_by == maker_of(draft, actor).user_id:
        raise Invalid("approved_by", "经手人不能自己审批，请另一位来审批")
    if draft.foreign is not None:
        check_foreign(draft.foreign, today)
        fen = (one.amount for one in rule.custody_of(draft.lines) if one.account.dimension.commodity is Commodity.FEN)
        if abs(sum(fen)) != fen_of(draft.foreign):
            raise Invalid("amount", "人民币金额与外币金额、汇率不符，请按汇率折算到分")


def lock_head(session: Session, community_id: int) -> Row[Any]:
    """Number and digest of the newest entry, locked; postings of a community stand in line here."""
    return session.execute(LOCK, {"community_id": community_id}).one()


def is_posted(session: Session, draft: Draft) -> bool:
    """Whether the origin of a draft has its entry already."""
    query = select(Entry.id).where(
        Entry.community_id == draft.community_id,
        Entry.origin == draft.origin,
        Entry.origin_id == draft.origin_id,
        Entry.occasion == draft.occasion,
    )
    return session.execute(query).first() is not None


def check_claims(draft: Draft, found: Found, *, is_approved: bool) -> None:
    """Named accounts are touched by nothing but their own kinds; raises NamedAccount("earmark_id")."""
    custody = [
        (EarmarkKind(found[one.account].earmark_kind or EarmarkKind.WISH), one.amount)
        for one in rule.custody_of(draft.lines)
    ]
    if not is_allowed(draft.kind, custody, is_approved=is_approved):
        raise NamedAccount("earmark_id")


def check_purposes(draft: Draft, found: Found) -> None:
    """The purpose stands in the fund and in the earmark of everything that is spent."""
    if draft.purpose is None:
        return
    for line in rule.custody_of(draft.lines):
        row = found[line.account]
        if not fits(draft.purpose, row.purposes):
            raise NotForThis("purpose", fund=row.fund)
        if row.earmark_purposes is not None and not fits(draft.purpose, row.earmark_purposes):
            raise NotForThis("purpose", fund=f"{row.fund} · {row.earmark}")


def check_balances(draft: Draft, found: Found) -> None:
    """No account goes below zero: first what may be spent, then where it lies."""
    for line in sorted(draft.lines, key=lambda one: not one.account.is_custody):
        row = found[line.account]
        if row.amount + line.amount < 0:
            commodity = line.account.dimension.commodity
            raise NotEnough(
                "amount",
                fund=row.fund if row.earmark is None else f"{row.fund} · {row.earmark}",
                place=row.holding or "可用余额",
                left=spoken(row.amount, commodity),
                wanted=spoken(-line.amount, commodity),
            )


def write(session: Session, draft: Draft, head: Row[Any], found: Found, *, actor: Actor, now: datetime) -> Entry:
    """The rows of an entry that was found right."""
    recorded = record_of(draft, head, found, actor=actor, now=now)
    foreign = draft.foreign
    entry = Entry(
        community_id=draft.community_id,
        seq=recorded.seq,
        previous=head.digest,
        digest=digest(head.digest, recorded),
        kind=recorded.kind,
        posted_on=recorded.posted_on,
        posted_at=now,
        happened_on=recorded.happened_on,
        line_count=len(draft.lines),
        purpose=recorded.purpose,
        origin=draft.origin,
        origin_id=draft.origin_id,
        occasion=draft.occasion,
        reverses_id=draft.reverses_id,
        consent_id=draft.consent_id,
        made_by=recorded.made_by,
        made_by_key=recorded.made_by_key,
        approved_by=draft.approved_by,
        currency=foreign.currency if foreign else None,
        foreign_minor=foreign.minor if foreign else None,
        foreign_places=DIGITS[foreign.currency] if foreign else None,
        rate=foreign.rate if foreign else None,
        rate_on=foreign.rate_on if foreign else None,
        facts=dict(draft.facts),
    )
    session.add(entry)
    session.flush()
    write_lines(session, entry, draft, found)
    return entry


def write_lines(session: Session, entry: Entry, draft: Draft, found: Found) -> None:
    """The lines of an entry by account, and what is said of it."""
    of_entry = {"entry_id": entry.id, "community_id": draft.community_id}
    amounts = {found[line.account].id: line.amount for line in draft.lines}
    rows = [of_entry | {"account_id": account_id, "amount": amount} for account_id, amount in sorted(amounts.items())]
    insert_rows(session, EntryLine, rows)
    if draft.words.strip():
        session.execute(insert(EntryNote), of_entry | {"words": draft.words.strip()})


def record_of(draft: Draft, head: Row[Any], found: Found, *, actor: Actor, now: datetime) -> Recorded:
    """What of an entry is in the chain."""
    today, maker = clock.today(now), maker_of(draft, actor)
    return Recorded(
        community_id=draft.community_id,
        seq=head.seq + 1,
        kind=str(draft.kind),
        posted_on=today,
        happened_on=draft.happened_on or today,
        purpose=None if draft.purpose is None else str(draft.purpose),
        origin=draft.origin,
        origin_id=draft.origin_id,
        occasion=draft.occasion,
        reverses_id=draft.reverses_id,
        consent_id=draft.consent_id,
        made_by=maker.user_id,
        made_by_key=maker.key_id,
        approved_by=draft.approved_by,
        foreign=draft.foreign,
        facts=draft.facts,
        lines=tuple(
            RecordedLine(row.id, row.fund_id, row.owner, row.earmark_id, row.commodity, row.holding_id, line.amount)
            for line in draft.lines
            for row in (found[line.account],)
        ),
    )
