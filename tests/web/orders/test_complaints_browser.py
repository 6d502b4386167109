"""投诉 in a real browser: raised at the desk, decided at the centre with a suspension, also at the width of a phone."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from dispatch.rules.access.roles import Role
from tests.web.looking import violations
from tests.web.orders.conftest import Desk
from tests.web.orders.test_complaints import firm_code, newest

OpenPage = Callable[..., Page]
NARROW = 390


def test_a_complaint_is_raised_at_the_desk_and_decided_at_the_centre(
    desk: Desk, open_page: OpenPage, tmp_path: Path
) -> None:
    number = desk.finished()
    page = open_page(Role.OPERATOR, f"/orders/{number}")
    page.locator("#complain > summary").focus()
    page.keyboard.press("Enter")
    page.locator("#complain").get_by_label("质量").check()
    page.locator("#complain-words").fill("第二天又堵了")
    page.locator("#complain").screenshot(path=tmp_path / "raise.png")
    page.get_by_role("button", name="登记投诉").click()
    expect(page.locator(".panel:has(#complaints-title)")).to_contain_text("等服务商答复")
    one = newest(desk)
    answer = page.locator(f"#answer-complaint-{one.id}")
    answer.locator("summary").click()
    answer.get_by_label("服务商在电话里怎么说").fill("管子老化")
    page.get_by_role("button", name="记下答复").click()
    expect(page.locator(".panel:has(#complaints-title)")).to_contain_text("等中心认定")

    centre = open_page(Role.CENTRE, "/requests")
    expect(centre.locator(".panel:has(#complaints-title)")).to_contain_text("第二天又堵了")
    centre.screenshot(path=tmp_path / "requests.png", full_page=True)
    centre.locator(".panel:has(#complaints-title) a.row-link").click()
    form = centre.locator(f"#decide-complaint-{one.id}")
    form.get_by_label("属实", exact=True).check()
    form.get_by_label("暂停派单", exact=True).check()
    form.get_by_label("暂停到哪一天（含当天）").fill("2999-01-01")
    form.get_by_label("理由").fill("照片可见")
    centre.screenshot(path=tmp_path / "decide.png", full_page=True)
    assert violations(centre) == []
    form.get_by_role("button", name="认定").click()
    expect(centre.locator(".panel:has(#complaints-title)")).to_contain_text("暂停派单")
    narrow = open_page(Role.CENTRE, f"/firms/{firm_code(desk, one)}", width=NARROW)
    expect(narrow.locator("main")).to_contain_text("投诉不改变满意度")
    narrow.screenshot(path=tmp_path / "firm.png", full_page=True)
    assert narrow.evaluate("document.documentElement.scrollWidth") <= NARROW
