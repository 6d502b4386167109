"""Vouchers in a real browser: a list asked and approved, a card printed, taken by a firm on a phone, settled."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect

from dispatch import clock
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.services.care import vouchers
from tests.factories.vouchers import Purses, make_purses
from tests.web.orders.conftest import Desk, desk, open_page
from tests.web.test_funds_browser import look

__all__ = ["desk", "open_page"]
pytestmark = pytest.mark.usefixtures("fresh_limits")
OpenPage = Callable[..., Page]


@pytest.fixture
def purses(desk: Desk) -> Purses:
    """Three persons and 10,000 yuan in the desk's world."""
    with desk.site.database.session() as session:
        made = make_purses(session, desk.world)
        session.commit()
    return made


def test_a_voucher_goes_from_the_list_to_the_firm_and_is_paid(desk: Desk, purses: Purses, open_page: OpenPage) -> None:
    url = desk.site.url
    welfare, centre = open_page(Role.WELFARE, "/vouchers"), open_page(Role.CENTRE, "/vouchers", width=390)
    look(welfare)
    welfare.get_by_role("link", name="发放服务券").click()
    look(welfare)
    welfare.get_by_role("button", name="提交审批").click()
    expect(welfare.locator("main")).to_contain_text("等待另一位审批")
    centre.goto(welfare.url)
    look(centre)
    centre.get_by_role("button", name="批准发放").click()
    expect(centre.locator("main")).to_contain_text("000001")
    welfare.goto(f"{url}/vouchers")
    look(welfare)
    welfare.get_by_role("link", name="000001").click()
    welfare.get_by_role("button", name="打印服务券卡").click()
    look(welfare)
    code = welfare.locator(".card-token").inner_text()
    firm = open_page(Role.PERFORMER, "/redeem", width=390, lang="en")
    take(firm, code)
    centre.goto(f"{url}/vouchers/settlements")
    look(centre)
    with desk.site.database.session() as session:
        now = clock.now(session)
        month, later = f"{clock.today(now):%Y-%m}", now + timedelta(days=32)
        (made,) = vouchers.settle_month(session, purses.world.community.id, month, actor=SYSTEM, now=later)
        session.commit()
    centre.goto(f"{url}/vouchers/settlements/{made.id}")
    look(centre)
    firm.reload()
    look(firm)
    welfare.goto(f"{url}/vouchers/1")
    look(welfare)


def take(firm: Page, code: str) -> None:
    """The firm compares, takes 123.45 yuan, and is refused what is too much."""
    look(firm)
    expect(firm.locator("a[href='/redeem']")).to_have_count(1)
    expect(firm.locator("a[href='/care/day']")).to_have_count(0)
    firm.locator("#code").fill(code)
    firm.locator("form.panel button").click()
    expect(firm.locator("main")).to_contain_text("陈**")
    firm.locator("#yuan").fill("600")
    firm.locator("#what").fill("理发")
    firm.locator(".save-bar button").click()
    expect(firm.locator("#yuan-error")).to_contain_text("500.00")
    look(firm)
    firm.locator("#yuan").fill("123.45")
    firm.locator(".save-bar button").click()
    expect(firm.locator(".message")).to_contain_text("123.45")


def test_wrong_codes_are_counted_and_the_form_sent_twice_takes_once(desk: Desk, purses: Purses) -> None:
    welfare, centre, firm = (desk.client(role) for role in (Role.WELFARE, Role.CENTRE, Role.PERFORMER))
    form = {"year": "2099", "yuan": "500", "expires_on": "2099-12-31", "fund_id": purses.treasury.general.id}
    sent = form | {"holding_id": purses.treasury.bank.id, "people": [one.id for one in purses.elders]}
    assert 'id="people-error"' in welfare.post("/vouchers/grants", data=sent | {"people": []}).text
    asked = welfare.post("/vouchers/grants", data=sent)
    assert welfare.post(f"{asked.location}/approve").status_code == 403
    assert centre.post(f"{asked.location}/approve").status_code == 303
    printed = welfare.post("/vouchers/1/cards").text
    found = re.search(r'card-token">([^<]+)<', printed)
    assert found is not None
    taking = {"code": found[1], "yuan": "20", "what": "理发", "form_key": "9"}
    for _ in range(2):
        assert firm.post("/redeem", data=taking).location == "/redeem?done=2000"
    month = welfare.get(f"/vouchers/1?month={month_of(desk)}").text
    assert "月初余额 0.00 元" in month
    assert "月末余额 480.00 元" in month
    assert "480.00" in firm.post("/redeem/card", data={"code": found[1]}).text
    assert ",理发,,20.00" in firm.get(f"/redeem/statement.csv?month={month_of(desk)}").text.replace('"', "")
    assert welfare.post("/redeem", data=taking).status_code == 403
    wrong = [firm.post("/redeem/card", data={"code": "0" * 26}).status_code for _ in range(11)]
    assert wrong == [422] * 10 + [429]
    assert firm.post("/redeem", data=taking).status_code == 429


def month_of(desk: Desk) -> str:
    """This month, as files are asked for."""
    with desk.site.database.session() as session:
        return f"{clock.today(clock.now(session)):%Y-%m}"
