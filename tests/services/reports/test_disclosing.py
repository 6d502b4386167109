"""Statements of the supermarket: replayed, published once, corrected openly, checked by the stand-alone verifier."""

import json
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from hashlib import sha256
from itertools import groupby
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.clock import set_clock
from dispatch.models.access import Organisation
from dispatch.models.funds import Receipt
from dispatch.models.notify import Alarm
from dispatch.models.reports import Disclosure
from dispatch.rules.access.chain import canonical
from dispatch.rules.access.roles import EVERYTHING, SYSTEM
from dispatch.rules.funds.record import RecordedLine, line_of
from dispatch.rules.market.gifts import ReceiptUnknown
from dispatch.rules.reports.periods import quarter_of
from dispatch.services import funds, market, reports
from dispatch.services.access import policies
from dispatch.services.care import vouchers
from dispatch.services.funds.verify import JOURNAL, recorded
from dispatch.services.reports.disclosing import days_of_quarter, disclose
from dispatch.services.reports.disclosing.body import said_of
from dispatch.transaction import transaction
from tests.conftest import ROOT, Database
from tests.factories.gifts import MONEY, Office, make_office, receive, rice_of
from tests.factories.vouchers import code_of, grant, make_purses, taking

VERIFIER = ROOT / "docs" / "verify" / "verify.py"


@pytest.fixture
def office(session: Session) -> Office:
    return make_office(session)


def after(session: Session, days: int = 1) -> datetime:
    """An instant so many days after the end of this quarter."""
    _, last = days_of_quarter(quarter_of(clock.now(session)))
    return datetime.combine(last + timedelta(days=days), time(4), UTC)


def published(session: Session, days: int = 1) -> list[Disclosure]:
    """The versions of this quarter's statement, made now."""
    reports.disclose_quarter(session, quarter_of(clock.now(session)), now=after(session, days))
    return list(session.scalars(select(Disclosure).order_by(Disclosure.version)))


def check(folder: Path, what: str, *files: object, secret: str = "") -> int:
    """What the verifier says of files that were written down as anybody gets them."""
    names = []
    for number, content in enumerate(files):
        path = folder / f"{number}.txt"
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
        names.append(str(path))
    command = [sys.executable, "-I", str(VERIFIER), what, *names, "--secret", secret]
    return subprocess.run(command, capture_output=True, check=False).returncode


def out(made: Disclosure) -> dict[str, object]:
    """A statement as it is downloaded."""
    return {"body": made.body, "digest": made.digest.hex()}


def test_a_quarter_says_what_came_and_is_published_once(session: Session, office: Office) -> None:
    receive(session, office, MONEY, rice_of(office, 25_000))
    (made,) = published(session)
    assert published(session) == [made]
    rows = {row["commodity"]: (row["opening"], row["received"], row["closing"]) for row in made.body["funds"]}
    assert rows == {"fen": (0, {"gift": 50_000}, 50_000), "gram": (0, {"gift": 25_000}, 25_000)}
    assert (made.version, made.note, made.leaf_count) == (1, "", 2)
    assert made.body["beneficiaries_in_all"] == {"persons": 0, "households": 0}


def test_who_had_something_done_for_a_voucher_was_reached_and_few_of_them_are_hidden(session: Session) -> None:
    purses, now = make_purses(session, people=4), clock.now(session)
    takes = [taking(session, purses.firms[0], code_of(session, purses, one)) for one in grant(session, purses)]

    def told() -> dict[str, object]:
        community = session.get_one(Organisation, purses.world.community.id)
        body = said_of(session, community, *days_of_quarter(quarter_of(now))).body
        found: dict[str, object] = body["beneficiaries"]
        return found

    takes[0](1_000), takes[1](1_000)
    assert [told()[one] for one in ("voucher", "party_care", "running")] == [None] * 3
    gone = [take(1_000) for take in takes][2]
    four = told()["voucher"]
    assert four == {"persons": 4, "households": len({one.household_id for one in purses.elders} - {None})}
    asked = vouchers.ask_refund(session, gone.id, words="没有做", actor=purses.welfare, now=now)
    vouchers.approve_refund(session, asked.id, actor=purses.centre, now=now)
    assert told()["voucher"] != four


def test_a_stranger_checks_the_statement_and_a_donor_the_own_line(
    session: Session, office: Office, tmp_path: Path
) -> None:
    for _ in range(3):
        receive(session, office, MONEY, rice_of(office, 25_000))
    (made,) = published(session)
    leaves = "".join(f"{leaf.hex()}\n" for leaf in reports.leaves_kept(session, made.id))
    assert check(tmp_path, "statement", out(made)) == 0
    assert check(tmp_path, "leaves", out(made), leaves) == 0
    assert check(tmp_path, "leaves", out(made), leaves[65:]) == 1
    assert check(tmp_path, "statement", out(made) | {"body": made.body | {"until": "2020-01-01"}}) == 1
    for receipt in session.scalars(select(Receipt)).all():
        secret = market.secret_of_receipt(receipt)
        proof = reports.proof_for(session, receipt.community_id, funds.number_of(receipt), secret)
        assert proof is not None
        line = {"amount": proof.line.amount, "commodity": proof.line.commodity, "receipt": proof.line.receipt}
        sent = {
            "line": line | {"day": proof.line.day.isoformat()},
            "position": proof.position,
            "beside": [one.hex() for one in proof.beside],
        }
        assert check(tmp_path, "receipt", out(made), sent, secret=secret) == 0
        assert check(tmp_path, "receipt", out(made), sent, secret="AAAA-AAAA-AAAA") == 1
        with pytest.raises(ReceiptUnknown):
            reports.proof_for(session, receipt.community_id, funds.number_of(receipt), "AAAA-AAAA-AAAA")


def test_the_next_quarter_opens_with_what_this_one_closed_with(
    session: Session, office: Office, tmp_path: Path
) -> None:
    receive(session, office)
    (made,) = published(session)
    following = quarter_of(after(session))
    reports.disclose_quarter(session, following, now=after(session, 100))
    later = session.scalars(select(Disclosure).where(Disclosure.id != made.id)).one()
    assert [row["opening"] for row in later.body["funds"]] == [50_000]
    assert check(tmp_path, "follows", out(made), out(later)) == 0


def test_what_was_published_is_corrected_by_a_version_with_a_note_and_never_changed(
    session: Session, office: Office
) -> None:
    receive(session, office)
    published(session)
    receive(session, office)
    first, second = published(session)
    assert (first.leaf_count, second.leaf_count, second.version, second.note) == (
        1,
        2,
        2,
        "按最新记录更正：收支、捐赠明细、账册摘要",
    )
    for statement in ("UPDATE disclosures SET note = 'x'", "DELETE FROM disclosures", "DELETE FROM disclosure_leaves"):
        with pytest.raises(DBAPIError), session.begin_nested():
            session.execute(text(statement))


def test_a_period_that_is_not_over_cannot_be_published(session: Session, office: Office) -> None:
    receive(session, office)
    community, today = session.get_one(Organisation, office.shop.world.community.id), office.shop.today
    with pytest.raises(DBAPIError), session.begin_nested():
        disclose(session, community, today, today, now=clock.now(session))


def test_a_late_statement_is_alarmed_and_stands_with_a_notice(session: Session, office: Office) -> None:
    receive(session, office)
    assert reports.alarm_late_disclosures(session, now=after(session, 10)) == []
    assert reports.alarm_late_disclosures(session, now=after(session, 20)) == [office.shop.world.community.id]
    published(session, 20)
    alarms = session.scalars(select(Alarm).where(Alarm.kind == "disclosure_late").order_by(Alarm.id)).all()
    assert [(alarm.level, alarm.cleared_at is None) for alarm in alarms] == [("warning", False), ("notice", True)]


def test_while_an_emergency_is_declared_five_finished_days_are_published_once(session: Session, office: Office) -> None:
    receive(session, office)
    community_id, now = office.shop.world.community.id, clock.now(session)
    about = {"key": "disclosure.emergency", "value": True, "reason": "台风"}
    policies.set_policy(session, community_id, **about, actor=SYSTEM, now=now)  # type: ignore[arg-type]
    later = now + timedelta(days=20)
    assert reports.disclose_emergencies(session, now=later) == 1
    assert reports.disclose_emergencies(session, now=later) == 0
    (made,) = session.scalars(select(Disclosure)).all()
    assert (made.last_day - made.first_day).days == 4
    assert clock.today(later) - timedelta(days=5) <= made.last_day < clock.today(later)


def test_an_auditor_replays_the_journal_to_the_head_that_the_statement_names(
    session: Session, office: Office, tmp_path: Path
) -> None:
    receive(session, office, MONEY, rice_of(office, 25_000))
    (made,) = published(session)
    entries = []
    for _, rows in groupby(session.execute(JOURNAL).all(), key=lambda row: row.seq):
        found = list(rows)
        names = ("account_id", "fund_id", "owner", "earmark_id", "commodity", "holding_id", "amount")
        lines = tuple(RecordedLine(*(getattr(row, name) for name in names)) for row in found)
        entries.append(line_of(recorded(found[0], lines)))
    chain = "".join(f"{json.dumps(entry, ensure_ascii=False)}\n" for entry in entries)
    assert check(tmp_path, "chain", chain, out(made)) == 0
    assert check(tmp_path, "chain", chain.replace("50000", "50001"), out(made)) == 1


def test_without_an_emergency_nothing_is_published_between_the_quarters(session: Session, office: Office) -> None:
    receive(session, office)
    assert reports.disclose_emergencies(session, now=clock.now(session) + timedelta(days=20)) == 0
    assert days_of_quarter("2026-Q4") == (date(2026, 10, 1), date(2026, 12, 31))


def test_a_gift_that_is_taken_back_later_makes_a_version_that_says_so_and_keeps_the_closed_quarter_s_sums(
    committed: Database, tmp_path: Path
) -> None:
    closing, opening = (datetime(*day, 4, tzinfo=UTC) for day in ((2026, 12, 30), (2027, 1, 5)))
    set_clock(committed.owner_url, closing, rate=0)
    with transaction(EVERYTHING) as session:
        office = make_office(session)
        receive(session, office)
        kept = receive(session, office)
    set_clock(committed.owner_url, opening, rate=0)
    with transaction(EVERYTHING) as session:
        assert [reports.disclose_quarter(session, "2026-Q4", now=opening) for _ in range(2)] == [1, 0]
    with transaction(EVERYTHING) as session:
        ((line, _),) = market.lines_of_gifts(session, [kept.id])[kept.id]
        market.reverse_line(session, line.id, reason="记重了", actor=office.shop.approver, now=opening)
    april = datetime(2027, 4, 2, 4, tzinfo=UTC)
    set_clock(committed.owner_url, april, rate=0)
    with transaction(EVERYTHING) as session:
        assert [reports.disclose_quarter(session, "2026-Q4", now=opening) for _ in range(2)] == [1, 0]
        assert reports.disclose_quarter(session, "2027-Q1", now=april) == 1
        first, second, following = session.scalars(select(Disclosure).order_by(Disclosure.id)).all()
        assert (second.version, second.note) == (2, "按最新记录更正：本期有记录后来被冲正（记在冲正当日）")
        assert first.body["funds"] == second.body["funds"]
        assert first.root == second.root
        assert following.body["funds"][0]["received"] == {"gift": -50_000}
        for earlier in (first, second):
            assert check(tmp_path, "follows", out(earlier), out(following)) == 0
        forged = out(following)
        forged["body"] = following.body | {"journal": following.body["journal"] | {"before": {"seq": 1, "digest": ""}}}
        forged["digest"] = sha256(canonical(forged["body"])).hexdigest()
        assert check(tmp_path, "follows", out(second), forged) == 1
