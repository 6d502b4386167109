"""The pages of the funds in a real browser: a gift booked by hand, on a phone's width, in both languages, by axe."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from dispatch.rules.access.roles import Role
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


def look(page: Page, _name: str) -> None:
    """Nothing hangs over the edge and axe finds nothing."""
    assert page.evaluate(OVERFLOW) <= 0
    assert Axe().run(page).response["violations"] == []
