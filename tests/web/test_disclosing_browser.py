"""The public statement in a real browser: a donor finds the own gift in one sentence; phone, print, English, axe."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from dispatch.gateways.limits import limiter
from dispatch.rules.access.roles import Role
from tests.web.orders.conftest import Desk, desk, open_page
from tests.web.test_disclosing import publish

__all__ = ["desk", "open_page"]
OpenPage = Callable[..., Page]
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
ENHANCED = {"rules": {"color-contrast-enhanced": {"enabled": True}}}


def look(page: Page) -> None:
    """Nothing hangs over the edge, and axe finds nothing, contrast of 7 to 1 included."""
    assert page.evaluate(OVERFLOW) <= 0, page.url
    found = Axe().run(page, context="main", options=ENHANCED)
    assert found.violations_count == 0, (page.url, found.generate_report())


@pytest.mark.parametrize(("width", "lang", "sentence"), [(390, "zh-CN", "已经核对"), (1440, "en", "checked")])
def test_a_donor_finds_the_own_gift_in_the_statement(
    desk: Desk, open_page: OpenPage, width: int, lang: str, sentence: str
) -> None:
    with desk.site.app.app_context():
        limiter.reset()
    community, number, secret = publish(desk)
    page = open_page(Role.CENTRE, f"/disclosure/{desk.world.community.id}?lang={lang}", width=width)
    look(page)
    page.goto(f"{desk.site.url}/disclosure/{community}")
    look(page)
    page.locator(f"a[href='/disclosure/{community}/proof']").click()
    look(page)
    page.locator("#number").fill(number)
    page.locator("#secret").fill(secret)
    page.locator("#secret").press("Enter")
    expect(page.locator(".placed")).to_contain_text(sentence)
    page.locator("summary").click()
    look(page)
    page.emulate_media(media="print")
    expect(page.locator(".placed strong")).to_be_visible()
    expect(page.locator("form.panel")).to_be_hidden()
