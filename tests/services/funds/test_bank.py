"""A month's statement beside the journal: matched, both ways what is missing, confirmed by another, or late."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.funds import BankMatch, Holding
from dispatch.models.notify import Alarm
from dispatch.rules.access.roles import SYSTEM, Actor, ActorKind, Scope
from dispatch.rules.funds.terms import EntryKind
from dispatch.services import funds
from dispatch.services.access import users
from dispatch.services.funds import DoesNotFollow, NewStatement, OwnStatement, StatementConfirmed
from tests.factories.funds import Treasury, give, make_treasury, put
from tests.factories.world import make_world


@pytest.fixture
def treasury(session: Session) -> Treasury:
    """A community whose bank account was counted before last month: 100 yuan."""
    made = make_treasury(session, make_world(session).community.id)
    opening = {"holding": made.bank, "happened_on": month_of(session) - timedelta(days=1)}
    put(session, made, EntryKind.OPENING, 10_000, opening)
    return made


def month_of(session: Session) -> date:
    """The first day of last month."""
    return (clock.today(clock.now(session)).replace(day=1) - timedelta(days=1)).replace(day=1)


def person(session: Session, treasury: Treasury, login: str) -> Actor:
    """A user of the community."""
    user = users.create_user(
        session, login=login, name="某", password="correct horse battery", actor=SYSTEM, now=clock.now(session)
    )
    return Actor(ActorKind.OPERATOR, user_id=user.id, scope=Scope(communities=frozenset({treasury.community_id})))


def statement(session: Session, treasury: Treasury, *rows: tuple[int, str], opening: int = 10_000) -> NewStatement:
    """Last month's file with rows of day and yuan."""
    month = month_of(session)
    lines = [f"{month.replace(day=day)},{yuan},摘要" for day, yuan in rows]
    content = "\n".join(["日期,金额,摘要", *lines]).encode("gbk")
    closing = opening + sum(round(float(yuan) * 100) for _, yuan in rows)
    return NewStatement(treasury.bank.id, month, opening, closing, content)


def test_what_is_the_same_is_found_and_what_is_missing_is_shown_both_ways(session: Session, treasury: Treasury) -> None:
    month, keeper, centre = (
        month_of(session),
        person(session, treasury, "keeper1"),
        person(session, treasury, "centre1"),
    )
    now = clock.now(session)
    matched = give(session, treasury, 500, holding=treasury.bank, happened_on=month.replace(day=3))
    absent = give(session, treasury, 700, holding=treasury.bank, happened_on=month.replace(day=9))
    taken_back = give(session, treasury, 800, holding=treasury.bank, happened_on=month.replace(day=9))
    funds.reverse(session, taken_back.id, words="重复", actor=SYSTEM, now=now)
    new = statement(session, treasury, (5, "5.00"), (20, "-1.23"))
    made = funds.import_statement(session, new, actor=keeper, now=now)
    view = funds.view_statement(session, made.id, actor=centre)
    assert [[one.id for one in line.entries] for line in view.lines] == [[matched.id], []]
    assert [one.id for one in view.missing] == [absent.id]
    assert (view.unmatched, view.unexplained, view.difference) == (2, -123 - 700, 0)
    with pytest.raises(OwnStatement):
        funds.confirm_statement(session, made.id, note="在途", actor=keeper, now=now)
    with pytest.raises(Invalid) as refused:
        funds.confirm_statement(session, made.id, actor=centre, now=now)
    assert refused.value.field == "note"
    funds.confirm_statement(session, made.id, note="在途", actor=centre, now=now)
    with pytest.raises(StatementConfirmed):
        funds.confirm_statement(session, made.id, note="在途", actor=centre, now=now)
    with pytest.raises(StatementConfirmed):
        funds.import_statement(session, new, actor=keeper, now=now)
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_another_import_replaces_an_open_one_and_what_does_not_follow_is_not_confirmed(
    session: Session, treasury: Treasury
) -> None:
    keeper, centre = person(session, treasury, "keeper1"), person(session, treasury, "centre1")
    now, month = clock.now(session), month_of(session)
    entry = give(session, treasury, 500, holding=treasury.bank, happened_on=month.replace(day=3))
    off = statement(session, treasury, (5, "5.00"), opening=9_000)
    first = funds.import_statement(session, off, actor=keeper, now=now)
    with pytest.raises(DoesNotFollow):
        funds.confirm_statement(session, first.id, actor=centre, now=now)
    right = statement(session, treasury, (5, "5.00"))
    second = funds.import_statement(session, right, actor=keeper, now=now)
    assert first.replaced_at == now
    assert session.scalars(select(BankMatch.entry_id)).all() == [entry.id]
    funds.confirm_statement(session, second.id, actor=centre, now=now)
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))


def test_a_file_that_is_not_the_month_s_is_refused_with_its_field(session: Session, treasury: Treasury) -> None:
    now, right = clock.now(session), statement(session, treasury, (5, "5.00"))
    this_month = clock.today(now).replace(day=1)
    wrong = {
        "holding_id": replace(right, holding_id=treasury.till.id),
        "month": replace(right, month=this_month),
        "closing": replace(right, closing_fen=1),
        "file": replace(right, month=(right.month - timedelta(days=1)).replace(day=1)),
    }
    for field, one in wrong.items():
        with pytest.raises(Invalid) as refused:
            funds.import_statement(session, one, actor=SYSTEM, now=now)
        assert refused.value.field == field


def test_the_database_refuses_a_pair_of_different_fen_and_a_change_of_what_was_confirmed(
    session: Session, treasury: Treasury
) -> None:
    keeper, centre = person(session, treasury, "keeper1"), person(session, treasury, "centre1")
    now, month = clock.now(session), month_of(session)
    entry = give(session, treasury, 501, holding=treasury.bank, happened_on=month.replace(day=3))
    made = funds.import_statement(session, statement(session, treasury, (5, "5.00")), actor=keeper, now=now)
    (line,) = funds.view_statement(session, made.id, actor=centre).lines
    pair = {
        "line": line.line.id,
        "community": treasury.community_id,
        "entry": entry.id,
        "holding": treasury.bank.id,
    }
    insert = text(
        "INSERT INTO bank_matches (bank_line_id, community_id, entry_id, holding_id) "
        "VALUES (:line, :community, :entry, :holding)"
    )
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    with pytest.raises(DBAPIError, match="is not its entries"), session.begin_nested():
        session.execute(insert, pair)
    funds.confirm_statement(session, made.id, note="差一分", actor=centre, now=now)
    with pytest.raises(DBAPIError, match="not its entries"), session.begin_nested():
        session.execute(insert, pair)
    with pytest.raises(DBAPIError, match="confirmed or replaced"), session.begin_nested():
        session.execute(text("UPDATE bank_statements SET note = 'x'"))


def test_a_month_that_waits_too_long_raises_an_alarm_until_it_is_confirmed(
    session: Session, treasury: Treasury
) -> None:
    keeper, centre = person(session, treasury, "keeper1"), person(session, treasury, "centre1")
    now, bank = clock.now(session), session.get_one(Holding, treasury.bank.id)
    late = now.replace(day=12)
    assert bank.id not in funds.alarm_unreconciled(session, now=late)
    next_month = (late.replace(day=28) + timedelta(days=10)).replace(day=12)
    assert bank.id not in funds.alarm_unreconciled(session, now=next_month.replace(day=9))
    assert bank.id in funds.alarm_unreconciled(session, now=next_month)
    alarms = select(Alarm.cleared_at).where(Alarm.kind == "bank_unreconciled")
    assert session.scalars(alarms).all() == [None]
    after = statement(session, treasury, (5, "5.00"))
    first = funds.import_statement(session, after, actor=keeper, now=now)
    funds.confirm_statement(session, first.id, note="差", actor=centre, now=now)
    this_month = clock.today(now).replace(day=1)
    content = f"日期,金额\n{this_month},1.00".encode()
    new = NewStatement(bank.id, this_month, first.closing_fen, first.closing_fen + 100, content)
    made = funds.import_statement(session, new, actor=keeper, now=next_month)
    funds.confirm_statement(session, made.id, note="利息", actor=centre, now=next_month)
    assert session.scalars(alarms).all() == [next_month]
