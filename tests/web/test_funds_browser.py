"""The pages of the funds in a real browser: a gift booked by hand, on a phone's width, in both languages, by axe."""

from collections.abc import Callable
from datetime import date

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from dispatch import clock
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.services import funds
from tests.factories.funds import give, make_treasury
from tests.web.orders.conftest import Desk, desk, open_page

__all__ = ["desk", "open_page"]
OpenPage = Callable[..., Page]
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.mark.parametrize(("width", "lang"), [(1440, "zh-CN"), (390, "en")])
def test_a_gift_is_booked_and_its_receipt_stands_on_a_page_of_its_own(
    desk: Desk, open_page: OpenPage, width: int, lang: str
) -> None:
    with desk.site.database.session() as session:
        treasury = make_treasury(session, desk.world.community.id)
        give(session, treasury, 234_560, words="收到现金")
        session.commit()
    page = open_page(Role.ACCOUNTANT, "/funds/book", width=width, lang=lang)
    page.locator("#amount").fill("12.30")
    page.locator("input[name=with_receipt]").check()
    page.locator("#received_from").fill("陈桂花")
    look(page, f"book-{width}")
    page.locator(".save-bar button").click()
    expect(page.locator("main")).to_contain_text("12.30 元")
    look(page, f"entry-{width}")
    page.locator("a[href*='/funds/receipts/']").click()
    expect(page.locator("main")).to_contain_text("陈桂花")
    look(page, f"receipt-{width}")
    for address in ("/funds", f"/funds/{treasury.general.id}"):
        page.goto(desk.site.url + address)
        look(page, f"{address.count('/')}-{width}")


@pytest.mark.parametrize("width", [1440, 390])
def test_a_month_of_the_bank_is_confirmed_by_another(desk: Desk, open_page: OpenPage, width: int) -> None:
    with desk.site.database.session() as session:
        treasury = make_treasury(session, desk.world.community.id)
        content = "日期,金额,摘要\n2026-01-03,5.00,利息\n".encode()
        new = funds.NewStatement(treasury.bank.id, date(2026, 1, 1), 0, 500, content)
        made = funds.import_statement(session, new, actor=SYSTEM, now=clock.now(session))
        session.commit()
    look(open_page(Role.ACCOUNTANT, "/funds/bank", width=width), f"banks-{width}")
    page = open_page(Role.CENTRE, f"/funds/bank/{made.id}", width=width)
    look(page, f"bank-{width}")
    page.locator("#note").fill("尚未入账")
    page.locator("form.panel button").click()
    expect(page.locator("main")).to_contain_text("已确认")


def look(page: Page, _name: str) -> None:
    """Nothing hangs over the edge and axe finds nothing."""
    assert page.evaluate(OVERFLOW) <= 0
    assert Axe().run(page).response["violations"] == []
