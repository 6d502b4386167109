"""The month's statement of a bank account: read in, matched, confirmed by a second person, or late."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from hashlib import sha256
from typing import Any

from sqlalchemy import Row, delete, exists, func, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.db import insert_rows
from dispatch.errors import Conflict, Invalid, NotAllowed
from dispatch.models.funds import BankLine, BankMatch, BankStatement, Holding
from dispatch.rules.access.roles import Actor
from dispatch.rules.funds.bank_csv import BankRow, read
from dispatch.rules.orders.intake import check_text
from dispatch.services import notify
from dispatch.services.access import audit, policies
from dispatch.services.access.reach import visible
from dispatch.services.funds.matching import (
    DIFFERENCE,
    MOST_SHOWN,
    StatementConfirmed,
    both_sides,
    end_of,
    find_statement,
    match_lines,
    subject_of,
    tell_difference,
)
from dispatch.services.funds.post import lock_head

LATE = "bank_unreconciled"
DUE_DAYS = "funds.reconcile_days"
LONGEST_NOTE = 500


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
    tell_difference(session, made, now=now)
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
    lock_head(session, holding.community_id)
    lines = select(BankLine.id).where(BankLine.statement_id == old.id)
    session.execute(delete(BankMatch).where(BankMatch.bank_line_id.in_(lines)))
    old.replaced_at = now
    session.flush()


def list_bank_statements(session: Session, *, actor: Actor) -> Sequence[Row[*tuple[Any, ...]]]:
    """The statements in reach that stand, newest month first, each with its account's name."""
    return session.execute(
        select(BankStatement, Holding.name)
        .join(Holding, Holding.id == BankStatement.holding_id)
        .where(visible(BankStatement, actor), BankStatement.replaced_at.is_(None))
        .order_by(BankStatement.month.desc(), BankStatement.id)
        .limit(MOST_SHOWN)
    ).all()


def confirm_statement(
    session: Session, statement_id: int, *, note: str = "", actor: Actor, now: datetime
) -> BankStatement:
    """Confirm a statement; what stands on one side only is explained by a note.

    Raises NotFound, OwnStatement for who imported it, StatementConfirmed, DoesNotFollow, Invalid.
    """
    statement = find_statement(session, statement_id, locked=True, actor=actor)
    view = both_sides(session, statement)
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
    notify.clear_alarms(
        session, kinds=(LATE, DIFFERENCE), subject=subject_of(statement.holding_id, statement.month), now=now
    )
    audit.record(
        session,
        "funds.confirm_statement",
        "bank_statements",
        statement.id,
        actor=actor,
        community_id=statement.community_id,
    )
    return statement


def alarm_unreconciled(session: Session, *, now: datetime) -> list[int]:
    """Alarm every bank account whose last month should be confirmed and is not; returns their ids.

    What of an open month stands on one side only is told anew: the journal may have changed since it was read in.
    """
    today = clock.today(now)
    month = (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    waiting = (BankStatement.month == month, BankStatement.replaced_at.is_(None), BankStatement.confirmed_at.is_(None))
    for statement in session.scalars(select(BankStatement).where(*waiting)).all():
        tell_difference(session, statement, now=now)
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
