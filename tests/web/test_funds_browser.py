"""The pages of the funds in a real browser: a gift booked by hand, on a phone's width, in both languages, by axe."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect

from dispatch import clock
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.services import funds
from tests.factories.funds import give, make_treasury
from tests.web.looking import look, look_at_both_widths
from tests.web.orders.conftest import Desk, desk, open_page

__all__ = ["desk", "open_page"]
OpenPage = Callable[..., Page]


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
    look(page)
    page.locator(".save-bar button").click()
    expect(page.locator("main")).to_contain_text("12.30 元")
    look(page)
    page.locator("a[href*='/funds/receipts/']").click()
    expect(page.locator("main")).to_contain_text("陈桂花")
    look(page)
    for address in ("/funds", f"/funds/{treasury.general.id}"):
        page.goto(desk.site.url + address)
        look(page)


def test_a_month_of_the_bank_is_confirmed_by_another(desk: Desk, open_page: OpenPage) -> None:
    with desk.site.database.session() as session:
        treasury = make_treasury(session, desk.world.community.id)
        content = "日期,金额,摘要\n2026-01-03,5.00,利息\n".encode()
        new = funds.NewStatement(treasury.bank.id, date(2026, 1, 1), 0, 500, content)
        made = funds.import_statement(session, new, actor=SYSTEM, now=clock.now(session))
        session.commit()
    look_at_both_widths(open_page(Role.ACCOUNTANT, "/funds/bank"))
    page = open_page(Role.CENTRE, f"/funds/bank/{made.id}", width=390)
    look_at_both_widths(page)
    page.locator("#note").fill("尚未入账")
    page.locator("form.panel button").click()
    expect(page.locator("main")).to_contain_text("已确认")


def test_a_fund_from_its_opening_to_the_bank_s_own_line(desk: Desk, open_page: OpenPage) -> None:
    month = (clock.today(datetime.now(UTC)).replace(day=1) - timedelta(days=1)).replace(day=1)
    centre, accountant = (open_page(role, "/funds", width=390) for role in (Role.CENTRE, Role.ACCOUNTANT))
    open_the_books(centre, accountant, desk.site.url, month)
    asked = ask_for_spending(accountant, desk.site.url, month)
    centre.goto(asked)
    look_at_both_widths(centre)
    centre.get_by_role("button", name="批准并入账").click()
    expect(centre.locator("main")).to_contain_text("已批准入账")
    centre.get_by_role("link", name="看这一笔账").click()
    expect(centre.locator("main")).to_contain_text("审批人")
    look_at_both_widths(centre)
    centre.goto(ask_for_the_second_gift_back(accountant, desk.site.url))
    look_at_both_widths(centre)
    centre.get_by_role("button", name="批准并入账").click()
    accountant.reload()
    expect(accountant.locator("main")).to_contain_text("已冲正")
    look_at_both_widths(accountant)
    match_the_bank(accountant, desk.site.url, month)
    for address in ("/funds", "/funds/spendings", "/funds/consents", "/funds/take-over", "/funds/holdings/new"):
        accountant.goto(desk.site.url + address)
        look_at_both_widths(accountant)


def open_the_books(centre: Page, accountant: Page, url: str, month: date) -> None:
    """A fund, its bank account, and two gifts of last month; one of them twice by mistake."""
    centre.get_by_role("link", name="设立基金").click()
    centre.get_by_role("button", name="设立基金").click()
    expect(centre.locator("#code-error")).to_be_visible()
    look_at_both_widths(centre)
    centre.locator("#name").fill("爱心基金")
    centre.locator("#code").fill("love")
    centre.get_by_label("不限用途").check()
    centre.get_by_role("button", name="设立基金").click()
    expect(centre.locator("h1")).to_contain_text("爱心基金")
    accountant.get_by_role("link", name="添加存放处").click()
    accountant.locator("#name").fill("基本户")
    accountant.locator("#code").fill("bank")
    accountant.get_by_role("button", name="添加存放处").click()
    expect(accountant.locator("main")).to_contain_text("基本户")
    for yuan, words in (("3000", "张先生"), ("500", "李女士"), ("500", "李女士")):
        accountant.goto(f"{url}/funds")
        accountant.get_by_role("link", name="记一笔").click()
        accountant.locator("#amount").fill(yuan)
        accountant.locator("#happened_on").fill(month.replace(day=3).isoformat())
        accountant.locator("#words").fill(words)
        accountant.locator(".save-bar button").click()
        expect(accountant.locator("main")).to_contain_text(f"{float(yuan):,.2f} 元")


def ask_for_spending(accountant: Page, url: str, month: date) -> str:
    """More than one person may spend: the address of what waits."""
    accountant.goto(f"{url}/funds/book")
    accountant.get_by_label("支出", exact=True).check()
    accountant.locator("#amount").fill("2500")
    accountant.locator("#purpose").select_option("running")
    accountant.locator("#happened_on").fill(month.replace(day=9).isoformat())
    accountant.locator("#words").fill("买棉被")
    accountant.locator(".save-bar button").click()
    expect(accountant.locator("main")).to_contain_text("等待另一位审批")
    return accountant.url


def ask_for_the_second_gift_back(accountant: Page, url: str) -> str:
    """What was written twice is asked to be taken back with a reason: the address of what waits."""
    accountant.goto(f"{url}/funds")
    accountant.locator("tr", has_text="李女士").first.locator("a").click()
    accountant.locator("#words").fill("重复登记")
    accountant.get_by_role("button", name="冲正这一笔").click()
    expect(accountant.locator("main")).to_contain_text("已申请冲正")
    return url + (accountant.get_by_role("link", name="看这件申请").get_attribute("href") or "")


def match_the_bank(accountant: Page, url: str, month: date) -> None:
    """The bank booked both gifts as one line: said by hand, and then nothing is left over."""
    lines = f"日期,金额,摘要\n{month.replace(day=5)},3500.00,两笔捐款\n{month.replace(day=9)},-2500.00,棉被\n"
    accountant.goto(f"{url}/funds/bank")
    accountant.locator("#month").fill(f"{month:%Y-%m}")
    accountant.locator("#opening").fill("0")
    accountant.locator("#closing").fill("1000")
    file = {"name": "bank.csv", "mimeType": "text/csv", "buffer": lines.encode()}
    accountant.locator("#file").set_input_files(file)  # type: ignore[arg-type]
    accountant.locator(".save-bar button").click()
    expect(accountant.locator("main")).to_contain_text("账上没有")
    look_at_both_widths(accountant)
    accountant.get_by_role("link", name="人工对账").click()
    expect(accountant.locator("main")).to_contain_text("是哪几笔账")
    for box in accountant.locator("input[name=entry_ids]").all():
        box.check()
    look_at_both_widths(accountant)
    accountant.get_by_role("button", name="对上所选的账").click()
    expect(accountant.locator("main")).to_contain_text("人工对上")
    expect(accountant.locator("main")).to_contain_text("没有，账上的银行都有")
    look_at_both_widths(accountant)
