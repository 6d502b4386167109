"""The public page of the supermarket's statements: files that check out, one's own proof, nothing for the curious."""

import json
import subprocess
import sys
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from dispatch import clock
from dispatch.gateways.limits import limiter
from dispatch.models.funds import Receipt
from dispatch.rules.reports.periods import bounds_of_quarter, quarter_of
from dispatch.services import funds, market, reports
from tests.conftest import ROOT
from tests.factories.gifts import MONEY, make_office, receive, rice_of
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
    proof = client.post(f"/disclosure/{community}/proof", data=sent)
    assert proof.status_code == 200
    assert secret not in proof.get_data(as_text=True)
    about = f"/disclosure/{community}/{proof.get_json()['statement']}"
    for name in ("statement.json", "leaves.txt", "statement.csv"):
        answer = client.get(f"{about}/{name}")
        assert answer.status_code == 200
        (tmp_path / name).write_bytes(answer.get_data())
    (tmp_path / "proof.json").write_text(json.dumps(proof.get_json()))

    def check(*words: str) -> int:
        command = [sys.executable, "-I", str(VERIFIER), *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode

    assert check("statement", "statement.json") == 0
    assert check("leaves", "statement.json", "leaves.txt") == 0
    assert check("receipt", "statement.json", "proof.json", "--secret", secret) == 0
    assert check("receipt", "statement.json", "proof.json", "--secret", "AAAA-AAAA-AAAA") == 1


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
    wrong = client.post(f"/disclosure/{community}/proof", data={"number": number, "secret": "AAAA-AAAA-AAAA"})
    assert wrong.status_code == 404
    assert client.get(f"/disclosure/{desk.world.community.id}").status_code == 200
    assert client.get(f"/disclosure/{community}/999999/statement.json").status_code == 404
    assert client.get(f"/disclosure/{community}?statement=999999").status_code == 404
