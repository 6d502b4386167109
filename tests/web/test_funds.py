"""The pages of the funds: booking once per form, spending what is not there, reversing, receipts, cursor paging."""

import re
from datetime import date
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from dispatch.models.funds import Entry, Receipt
from dispatch.rules.access.roles import Role
from dispatch.web.funds import ROWS
from tests.factories.funds import Treasury, give, make_treasury
from tests.statements import statements
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]
SCRIPT = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{7*7}}"""


@pytest.fixture
def treasury(desk: Desk) -> Treasury:
    """The desk's community with its funds."""
    with desk.site.database.session() as session:
        made = make_treasury(session, desk.world.community.id)
        session.commit()
        return made


def typed(treasury: Treasury, **changes: str) -> dict[str, str]:
    """A gift of 12.30 yuan into the till."""
    return {
        "kind": "gift",
        "fund_id": str(treasury.general.id),
        "holding_id": str(treasury.till.id),
        "amount": "12.30",
        "form_key": "77",
    } | changes


def entries(desk: Desk) -> int:
    """How many entries there are."""
    with desk.site.database.session() as session:
        return session.scalars(select(func.count(Entry.id))).one()


def page(client: FlaskClient, address: str) -> str:
    """A page that opens."""
    answer = client.get(address)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return answer.get_data(as_text=True)


def test_before_anything_is_booked_the_pages_say_what_to_do(desk: Desk) -> None:
    client = desk.client(Role.ACCOUNTANT)
    assert "由中心先设立基金" in page(client, "/funds")
    assert "记一笔" in page(client, "/funds/book")


def test_one_form_is_one_entry_with_its_receipt_however_often_it_is_sent(desk: Desk, treasury: Treasury) -> None:
    client = desk.client(Role.ACCOUNTANT)
    form = typed(treasury, with_receipt="1", received_from=SCRIPT[:60], words=SCRIPT)
    first, again = (client.post("/funds/book", data=form) for _ in range(2))
    assert (first.status_code, first.location) == (303, again.location)
    assert entries(desk) == 1
    shown = page(client, first.location)
    assert "12.30 元" in shown
    assert "<script>alert" not in shown
    assert "12.30 元" in page(client, "/funds")
    receipt = page(client, re.search(r"/funds/receipts/\d+", shown)[0])  # type: ignore[index]
    assert re.search(r"<h1>捐赠收据 <span class=\"number\">\d{4}-000001<", receipt)
    assert "<script>alert" not in receipt


def test_what_is_not_there_is_not_spent_and_what_was_typed_stays(desk: Desk, treasury: Treasury) -> None:
    client = desk.client(Role.ACCOUNTANT)
    client.post("/funds/book", data=typed(treasury))
    spending = typed(treasury, kind="spend", amount="12.31", purpose="relief", form_key="78", words="买米")
    answer = client.post("/funds/book", data=spending)
    told = answer.get_data(as_text=True)
    assert (answer.status_code, entries(desk)) == (422, 1)
    assert 'id="amount-error"' in told
    assert "只有 12.30 元，不够这一笔的 12.31 元" in told
    assert 'value="买米"' in told
    answer = client.post("/funds/book", data=spending | {"fund_id": str(treasury.overseas.id), "purpose": "running"})
    assert 'id="purpose-error"' in answer.get_data(as_text=True)
    assert client.post("/funds/book", data=spending | {"amount": "12.30"}).status_code == 303


def test_spending_above_the_amount_waits_for_another_person(desk: Desk, treasury: Treasury) -> None:
    client, centre = desk.client(Role.ACCOUNTANT), desk.client(Role.CENTRE)
    client.post("/funds/book", data=typed(treasury, amount="5000"))
    spending = typed(treasury, kind="spend", purpose="running", amount="2000.01", form_key="78", words="买米")
    first, again = (client.post("/funds/book", data=spending) for _ in range(2))
    assert (first.status_code, first.location, entries(desk)) == (303, again.location, 1)
    assert "等待另一位审批" in page(client, first.location)
    assert client.post(f"{first.location}/approve").status_code == 403
    assert "买米" in page(centre, "/funds/spendings")
    assert "2,000.01 元 的支出申请等待审批" in page(centre, "/alarms")
    assert 'id="reason-error"' in centre.post(f"{first.location}/refuse", data={}).get_data(as_text=True)
    assert centre.post(f"{first.location}/approve").status_code == 303
    assert centre.post(f"{first.location}/refuse", data={"reason": "x"}).status_code == 409
    assert "已批准入账" in page(client, first.location)
    assert entries(desk) == 2
    second = client.post("/funds/book", data=spending | {"form_key": "79"}).location
    centre.post(f"{second}/refuse", data={"reason": SCRIPT})
    shown = page(client, second)
    assert ("没有批准" in shown, "<script>alert" in shown, entries(desk)) == (True, False, 2)


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("kind", {"kind": "hand_out"}),
        ("amount", {"amount": "1e9"}),
        ("amount", {"amount": "0.001"}),
        ("amount", {"amount": "-1"}),
        ("fund_id", {"fund_id": "999999"}),
        ("holding_id", {"holding_id": "999999"}),
        ("to_holding_id", {"kind": "transfer"}),
        ("purpose", {"kind": "spend"}),
        ("happened_on", {"happened_on": "2999-01-01"}),
        ("rate_on", {"currency": "USD", "foreign_amount": "1", "rate": "7.1", "amount": ""}),
        ("foreign_amount", {"currency": "JPY", "foreign_amount": "1.5", "rate": "0.05", "rate_on": "2026-01-01"}),
    ],
)
def test_what_is_wrong_is_named_at_its_field(
    desk: Desk, treasury: Treasury, field: str, changes: dict[str, str]
) -> None:
    answer = desk.client(Role.ACCOUNTANT).post("/funds/book", data=typed(treasury, **changes))
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.get_data(as_text=True)


def test_money_of_abroad_is_converted_and_shown(desk: Desk, treasury: Treasury) -> None:
    client = desk.client(Role.ACCOUNTANT)
    abroad = {"currency": "USD", "foreign_amount": "100", "rate": "7.1234", "rate_on": "2026-01-05", "amount": ""}
    answer = client.post("/funds/book", data=typed(treasury, fund_id=str(treasury.overseas.id), **abroad))
    shown = page(client, answer.location)
    assert "712.34 元" in shown
    assert "USD 100.0 × 7.1234" in shown


def test_one_s_own_mistake_is_reversed_when_another_approves_and_its_receipt_is_void(
    desk: Desk, treasury: Treasury
) -> None:
    client, centre = desk.client(Role.ACCOUNTANT), desk.client(Role.CENTRE)
    entry = client.post("/funds/book", data=typed(treasury, with_receipt="1")).location
    assert client.post(f"{entry}/reverse", data={"words": " "}).status_code == 422
    assert client.post(f"{entry}/reverse", data={"words": "重复登记"}).status_code == 303
    assert client.post(f"{entry}/reverse", data={"words": "重复登记"}).status_code == 409
    shown = page(client, entry)
    assert ("已申请冲正，等待另一位审批" in shown, "冲正这一笔" in shown, entries(desk)) == (True, False, 1)
    asked = re.search(r"/funds/spendings/\d+", shown)[0]  # type: ignore[index]
    assert "重复登记" in page(centre, "/funds/spendings")
    assert "冲正申请等待审批" in page(centre, "/alarms")
    assert client.post(f"{asked}/approve").status_code == 403
    assert centre.post(f"{asked}/approve").status_code == 303
    assert (client.post(f"{entry}/reverse", data={"words": "重复登记"}).status_code, entries(desk)) == (409, 2)
    assert "已作废" in page(client, entry)
    with desk.site.database.session() as session:
        assert session.scalars(select(Receipt.void_reason)).all() == ["这一笔已冲正"]


def test_who_reads_does_not_book(desk: Desk, treasury: Treasury) -> None:
    client = desk.client(Role.CENTRE)
    assert "记一笔" not in page(client, "/funds")
    assert client.post("/funds/book", data=typed(treasury)).status_code == 403
    assert desk.client(Role.OPERATOR).get("/funds").status_code == 403


def test_pages_follow_each_other_by_cursor_and_ask_no_more_with_more_rows(desk: Desk, treasury: Treasury) -> None:
    client, counts = desk.client(Role.ACCOUNTANT), []
    page(client, "/funds")
    for size in (2, ROWS):
        with desk.site.database.session() as session:
            for _ in range(size):
                give(session, treasury, 1)
            session.commit()
        for address in ("/funds", f"/funds/{treasury.general.id}"):
            with statements(desk.site.database.engine) as sent:
                page(client, address)
            counts.append(len(sent))
    assert counts[:2] == counts[2:]
    for address in ("/funds", f"/funds/{treasury.general.id}"):
        seen: list[str] = []
        following: str | None = address
        while following:
            shown = page(client, following)
            seen += re.findall(r'row-link number" href="/funds/entries/(\d+)"', shown)
            found = re.search(r'href="([^"]*before=\d+[^"]*)"', shown)
            following = found[1].replace("&amp;", "&") if found else None
        assert len(seen) == len(set(seen)) == ROWS + 2
        assert seen == sorted(seen, key=int, reverse=True)


def test_a_month_of_the_bank_is_read_in_and_confirmed_by_another(desk: Desk, treasury: Treasury) -> None:
    keeper = desk.client(Role.ACCOUNTANT)
    assert "还没有对账单" in page(keeper, "/funds/bank")
    typed = {"holding_id": str(treasury.bank.id), "month": "2026-01", "opening": "0", "closing": "5"}

    def send(content: bytes) -> TestResponse:
        return keeper.post("/funds/bank", data=typed | {"file": (BytesIO(content), "a.csv")})

    for content in (b"", b"\xff\xfe\x00", b"x" * 250_000, "日期,金额\n2026-01-03,=5\n".encode()):
        refused = send(content)
        assert (refused.status_code, 'id="file-error"' in refused.get_data(as_text=True)) == (422, True)
    answer = send(f"日期,金额,摘要\n2026-01-03,5.00,{SCRIPT.replace(',', '')}\n".encode("gbk"))
    shown = page(keeper, answer.location)
    assert "账上没有" in shown
    assert "<script>alert" not in shown
    assert keeper.post(f"{answer.location}/confirm", data={"note": "x"}).status_code == 403
    match_by_hand(desk, treasury, keeper, shown)
    centre = desk.client(Role.CENTRE)
    assert centre.post(f"{answer.location}/confirm").status_code == 422
    assert centre.post(f"{answer.location}/confirm", data={"note": "尚未入账"}).status_code == 303
    assert "已确认" in page(centre, "/funds/bank")


def match_by_hand(desk: Desk, treasury: Treasury, keeper: FlaskClient, shown: str) -> None:
    """Say which entries the line is, wrongly, rightly, and take it back; the line is open again afterwards."""
    day = {"holding": treasury.bank, "happened_on": date(2026, 1, 2)}
    with desk.site.database.session() as session:
        entries = [give(session, treasury, fen, **day).id for fen in (300, 200)]
        session.commit()
    line = re.findall(r'href="(/funds/bank/lines/\d+)"', shown)[0]
    refused = keeper.post(f"{line}/entries", data={"entry_ids": entries[:1]})
    told = refused.get_data(as_text=True)
    assert (refused.status_code, 'id="entry_ids-error"' in told) == (422, True)
    assert f'value="{entries[0]}" checked' in told
    matched = keeper.post(f"{line}/entries", data={"entry_ids": entries})
    assert "人工对上" in page(keeper, matched.location)
    assert desk.client(Role.CENTRE).post(f"{line}/undo", data={"reason": "x"}).status_code == 403
    assert 'id="reason-error"' in keeper.post(f"{line}/undo", data={}).get_data(as_text=True)
    assert "账上没有" in page(keeper, keeper.post(f"{line}/undo", data={"reason": "不是这两笔"}).location)
