"""Which line of the bank is which entries: found by itself, said by hand, undone with a reason; what is left."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Row, delete, func, literal, select, union_all
from sqlalchemy.orm import Session, aliased

from dispatch.db import insert_rows
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.funds import (
    Account,
    BankLine,
    BankMatch,
    BankOpenEntry,
    BankStatement,
    Entry,
    EntryLine,
    EntryNote,
    Holding,
)
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.matching import Item, match
from dispatch.rules.funds.spoken import spoken
from dispatch.rules.funds.terms import Commodity, EntryKind
from dispatch.rules.orders.intake import check_text
from dispatch.services import notify
from dispatch.services.access import audit, policies
from dispatch.services.access.reach import visible
from dispatch.services.funds.post import lock_head

DIFFERENCE = "bank_difference"
MATCH_DAYS = "funds.match_days"
LONGEST_REASON = 200
OPENING = str(EntryKind.OPENING)
MOST_SHOWN = 500
MOST_MATCHED = 5_000
"""Open entries that are looked at for a month's lines, the newest first; a file has at most 2,000 lines."""

Rows = Sequence[Row[*tuple[Any, ...]]]


class StatementConfirmed(Conflict):
    """这个月的对账单已经确认，不能再改"""


class MatchedAlready(Conflict):
    """这一条银行流水已经对上，要改请先撤回"""


class NotMatched(Conflict):
    """这一条银行流水还没有对上，不用撤回"""


@dataclass(frozen=True, slots=True)
class LineView:
    """A line of the bank with the entries that it is; where it is looked at alone, its statement and what it may be."""

    line: BankLine
    entries: Rows
    statement: BankStatement | None = None
    likeliest: Rows = ()

    @property
    def by_hand(self) -> bool:
        """Whether somebody said so."""
        return any(one.by_hand for one in self.entries)


@dataclass(frozen=True, slots=True)
class OneSided:
    """What stands on one side only: how many, and what they come to in fen."""

    count: int
    fen: int


@dataclass(frozen=True, slots=True)
class StatementView:
    """A statement, its lines with their entries, the entries that the bank does not have, what is off.

    `missing` are the oldest of the entries that no line is; `of_bank` and `of_journal` count all. `difference` is what
    the chain of statements lacks, `unexplained` what the bank has more than the journal.
    """

    statement: BankStatement
    holding: str
    lines: Sequence[LineView]
    missing: Rows
    of_journal: OneSided
    difference: int

    @property
    def of_bank(self) -> OneSided:
        """The lines that no entry is."""
        alone = [one.line.amount_fen for one in self.lines if not one.entries]
        return OneSided(len(alone), sum(alone))

    @property
    def unmatched(self) -> int:
        """How many stand on one side only."""
        return self.of_bank.count + self.of_journal.count

    @property
    def unexplained(self) -> int:
        """What the bank has more than the journal at the month's end, in fen."""
        return self.of_bank.fen - self.of_journal.fen


def end_of(month: date) -> date:
    """The last day of a month."""
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def subject_of(holding_id: int, month: date) -> str:
    """What an alarm is about."""
    return f"holdings:{holding_id}:{month:%Y-%m}"


def match_lines(session: Session, statement: BankStatement, *, actor: Actor) -> None:
    """Pair the lines with the entries that no line has yet."""
    lock_head(session, statement.community_id)
    days = int(policies.policy(session, statement.community_id, MATCH_DAYS))
    lines = session.scalars(select(BankLine).where(BankLine.statement_id == statement.id)).all()
    until = end_of(statement.month) + timedelta(days=days)
    entries = open_entries(session, BankOpenEntry.happened_on <= until, holding_id=statement.holding_id, newest=True)
    pairs = match(
        [Item(one.id, one.booked_on, one.amount_fen, one.reference) for one in lines],
        [Item(one.id, one.happened_on, one.fen, one.words or "") for one in entries],
        days,
    )
    write_matches(session, statement, pairs, by_hand=False, actor=actor)


def write_matches(
    session: Session, statement: BankStatement, pairs: Sequence[tuple[int, int]], *, by_hand: bool, actor: Actor
) -> None:
    """The rows of pairs (line, entry)."""
    rows = [
        {
            "bank_line_id": line,
            "community_id": statement.community_id,
            "entry_id": entry,
            "holding_id": statement.holding_id,
            "by_hand": by_hand,
            "made_by": actor.user_id,
        }
        for line, entry in pairs
    ]
    if rows:
        insert_rows(session, BankMatch, rows)


def open_entries(session: Session, *which: ColumnElement[bool], holding_id: int, newest: bool = False) -> Rows:
    """Entries at an account that no line of the bank is, by an index of only those: however long the journal is."""
    day, entry_id = BankOpenEntry.happened_on, BankOpenEntry.entry_id
    order = (day.desc(), entry_id.desc()) if newest else (day, entry_id)
    return session.execute(
        select(Entry.id, Entry.seq, Entry.kind, day, EntryNote.words, BankOpenEntry.fen)
        .join(Entry, Entry.id == entry_id)
        .outerjoin(EntryNote, EntryNote.entry_id == entry_id)
        .where(BankOpenEntry.holding_id == holding_id, *which)
        .order_by(*order)
        .limit(MOST_MATCHED if newest else MOST_SHOWN)
    ).all()


def is_alone() -> ColumnElement[bool]:
    """The condition of an open entry that no other open one takes back."""
    other = aliased(BankOpenEntry)
    at = select(other.entry_id).where(other.holding_id == BankOpenEntry.holding_id)
    undone = at.where(other.reverses_id == BankOpenEntry.entry_id).exists()
    undoing = at.where(other.entry_id == BankOpenEntry.reverses_id).exists()
    return ~undone & ~undoing


def match_entries(
    session: Session, line_id: int, entry_ids: Sequence[int], *, actor: Actor, now: datetime
) -> BankStatement:
    """Say by hand that a line of the bank is one or several entries, which come to the same fen at its account.

    Raises NotFound, MatchedAlready, Invalid("entry_ids") for none, one that is not open there, or another sum.
    """
    line, statement = find_line(session, line_id, actor=actor)
    wanted = set(entry_ids)
    if not 0 < len(wanted) <= MOST_SHOWN:
        raise Invalid("entry_ids", "请选择一笔或几笔账")
    lock_head(session, statement.community_id)
    if is_matched(session, line_id):
        raise MatchedAlready
    found = open_entries(session, BankOpenEntry.entry_id.in_(wanted), holding_id=statement.holding_id)
    if len(found) < len(wanted):
        raise Invalid("entry_ids", "其中有的不在这个账户，或已经对上、已经冲正，请重新选择")
    worth = sum(one.fen for one in found)
    if worth != line.amount_fen:
        said = {"worth": spoken(worth, Commodity.FEN), "wanted": spoken(line.amount_fen, Commodity.FEN)}
        raise Invalid("entry_ids", "所选的账合计 %(worth)s，与银行的 %(wanted)s 不相等，请重新选择", **said)
    write_matches(session, statement, [(line_id, one) for one in sorted(wanted)], by_hand=True, actor=actor)
    note(session, "funds.match_entries", line, actor)
    tell_difference(session, statement, now=now)
    return statement


def undo_match(session: Session, line_id: int, *, reason: str, actor: Actor, now: datetime) -> BankStatement:
    """Take back what a line was said to be, with a reason (audited); raises NotFound, Invalid, StatementConfirmed."""
    line, statement = find_line(session, line_id, actor=actor)
    words = check_text("reason", reason, LONGEST_REASON)
    if not words:
        raise Invalid("reason", "请写明撤回的原因")
    if statement.confirmed_at is not None:
        raise StatementConfirmed
    lock_head(session, statement.community_id)
    if not is_matched(session, line_id):
        raise NotMatched
    session.execute(delete(BankMatch).where(BankMatch.bank_line_id == line_id))
    note(session, "funds.undo_match", line, actor, purpose=words)
    tell_difference(session, statement, now=now)
    return statement


def is_matched(session: Session, line_id: int) -> bool:
    """Whether a line is some entry."""
    return session.execute(select(BankMatch.entry_id).where(BankMatch.bank_line_id == line_id)).first() is not None


def find_line(session: Session, line_id: int, *, locked: bool = True, actor: Actor) -> tuple[BankLine, BankStatement]:
    """A line in reach with its statement (locked to be changed), which nothing has replaced; raises NotFound."""
    query = (
        select(BankLine, BankStatement)
        .join(BankStatement, BankStatement.id == BankLine.statement_id)
        .where(BankLine.id == line_id, visible(BankStatement, actor), BankStatement.replaced_at.is_(None))
    )
    if locked:
        query = query.with_for_update(of=BankStatement).execution_options(populate_existing=True)
    row = session.execute(query).one_or_none()
    if row is None:
        raise NotFound
    return row[0], row[1]


def note(session: Session, action: str, line: BankLine, actor: Actor, *, purpose: str | None = None) -> None:
    """The audit entry of what was said of a line."""
    audit.record(session, action, "bank_lines", line.id, actor=actor, community_id=line.community_id, purpose=purpose)


def find_statement(session: Session, statement_id: int, *, locked: bool = False, actor: Actor) -> BankStatement:
    """A statement in reach; raises NotFound."""
    query = select(BankStatement).where(BankStatement.id == statement_id, visible(BankStatement, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    statement = session.scalars(query).one_or_none()
    if statement is None:
        raise NotFound
    return statement


def view_statement(session: Session, statement_id: int, *, actor: Actor) -> StatementView:
    """A statement with both sides; raises NotFound. As many queries for a long month as for a short one."""
    return both_sides(session, find_statement(session, statement_id, actor=actor))


def view_line(session: Session, line_id: int, *, actor: Actor) -> LineView:
    """A line with its statement, the entries that it is or, where it is none, those that it may be; raises NotFound.

    The likeliest come first: the same fen, then the nearest day.
    """
    line, statement = find_line(session, line_id, locked=False, actor=actor)
    entries = entries_of_lines(session, statement).get(line.id, [])
    found = [] if entries else open_entries(session, is_alone(), holding_id=statement.holding_id, newest=True)
    likeliest = sorted(
        found[:MOST_SHOWN], key=lambda one: (one.fen != line.amount_fen, abs(one.happened_on - line.booked_on), one.id)
    )
    return LineView(line, entries, statement, likeliest)


def both_sides(session: Session, statement: BankStatement) -> StatementView:
    """A statement with both sides."""
    lines = session.scalars(
        select(BankLine).where(BankLine.statement_id == statement.id).order_by(BankLine.number)
    ).all()
    entries = entries_of_lines(session, statement)
    name = session.scalars(select(Holding.name).where(Holding.id == statement.holding_id)).one()
    alone = is_alone() & (BankOpenEntry.happened_on <= end_of(statement.month))
    return StatementView(
        statement,
        name,
        [LineView(one, entries.get(one.id, [])) for one in lines],
        open_entries(session, alone, holding_id=statement.holding_id),
        sums_of(session, BankOpenEntry.holding_id == statement.holding_id, alone),
        difference_of(session, statement),
    )


def sums_of(session: Session, *which: ColumnElement[bool]) -> OneSided:
    """How many open entries, and what they come to."""
    row = session.execute(select(func.count(), func.coalesce(func.sum(BankOpenEntry.fen), 0)).where(*which)).one()
    return OneSided(row[0], int(row[1]))


def entries_of_lines(session: Session, statement: BankStatement) -> Mapping[int, Rows]:
    """The entries that the lines of a statement are, with their fen at its account; one query."""
    fen = func.sum(EntryLine.amount).label("fen")
    rows = session.execute(
        select(BankMatch.bank_line_id, BankMatch.by_hand, Entry.id, Entry.seq, Entry.kind, Entry.happened_on, fen)
        .join(BankLine, BankLine.id == BankMatch.bank_line_id)
        .join(Entry, Entry.id == BankMatch.entry_id)
        .join(EntryLine, EntryLine.entry_id == Entry.id)
        .join(Account, Account.id == EntryLine.account_id)
        .where(BankLine.statement_id == statement.id, Account.holding_id == statement.holding_id)
        .group_by(BankMatch.bank_line_id, BankMatch.by_hand, Entry.id)
        .order_by(Entry.id)
    )
    found: defaultdict[int, list[Row[*tuple[Any, ...]]]] = defaultdict(list)
    for row in rows:
        found[row.bank_line_id].append(row)
    return found


def difference_of(session: Session, statement: BankStatement) -> int:
    """Closing less the counted opening and every line of the bank up to then: 0 when no month is missing."""
    counted = session.scalars(
        select(func.coalesce(func.sum(EntryLine.amount), 0))
        .join(Account, Account.id == EntryLine.account_id)
        .join(Entry, Entry.id == EntryLine.entry_id)
        .where(
            Account.holding_id == statement.holding_id,
            Entry.id.in_(openings(statement.community_id)),
            Entry.happened_on <= end_of(statement.month),
        )
    ).one()
    booked = session.scalars(
        select(func.coalesce(func.sum(BankLine.amount_fen), 0))
        .join(BankStatement, BankStatement.id == BankLine.statement_id)
        .where(
            BankStatement.holding_id == statement.holding_id,
            BankStatement.month <= statement.month,
            BankStatement.replaced_at.is_(None),
        )
    ).one()
    return statement.closing_fen - int(counted) - int(booked)


def openings(community_id: int) -> CompoundSelect[int]:
    """The ids of a community's openings and of what takes them back, by an index of only those."""
    opening, undoing = aliased(Entry), aliased(Entry)
    # the word stands in the statement: a partial index does not serve a parameter
    is_one = (opening.community_id == community_id) & (opening.kind == literal(OPENING, literal_execute=True))
    return union_all(
        select(opening.id).where(is_one),
        select(undoing.id).join(opening, opening.id == undoing.reverses_id).where(is_one),
    )


def tell_difference(session: Session, statement: BankStatement, *, now: datetime) -> None:
    """Alarm what of a month that is over stands on one side only, with how much it is; clear it when it is gone."""
    subject = subject_of(statement.holding_id, statement.month)
    notify.clear_alarms(session, kinds=(DIFFERENCE,), subject=subject, now=now)
    view = both_sides(session, statement)
    if view.unmatched and statement.confirmed_at is None:
        notify.raise_alarm(
            session,
            kind=DIFFERENCE,
            subject=subject,
            level="warning",
            community_id=statement.community_id,
            facts={"month": f"{statement.month:%Y-%m}", "count": view.unmatched, "fen": view.unexplained},
        )
