"""The public page of the supermarket's statements: files that check out, one's own proof, nothing for the curious."""

import csv
import json
import re
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from dispatch import clock
from dispatch.gateways.limits import limiter
from dispatch.models.access import Organisation
from dispatch.models.funds import Receipt
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.funds.terms import Commodity, Owner, Purpose
from dispatch.rules.market.gifts import GiftItem
from dispatch.rules.reports.periods import bounds_of_quarter, quarter_of
from dispatch.services import funds, market, reports
from dispatch.services.market import DonorDraft
from dispatch.services.reports.disclosing import disclose
from tests.conftest import ROOT
from tests.factories.gifts import MONEY, make_office, receive, rice_of
from tests.statements import statements
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]
VERIFIER = ROOT / "docs" / "verify" / "verify.py"


@pytest.fixture(autouse=True)
def fresh_limits(desk: Desk) -> None:
    with desk.site.app.app_context():
        limiter.reset()


def publish(desk: Desk) -> tuple[int, str, str]:
    """A published quarter with three gifts: the community, a receipt's number and its secret."""
    with desk.site.database.session() as session:
        office = make_office(session)
        for _ in range(3):
            receive(session, office, MONEY, rice_of(office, 25_000))
        quarter = quarter_of(clock.now(session))
        end = bounds_of_quarter(quarter)[1].date()
        reports.disclose_quarter(session, quarter, now=datetime.combine(end + timedelta(days=1), time(4), UTC))
        receipt = session.scalars(select(Receipt).order_by(Receipt.id).limit(1)).one()
        told = receipt.community_id, funds.number_of(receipt), market.secret_of_receipt(receipt)
        session.commit()
    return told


def test_what_a_stranger_downloads_checks_out_by_the_verifier_alone(desk: Desk, tmp_path: Path) -> None:
    community, number, secret = publish(desk)
    client = desk.site.app.test_client()
    sent = {"number": number, "secret": secret}
    page = client.post(f"/disclosure/{community}/proof", data=sent).get_data(as_text=True)
    assert "您的捐赠“捐款 500.00 元”" in page
    assert secret not in page
    proof = client.post("/api/disclosures/proof", json=sent | {"community_id": community})
    assert proof.status_code == 200
    assert secret not in proof.get_data(as_text=True)
    (listed,) = client.get(f"/api/disclosures?community_id={community}").get_json()["items"]
    assert (listed["id"], listed["digest"]) == (proof.get_json()["statement"], proof.get_json()["digest"])
    about = f"/disclosure/{community}/{listed['id']}"
    for name in ("statement.json", "leaves.txt", "journal.jsonl", "statement.csv"):
        answer = client.get(f"{about}/{name}")
        assert answer.status_code == 200
        (tmp_path / name).write_bytes(answer.get_data())
    (tmp_path / "proof.json").write_text(json.dumps(proof.get_json()))

    def check(*words: str) -> int:
        command = [sys.executable, "-I", str(VERIFIER), *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode

    assert check("statement", "statement.json") == 0
    assert check("journal", "statement.json", "journal.jsonl") == 0
    assert check("leaves", "statement.json", "leaves.txt") == 0
    assert check("receipt", "statement.json", "proof.json", "--secret", secret) == 0
    assert check("receipt", "statement.json", "proof.json", "--secret", "AAAA-AAAA-AAAA") == 1


def test_no_cell_of_a_file_for_strangers_is_run_by_their_spreadsheet(desk: Desk) -> None:
    with desk.site.database.session() as session:
        office = make_office(session)
        now, about = clock.now(session), {"owner": Owner.OVERSEAS, "purposes": [Purpose.ANY], "actor": SYSTEM}
        community = office.shop.world.community.id
        for start in "=+-@":
            fund = funds.open_fund(session, community, code=f"{start}1+1", name=f"{start}cmd|x", **about, now=now)
            item = GiftItem(f"{start}1", Commodity.FEN, 500)
            receive(session, office, item, fund_id=fund.id, facility_id=None, note=f"{start}1")
        quarter = quarter_of(now)
        end = bounds_of_quarter(quarter)[1].date()
        reports.disclose_quarter(session, quarter, now=datetime.combine(end + timedelta(days=1), time(4), UTC))
        session.commit()
    client = desk.site.app.test_client()
    (listed,) = client.get(f"/api/disclosures?community_id={community}").get_json()["items"]
    strangers = client.get(f"/disclosure/{community}/{listed['id']}/statement.csv").get_data(as_text=True)
    (cells, *rows) = csv.reader(strangers.splitlines())
    assert {row[0] for row in rows} >= {"'=1+1", "'+1+1", "'-1+1", "'@1+1"}
    assert all(int(amount) >= 0 for row in rows for amount in row[cells.index("opening") :])


def test_the_page_says_what_came_and_nothing_of_anybody(desk: Desk) -> None:
    community, _, _ = publish(desk)
    page = desk.site.app.test_client().get(f"/disclosure/{community}").get_data(as_text=True)
    assert "1,500.00 元" in page
    assert "150 斤" in page
    assert "爱心基金" in page
    assert "35000多件" in page
    assert "<svg" in page


def test_a_wrong_secret_proves_nothing_and_other_communities_have_other_statements(desk: Desk) -> None:
    community, number, _ = publish(desk)
    client = desk.site.app.test_client()
    asked = {"community_id": community, "number": number, "secret": "AAAA-AAAA-AAAA"}
    assert client.post("/api/disclosures/proof", json=asked).status_code == 409
    assert client.post("/api/disclosures/proof", json=asked | {"community_id": 10**9}).status_code == 409
    wrong = client.post(f"/disclosure/{community}/proof", data={"number": number, "secret": "AAAA-AAAA-AAAA"})
    assert wrong.status_code == 404
    assert client.get(f"/disclosure/{desk.world.community.id}").status_code == 200
    assert client.get(f"/disclosure/{community}/999999/statement.json").status_code == 404
    assert client.get(f"/disclosure/{community}?statement=999999").status_code == 404


def test_a_wrong_number_and_a_wrong_secret_are_one_answer_at_every_door(desk: Desk) -> None:
    site = desk.site
    with site.database.session() as session:
        office = make_office(session)
        gifts, abroad = [receive(session, office) for _ in range(2)], receive(session, make_office(session))
        rows = market.receipts_of_gifts(session, [gifts[0].id, gifts[1].id, abroad.id])
        (mine,), (neighbour,), (elsewhere,) = rows.values()
        session.commit()
    community, stranger = office.shop.world.community.id, site.app.test_client()
    wrong = (
        (mine.number, "AAAA-AAAA-AAAA"),
        (mine.number, neighbour.secret),
        ("2026-999999", mine.secret),
        (elsewhere.number, elsewhere.secret),
        (mine.number, ""),
    )
    for door in (f"/give/{community}/receipt", f"/disclosure/{community}/proof", "/api/disclosures/proof"):
        answers = set()
        for number, secret in wrong:
            said = {"number": number, "secret": secret}
            sent = {"json": said | {"community_id": community}} if door.startswith("/api") else {"data": said}
            with statements(site.database.engine) as queries:
                got = stranger.post(door, **sent)
            told = re.sub(r"20\d\d-\d{6}|request_id\W+[\w-]+", "", got.get_data(as_text=True))
            answers.add((got.status_code, told, len(queries)))
        ((status, told, asked),) = answers
        assert asked > 1
        assert status in {404, 409}
        assert told.count("收据编号或查询码不对") >= 1


def test_the_single_gifts_are_paged_and_name_only_who_consents(desk: Desk) -> None:
    with desk.site.database.session() as session:
        office = make_office(session)
        community, now = office.shop.world.community.id, clock.now(session)
        donors = [
            market.add_donor(session, community, DonorDraft(name, is_named=named), actor=office.clerk, now=now)
            for name, named in (("陈桂花", True), ("不愿留名者", False), ("林建国", True))
        ]
        for donor, named in zip(donors, (True, True, False), strict=True):
            receive(session, office, donor_id=donor.id, is_named=named)
        for _ in range(reports.GIFTS_AT_ONCE):
            receive(session, office, MONEY)
        quarter = quarter_of(now)
        end = bounds_of_quarter(quarter)[1].date()
        reports.disclose_quarter(session, quarter, now=datetime.combine(end + timedelta(days=1), time(4), UTC))
        session.commit()
    client = desk.site.app.test_client()
    first = client.get(f"/disclosure/{community}").get_data(as_text=True)
    assert [name in first for name in ("陈桂花", "不愿留名者", "林建国", "下一页")] == [True, False, False, True]
    assert first.count("<td>爱心人士</td>") == reports.GIFTS_AT_ONCE - 1
    second = client.get(f"/disclosure/{community}?from={reports.GIFTS_AT_ONCE}").get_data(as_text=True)
    assert (second.count("<td>爱心人士</td>"), "下一页" in second, "第一页" in second) == (3, False, True)
    assert client.get(f"/disclosure/{community}?from=%C2%B2").status_code == 200
    with desk.site.database.session() as session:
        market.set_named(session, donors[0].id, is_named=False, actor=office.clerk)
        session.commit()
    assert "陈桂花" not in client.get(f"/disclosure/{community}").get_data(as_text=True)
    with desk.site.database.session() as session:
        days = (end - timedelta(days=5), end - timedelta(days=1))
        later = datetime.combine(end + timedelta(days=1), time(5), UTC)
        disclose(session, session.get_one(Organisation, community), *days, now=later)
        ids = [one.id for one in reports.list_disclosures(session, community)]
        session.commit()
    listed = client.get(f"/api/disclosures?community_id={community}").get_json()["items"]
    between = {"from": days[0].isoformat(), "until": days[1].isoformat()}
    assert [one["shared"] for one in listed] == [[between | {"id": other}] for other in reversed(ids)]
    for one in ids:
        page = client.get(f"/disclosure/{community}?statement={one}").get_data(as_text=True)
        assert "请不要相加" in page
        assert f"{days[0].isoformat()} – {days[1].isoformat()}</span></a>" in page
