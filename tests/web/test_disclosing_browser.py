"""The public statement in a real browser: a donor finds the own gift in one sentence; phone, print, English, axe."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dispatch.gateways.limits import limiter
from dispatch.rules.access.roles import Role
from tests.web.looking import look
from tests.web.orders.conftest import Desk, desk, open_page
from tests.web.test_disclosing import publish

__all__ = ["desk", "open_page"]
OpenPage = Callable[..., Page]
ENHANCED = {"color-contrast-enhanced": {"enabled": True}}
"""Contrast of 7 to 1."""


@pytest.mark.parametrize(("width", "lang", "sentence"), [(390, "zh-CN", "已经核对"), (1440, "en", "checked")])
def test_a_donor_finds_the_own_gift_in_the_statement(
    desk: Desk, open_page: OpenPage, width: int, lang: str, sentence: str
) -> None:
    with desk.site.app.app_context():
        limiter.reset()
    community, number, secret = publish(desk)
    page = open_page(Role.CENTRE, f"/disclosure/{desk.world.community.id}?lang={lang}", width=width)
    look(page, within="main", rules=ENHANCED)
    page.goto(f"{desk.site.url}/disclosure/{community}")
    look(page, within="main", rules=ENHANCED)
    page.locator(f"a[href='/disclosure/{community}/proof']").click()
    look(page, within="main", rules=ENHANCED)
    page.locator("#number").fill(number)
    page.locator("#secret").fill(secret)
    page.locator("#secret").press("Enter")
    expect(page.locator(".placed")).to_contain_text(sentence)
    page.locator("summary").click()
    look(page, within="main", rules=ENHANCED)
    page.emulate_media(media="print")
    expect(page.locator(".placed strong")).to_be_visible()
    expect(page.locator("form.panel")).to_be_hidden()
