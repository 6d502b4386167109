"""Lines of the bank and entries: matched by hand and undone, alarmed, and few rows read of a long journal."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.access import AuditEntry, Organisation
from dispatch.models.funds import BankOpenEntry, Entry
from dispatch.models.notify import Alarm
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.funds.terms import EntryKind
from dispatch.services import funds
from dispatch.services.funds import JournalPage, MatchedAlready, NotMatched, StatementConfirmed
from tests.factories.funds import Treasury, give, put
from tests.factories.market import settle
from tests.factories.world import set_policies
from tests.services.funds.conftest import Ground
from tests.services.funds.test_bank import month_of, person, statement, treasury

__all__ = ["treasury"]
ENTRIES = 5_000
MOST_ROWS = 200
ALARMS = select(Alarm.facts).where(Alarm.kind == "bank_difference", Alarm.cleared_at.is_(None))


def test_a_line_is_said_to_be_several_entries_and_what_is_left_is_alarmed_until_nothing_is(
    session: Session, treasury: Treasury
) -> None:
    now, month = clock.now(session), month_of(session)
    keeper, centre = person(session, treasury, "keeper1"), person(session, treasury, "centre1")
    one, two, other = (
        give(session, treasury, fen, holding=treasury.bank, happened_on=month.replace(day=3)) for fen in (300, 200, 901)
    )
    made = funds.import_statement(
        session, statement(session, treasury, (5, "5.00"), (6, "9.00")), actor=keeper, now=now
    )
    first, second = (each.line.id for each in funds.view_statement(session, made.id, actor=keeper).lines)
    assert session.scalars(ALARMS).one() == {"month": f"{month:%Y-%m}", "count": 5, "fen": 1_400 - 1_401}
    for wrong in ([], [one.id], [one.id, two.id, other.id], [one.id, 0]):
        with pytest.raises(Invalid) as refused:
            funds.match_entries(session, first, wrong, actor=keeper, now=now)
        assert refused.value.field == "entry_ids"
    funds.match_entries(session, first, [two.id, one.id], actor=keeper, now=now)
    with pytest.raises(MatchedAlready):
        funds.match_entries(session, first, [other.id], actor=keeper, now=now)
    view = funds.view_statement(session, made.id, actor=keeper)
    assert [([row.id for row in line.entries], line.by_hand) for line in view.lines] == [
        ([one.id, two.id], True),
        ([], False),
    ]
    assert (view.of_bank.fen, view.of_journal.fen, view.unexplained) == (900, 901, -1)
    assert session.scalars(ALARMS).one()["fen"] == -1
    funds.reverse(session, other.id, words="写错", actor=SYSTEM, now=now)
    right = give(session, treasury, 900, holding=treasury.bank, happened_on=month.replace(day=6))
    funds.match_entries(session, second, [right.id], actor=keeper, now=now)
    assert session.scalars(ALARMS).all() == []
    funds.confirm_statement(session, made.id, actor=centre, now=now)
    with pytest.raises(StatementConfirmed):
        funds.undo_match(session, first, reason="不是这两笔", actor=keeper, now=now)
    settle(session)


def test_a_match_is_undone_with_a_reason_that_is_kept_and_what_was_confirmed_finds_its_entry_later(
    session: Session, treasury: Treasury
) -> None:
    now, month = clock.now(session), month_of(session)
    keeper, centre = person(session, treasury, "keeper1"), person(session, treasury, "centre1")
    gift = give(session, treasury, 500, holding=treasury.bank, happened_on=month.replace(day=3))
    made = funds.import_statement(
        session, statement(session, treasury, (5, "5.00"), (9, "-1.00")), actor=keeper, now=now
    )
    first, second = (each.line.id for each in funds.view_statement(session, made.id, actor=keeper).lines)
    with pytest.raises(Invalid) as refused:
        funds.undo_match(session, first, reason=" ", actor=keeper, now=now)
    assert refused.value.field == "reason"
    with pytest.raises(NotMatched):
        funds.undo_match(session, second, reason="不是", actor=keeper, now=now)
    funds.undo_match(session, first, reason="是另一家的汇款", actor=keeper, now=now)
    told = select(AuditEntry.purpose).where(AuditEntry.action == "funds.undo_match")
    assert session.scalars(told).all() == ["是另一家的汇款"]
    assert [one.id for one in funds.view_statement(session, made.id, actor=keeper).missing] == [gift.id]
    funds.match_entries(session, first, [gift.id], actor=keeper, now=now)
    funds.confirm_statement(session, made.id, note="手续费待补记", actor=centre, now=now)
    settle(session)
    with pytest.raises(DBAPIError, match="is confirmed"), session.begin_nested():
        session.execute(text("DELETE FROM bank_matches"))
    fee = put(session, treasury, EntryKind.GIVEN_BACK, -100, {"holding": treasury.bank, "happened_on": month})
    funds.match_entries(session, second, [fee.id], actor=keeper, now=now)
    assert funds.view_statement(session, made.id, actor=keeper).unmatched == 0
    settle(session)


STEPS = st.lists(st.tuples(st.sampled_from(["give", "reverse", "match", "undo"]), st.integers(0, 5)), max_size=14)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_is_done_in_which_order_the_open_entries_are_those_without_a_line(
    session: Session, treasury: Treasury, steps: list[tuple[str, int]]
) -> None:
    """What an entry is without: a line, and an entry that took it back before it had one."""
    with session.begin_nested() as nested:
        now, month = clock.now(session), month_of(session)
        rows = [(day, "1.00") for day in range(5, 9)] + [(day, "-1.00") for day in range(9, 11)]
        made = funds.import_statement(session, statement(session, treasury, *rows), actor=SYSTEM, now=now)
        lines = [one.line for one in funds.view_statement(session, made.id, actor=SYSTEM).lines]
        gifts: list[int] = []
        for deed, place in steps:
            step(session, treasury, deed, place, gifts=gifts, lines=[one.id for one in lines], month=month)
        view = funds.view_statement(session, made.id, actor=SYSTEM)
        matched = {row.id: row.fen for line in view.lines for row in line.entries}
        assert all(sum(row.fen for row in line.entries) == line.line.amount_fen for line in view.lines if line.entries)
        entries = session.scalars(select(Entry).where(Entry.kind != EntryKind.OPENING)).all()
        undone = {one.reverses_id: one.id for one in entries if one.reverses_id}
        pairs = {one for pair in undone.items() for one in pair if not set(pair) & matched.keys()}
        of_month = {one.id for one in entries if one.happened_on < (month + timedelta(days=31)).replace(day=1)}
        assert {one.id for one in view.missing} == of_month - matched.keys() - pairs
        still_open = set(session.scalars(select(BankOpenEntry.entry_id)))
        assert still_open - pairs == {one.id for one in entries} - matched.keys() - pairs
        assert view.of_journal.count == len(view.missing)
        settle(session)
        nested.rollback()


def step(session: Session, treasury: Treasury, deed: str, place: int, **about: Any) -> None:
    """Do one of the deeds, where it can be done."""
    now, gifts, line = clock.now(session), about["gifts"], about["lines"][place]
    open_now = session.scalars(select(BankOpenEntry.entry_id).order_by(BankOpenEntry.entry_id)).all()
    try:
        if deed == "give":
            gifts.append(give(session, treasury, 100, holding=treasury.bank, happened_on=about["month"]).id)
        elif deed == "reverse" and place < len(gifts):
            funds.reverse(session, gifts[place], words="写错", actor=SYSTEM, now=now)
        elif deed == "match":
            funds.match_entries(session, line, open_now[place : place + 1], actor=SYSTEM, now=now)
        elif deed == "undo":
            funds.undo_match(session, line, reason="不是", actor=SYSTEM, now=now)
    except (Invalid, MatchedAlready, NotMatched, funds.AlreadyReversed):
        return


def test_a_statement_reads_few_rows_of_a_long_journal(ground: Ground) -> None:
    session, treasury = ground.session, ground.treasury
    fill(ground)
    month = month_of(session)
    give(session, treasury, 500, holding=treasury.bank, happened_on=month)
    content = f"日期,金额\n{month},5.00".encode()
    new = funds.NewStatement(treasury.bank.id, month, 0, 500, content)
    set_policies(session, session.get_one(Organisation, treasury.community_id))
    made = funds.import_statement(session, new, actor=SYSTEM, now=clock.now(session))
    reads_few(session, lambda: funds.view_statement(session, made.id, actor=SYSTEM))


def test_a_page_of_the_journal_reads_few_rows_however_it_is_narrowed(ground: Ground) -> None:
    session, treasury = ground.session, ground.treasury
    fill(ground)
    today = clock.today(clock.now(session))
    for which in (
        JournalPage(),
        JournalPage(fund_id=treasury.general.id),
        JournalPage(first=today, last=today),
        JournalPage(fund_id=treasury.general.id, last=today - timedelta(days=1)),
        JournalPage(origin="funds.form", origin_id=7),
    ):
        reads_few(session, lambda which=which: funds.list_entries(session, which, actor=SYSTEM, before=None, limit=20))


def reads_few(session: Session, ask: Callable[[], object]) -> None:
    """No statement of a question touches more than some rows."""
    asked: list[tuple[str, Any]] = []
    connection = session.connection()

    def note(_c: object, _cursor: object, statement: str, parameters: object, _x: object, _many: object) -> None:
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    ask()
    event.remove(connection, "before_cursor_execute", note)
    assert asked
    for sql, parameters in asked:
        answer = connection.exec_driver_sql(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}", parameters).scalar_one()
        plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
        assert max(rows_read(node) for node in nodes(plan)) <= MOST_ROWS, sql


def fill(ground: Ground) -> None:
    """Thousands of entries at the bank that all have their line."""
    session, treasury = ground.session, ground.treasury
    first = give(session, treasury, 1, holding=treasury.bank)
    about = {"first": first.id, "community": treasury.community_id, "many": ENTRIES}
    session.execute(
        text(
            "INSERT INTO entries (community_id, seq, previous, digest, kind, posted_on, posted_at, happened_on,"
            " line_count) SELECT community_id, seq + place,"
            " CASE place WHEN 1 THEN digest ELSE sha256(int8send(place - 1)) END, sha256(int8send(place)),"
            " kind, posted_on, posted_at, happened_on - 70, line_count"
            " FROM entries, generate_series(1, cast(:many AS bigint)) AS place WHERE id = :first ORDER BY place"
        ),
        about,
    )
    session.execute(
        text(
            "INSERT INTO entry_lines (entry_id, account_id, community_id, amount) SELECT entries.id, account_id,"
            " entries.community_id, amount FROM entries, entry_lines WHERE entries.id > :first"
            " AND entries.community_id = :community AND entry_lines.entry_id = :first"
        ),
        about,
    )
    assert session.scalar(text("SELECT count(*) FROM bank_open_entries")) == ENTRIES + 1
    session.execute(text("DELETE FROM bank_open_entries"))
    session.execute(text("ANALYZE entries, entry_lines, bank_open_entries, accounts"))


def nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    """A plan's node and all below it."""
    return [plan, *(node for below in plan.get("Plans", []) for node in nodes(below))]


def rows_read(node: dict[str, Any]) -> float:
    """The rows that a node gave or threw away."""
    return float((node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"])
