"""The month's statement of a bank account beside the journal: read, matched, confirmed by a second person, or late."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, delete, exists, func, select
from sqlalchemy.orm import Session, aliased

from dispatch import clock
from dispatch.db import insert_rows
from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.models.funds import Account, BankLine, BankMatch, BankStatement, Entry, EntryLine, EntryNote, Holding
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.bank_csv import BankRow, read
from dispatch.rules.funds.matching import Item, match
from dispatch.rules.funds.terms import EntryKind
from dispatch.rules.orders.intake import check_text
from dispatch.services import notify
from dispatch.services.access import audit, policies
from dispatch.services.access.reach import visible

LATE = "bank_unreconciled"
MATCH_DAYS = "funds.match_days"
DUE_DAYS = "funds.reconcile_days"
LONGEST_NOTE = 500
MOST_SHOWN = 500


class StatementConfirmed(Conflict):
    """这个月的对账单已经确认，不能再改"""


class OwnStatement(NotAllowed):
    """导入对账单的人不能自己确认，请另一位来确认"""


class DoesNotFollow(Conflict):
    """期末余额与开账和以往的对账单接不上，请检查是否缺了月份或期初写错"""


@dataclass(frozen=True, slots=True)
class NewStatement:
    """A month of a bank account: what was there before and after, in fen, and the bank's file."""

    holding_id: int
    month: date
    opening_fen: int
    closing_fen: int
    content: bytes


@dataclass(frozen=True, slots=True)
class StatementView:
    """A statement, its lines each with its entry or none, the entries that the bank does not have, what is off."""

    statement: BankStatement
    holding: str
    lines: Sequence[Row[*tuple[Any, ...]]]
    missing: Sequence[Row[*tuple[Any, ...]]]
    difference: int

    @property
    def unmatched(self) -> int:
        """How many stand on one side only."""
        return len(self.missing) + sum(line.entry_id is None for line in self.lines)


def import_statement(session: Session, new: NewStatement, *, actor: Actor, now: datetime) -> BankStatement:
    """Read a month's file and match it with the journal; another import of an open month replaces the one before.

    Raises Invalid naming the field, StatementConfirmed.
    """
    holding = session.scalars(
        select(Holding).where(Holding.id == new.holding_id, Holding.kind == "bank", visible(Holding, actor))
    ).one_or_none()
    if holding is None:
        raise Invalid("holding_id", "请选择银行账户")
    rows = read(new.content)
    check_month(new, rows, clock.today(now))
    replace_open(session, holding, new.month, now)
    made = BankStatement(
        community_id=holding.community_id,
        holding_id=holding.id,
        month=new.month,
        opening_fen=new.opening_fen,
        closing_fen=new.closing_fen,
        digest=sha256(new.content).digest(),
        imported_by=actor.user_id,
        imported_at=now,
    )
    session.add(made)
    session.flush()
    insert_rows(session, BankLine, [line_row(made, number, row) for number, row in enumerate(rows, 1)])
    match_lines(session, made, actor=actor)
    audit.record(
        session, "funds.import_statement", "bank_statements", made.id, actor=actor, community_id=made.community_id
    )
    return made


def line_row(made: BankStatement, number: int, row: BankRow) -> dict[str, object]:
    """The row of a line."""
    return {
        "community_id": made.community_id,
        "statement_id": made.id,
        "number": number,
        "booked_on": row.booked_on.isoformat(),
        "amount_fen": row.amount_fen,
        "reference": row.reference,
        "words": row.words,
    }


def check_month(new: NewStatement, rows: Sequence[BankRow], today: date) -> None:
    """The month is over, every line is in it, and what was there and the lines are what is there; raises Invalid."""
    if new.month.day != 1 or end_of(new.month) >= today:
        raise Invalid("month", "请选择已经结束的月份")
    if any(not new.month <= row.booked_on <= end_of(new.month) for row in rows):
        raise Invalid("file", "文件里有别的月份的流水，请只导出这个月的")
    if new.opening_fen + sum(row.amount_fen for row in rows) != new.closing_fen:
        raise Invalid("closing", "期初余额加上流水不等于期末余额，请核对")


def end_of(month: date) -> date:
    """The last day of a month."""
    return (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def replace_open(session: Session, holding: Holding, month: date, now: datetime) -> None:
    """Set an open statement of the month aside; raises StatementConfirmed."""
    old = session.scalars(
        select(BankStatement).where(
            BankStatement.community_id == holding.community_id,
            BankStatement.holding_id == holding.id,
            BankStatement.month == month,
            BankStatement.replaced_at.is_(None),
        )
    ).one_or_none()
    if old is None:
        return
    if old.confirmed_at is not None:
        raise StatementConfirmed
    lines = select(BankLine.id).where(BankLine.statement_id == old.id)
    session.execute(delete(BankMatch).where(BankMatch.bank_line_id.in_(lines)))
    old.replaced_at = now
    session.flush()


def match_lines(session: Session, statement: BankStatement, *, actor: Actor) -> None:
    """Pair the lines with the entries that no line has yet."""
    days = int(policies.policy(session, statement.community_id, MATCH_DAYS))
    lines = session.scalars(select(BankLine).where(BankLine.statement_id == statement.id)).all()
    entries = unmatched_entries(session, statement, end_of(statement.month) + timedelta(days=days))
    pairs = match(
        [Item(one.id, one.booked_on, one.amount_fen, one.reference) for one in lines],
        [Item(one.id, one.happened_on, int(one.fen), one.words or "") for one in entries],
        days,
    )
    rows = [
        {
            "bank_line_id": line,
            "community_id": statement.community_id,
            "entry_id": entry,
            "holding_id": statement.holding_id,
            "made_by": actor.user_id,
        }
        for line, entry in pairs
    ]
    if rows:
        insert_rows(session, BankMatch, rows)


def unmatched_entries(session: Session, statement: BankStatement, until: date) -> Sequence[Row[*tuple[Any, ...]]]:
    """Entries at the account up to a day that no line of the bank is; what was taken back before it got there is out.

    The counted opening is the bank's balance before the first line, no line.
    """
    other = aliased(Entry)
    has_line = exists().where(BankMatch.entry_id == Entry.id, BankMatch.holding_id == statement.holding_id)
    of_original = exists().where(BankMatch.entry_id == Entry.reverses_id, BankMatch.holding_id == statement.holding_id)
    taken_back = exists().where(other.reverses_id == Entry.id)
    fen = func.sum(EntryLine.amount).label("fen")
    return session.execute(
        select(Entry.id, Entry.seq, Entry.kind, Entry.happened_on, EntryNote.words, fen)
        .join(EntryLine, EntryLine.entry_id == Entry.id)
        .join(Account, Account.id == EntryLine.account_id)
        .outerjoin(EntryNote, EntryNote.entry_id == Entry.id)
        .where(
            Account.holding_id == statement.holding_id,
            Account.community_id == statement.community_id,
            Entry.happened_on <= until,
            Entry.kind != EntryKind.OPENING,
            ~has_line,
            (Entry.kind == EntryKind.REVERSAL) & of_original | (Entry.kind != EntryKind.REVERSAL) & ~taken_back,
        )
        .group_by(Entry.id, EntryNote.words)
        .order_by(Entry.id)
        .limit(MOST_SHOWN)
    ).all()


def list_bank_statements(session: Session, *, actor: Actor) -> Sequence[Row[*tuple[Any, ...]]]:
    """The statements in reach that stand, newest month first, each with its account's name."""
    return session.execute(
        select(BankStatement, Holding.name)
        .join(Holding, Holding.id == BankStatement.holding_id)
        .where(visible(BankStatement, actor), BankStatement.replaced_at.is_(None))
        .order_by(BankStatement.month.desc(), BankStatement.id)
        .limit(MOST_SHOWN)
    ).all()


def view_statement(session: Session, statement_id: int, *, actor: Actor) -> StatementView:
    """A statement with both sides; raises NotFound."""
    statement = session.scalars(
        select(BankStatement).where(BankStatement.id == statement_id, visible(BankStatement, actor))
    ).one_or_none()
    if statement is None:
        raise NotFound
    lines = session.execute(
        select(BankLine, BankMatch.entry_id)
        .outerjoin(BankMatch, BankMatch.bank_line_id == BankLine.id)
        .where(BankLine.statement_id == statement_id)
        .order_by(BankLine.number)
    ).all()
    name = session.scalars(select(Holding.name).where(Holding.id == statement.holding_id)).one()
    missing = unmatched_entries(session, statement, end_of(statement.month))
    return StatementView(statement, name, lines, missing, difference_of(session, statement))


def difference_of(session: Session, statement: BankStatement) -> int:
    """Closing less the counted opening and every line of the bank up to then: 0 when no month is missing."""
    other = aliased(Entry)
    counted = session.scalars(
        select(func.coalesce(func.sum(EntryLine.amount), 0))
        .join(Account, Account.id == EntryLine.account_id)
        .join(Entry, Entry.id == EntryLine.entry_id)
        .outerjoin(other, other.id == Entry.reverses_id)
        .where(
            Account.holding_id == statement.holding_id,
            func.coalesce(other.kind, Entry.kind) == EntryKind.OPENING,
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


def confirm_statement(
    session: Session, statement_id: int, *, note: str = "", actor: Actor, now: datetime
) -> BankStatement:
    """Confirm a statement; what stands on one side only is explained by a note.

    Raises NotFound, OwnStatement for who imported it, StatementConfirmed, DoesNotFollow, Invalid.
    """
    view = view_statement(session, statement_id, actor=actor)
    statement = view.statement
    if actor.user_id is None or actor.user_id == statement.imported_by:
        raise OwnStatement
    if statement.confirmed_at is not None or statement.replaced_at is not None:
        raise StatementConfirmed
    words = check_text("note", note, LONGEST_NOTE)
    if view.unmatched and not words:
        raise Invalid("note", "还有对不上的，请写明原因")
    if view.difference:
        raise DoesNotFollow
    statement.confirmed_by, statement.confirmed_at, statement.note = actor.user_id, now, words
    session.flush()
    notify.clear_alarms(session, kinds=(LATE,), subject=subject_of(statement.holding_id, statement.month), now=now)
    audit.record(
        session,
        "funds.confirm_statement",
        "bank_statements",
        statement.id,
        actor=actor,
        community_id=statement.community_id,
    )
    return statement


def subject_of(holding_id: int, month: date) -> str:
    """What an alarm is about."""
    return f"holdings:{holding_id}:{month:%Y-%m}"


def alarm_unreconciled(session: Session, *, now: datetime) -> list[int]:
    """Alarm every bank account whose last month should be confirmed and is not; returns their ids."""
    today = clock.today(now)
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    done = exists().where(
        BankStatement.holding_id == Holding.id, BankStatement.month == month, BankStatement.confirmed_at.is_not(None)
    )
    owing = session.scalars(
        select(Holding).where(
            Holding.kind == "bank", Holding.closed_at.is_(None), func.date(Holding.created_at) <= end_of(month), ~done
        )
    ).all()
    late = [one for one in owing if today.day > int(policies.policy(session, one.community_id, DUE_DAYS))]
    for one in late:
        notify.raise_alarm(
            session,
            kind=LATE,
            subject=subject_of(one.id, month),
            level="warning",
            community_id=one.community_id,
            facts={"month": f"{month:%Y-%m}"},
        )
    return [one.id for one in late]
