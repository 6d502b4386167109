"""服务商 in a real browser: applied for, admitted by somebody else, priced and suspended; at the desk the price."""

from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Page, expect

from dispatch import clock
from dispatch.models.catalogue import Performer
from dispatch.rules.access.roles import Role
from dispatch.rules.catalogue.prices import PriceLine
from dispatch.services import catalogue
from tests.factories.world import staff
from tests.services.catalogue.test_firms import a_uscc
from tests.web.looking import violations
from tests.web.orders.conftest import ADDRESS, Desk

OpenPage = Callable[..., Page]


def fill_application(page: Page, uscc: str) -> None:
    """Type a firm's application."""
    page.get_by_label("名称").fill("新来疏通")
    page.get_by_label("编号", exact=True).fill("F900")
    page.get_by_label("统一社会信用代码").fill(uscc)
    page.get_by_label("联系人").fill("陈师傅")
    page.get_by_label("电话").fill("13905781234")
    page.get_by_label("电子邮箱").fill("f900@firms.example")
    page.get_by_label("管道疏通").check()
    row = page.locator("tbody tr").first
    row.locator("[name=paper_kind]").fill("营业执照")
    row.locator("[name=paper_number]").fill("1")
    row.locator("[name=paper_from]").fill("2026-01-01")
    row.locator("[name=paper_until]").fill("2099-01-01")


def decide(page: Page, word: str, reason: str, until: str | None = None) -> None:
    """Take a decision."""
    page.get_by_label(word, exact=True).check()
    page.locator("#reason").fill(reason)
    if until:
        page.locator("#until").fill(until)
    page.get_by_role("button", name="决定").click()


def test_a_firm_is_entered_by_one_and_admitted_priced_and_suspended_by_another(
    open_page: OpenPage, tmp_path: Path
) -> None:
    page = open_page(Role.CENTRE, "/firms/new")
    fill_application(page, "91331102MA0000000X")
    page.get_by_role("button", name="保存申请").click()
    expect(page.locator("#uscc-error")).to_be_visible()
    expect(page.get_by_label("名称")).to_have_value("新来疏通")
    fill_application(page, a_uscc())
    page.get_by_role("button", name="保存申请").click()
    expect(page.locator(".page-head")).to_contain_text("待准入")
    decide(page, "准入", "材料齐全")
    expect(page.locator(".message")).to_contain_text("第二个人")

    other = open_page(Role.CENTRE, "/firms/F900")
    decide(other, "准入", "材料齐全")
    expect(other.locator(".page-head")).to_contain_text("已准入")
    other.get_by_text("写新的一版").click()
    for name, value in (("item", "室内疏通"), ("unit", "次"), ("least", "60"), ("most", "150.50")):
        other.locator(f"[name={name}]").first.fill(value)
    other.get_by_role("button", name="发布").click()
    expect(other.get_by_text("室内疏通 60–150.50 元/次")).to_be_visible()
    decide(other, "暂停派单", "两次爽约", "2099-01-01")
    expect(other.locator(".page-head")).to_contain_text("暂停派单")
    assert violations(other) == []
    other.screenshot(path=tmp_path / "firm.png", full_page=True)
    listing = open_page(Role.OPERATOR, "/firms?q=F900", width=390)
    expect(listing.locator("tbody tr")).to_have_count(1)
    assert listing.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(listing) == []
    listing.screenshot(path=tmp_path / "firms.png", full_page=True)
    listing.goto(listing.url.replace("F900", "没有"))
    expect(listing.locator(".empty")).to_contain_text("没有符合条件")


def test_the_desk_sees_about_how_much_before_saving(desk: Desk, open_page: OpenPage, tmp_path: Path) -> None:
    with desk.site.database.session() as session:
        centre, now = staff(session, desk.world, Role.CENTRE), clock.now(session)
        lines = [PriceLine("室内疏通", "次", 6_000, 15_000)]
        for firm in session.query(Performer).all():
            catalogue.set_prices(
                session, firm.id, desk.world.plumbing.id, lines, valid_from=clock.today(now), actor=centre, now=now
            )
        session.commit()
    page = open_page(Role.OPERATOR, "/desk?phone=13905781234")
    page.locator("#description").fill("厨房下水道堵了")
    page.locator("#kind_text").fill("下水道堵")
    expect(page.locator("#kind-list [role=option]").first).to_be_visible()
    page.keyboard.press("Enter")
    page.locator("#address_text").fill(ADDRESS)
    expect(page.locator("#preview")).to_contain_text("室内疏通 60–150 元/次")
    page.screenshot(path=tmp_path / "desk.png", full_page=True)
