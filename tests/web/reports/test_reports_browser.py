"""Reports in a real browser: by keyboard, on a phone, on paper, without a complaint of axe or of the policy."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from dispatch.rules.access.roles import Role
from tests.web.looking import violations
from tests.web.reports.conftest import NOVEMBER, Reported

OpenPage = Callable[..., Page]


def test_figures_are_found_by_keyboard_and_open_to_their_orders(reported: Reported, open_page: OpenPage) -> None:
    page = open_page(Role.CENTRE, "/reports")
    page.get_by_label("开始日期").fill("2026-11-01")
    page.get_by_label("结束日期").fill("2026-11-30")
    page.get_by_label("分组").select_option("kind")
    page.get_by_label("分组").press("Tab")
    page.get_by_role("button", name="统计").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="管道疏通")).to_be_visible()
    expect(page.locator(".picture img").first).to_have_js_property("complete", value=True)
    page.locator("summary", has_text="看表格").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".picture details[open] td").first).to_be_visible()
    page.get_by_role("link", name="解决率").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("75.00%")
    expect(page.locator("tbody")).to_contain_text(reported.numbers["gossip"])


def test_axe_finds_nothing_on_the_pages_of_reports(reported: Reported, open_page: OpenPage) -> None:
    page = open_page(Role.CENTRE, f"/reports?{NOVEMBER}")
    for path in (f"/reports?{NOVEMBER}", f"/reports/orders?figure=closed_in_time&{NOVEMBER}", "/reports?from=x"):
        page.goto(reported.desk.site.url + path, wait_until="load")
        assert (path, violations(page)) == (path, [])


def test_a_phone_scrolls_tables_and_pictures_but_not_the_page(
    reported: Reported, open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(Role.CENTRE, f"/reports?{NOVEMBER}", width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert page.screenshot(path=tmp_path / "phone.png", full_page=True)
    page.goto(f"{reported.desk.site.url}/reports/orders?figure=solved&{NOVEMBER}", wait_until="load")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_paper_has_the_figures_without_what_only_a_screen_can_use(reported: Reported, open_page: OpenPage) -> None:
    page = open_page(Role.CENTRE, f"/reports?{NOVEMBER}")
    assert reported.numbers
    page.emulate_media(media="print")
    expect(page.get_by_role("heading", name="指标")).to_be_visible()
    expect(page.get_by_role("button", name="统计")).to_be_hidden()
    expect(page.locator("summary").first).to_be_hidden()
