"""A year's round and a shipment in a real browser, on a phone and at a desk, from the plan to the last signature."""

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from dispatch import clock
from dispatch.models.market import RoundEntry
from dispatch.services.access import sessions
from tests.factories.market import Shop, make_shop, milk_of, take_in
from tests.factories.visits import resident
from tests.factories.world import service
from tests.web.drawing import sign
from tests.web.looking import PHONE, look_at_both_widths
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]


@pytest.fixture
def shop(desk: Desk) -> Shop:
    """A supermarket with rice, coats, and milk that is good for five days; a resident whom a list can name."""
    with desk.site.database.session() as session:
        made = make_shop(session, desk.world)
        kind = {"offered": ["programme"], "performer": "helper", "given": "take_from_list", "callback": False}
        service(session, desk.world.district, "parcel_delivery", in_figures=False, **kind)
        take_in(session, made, made.rice, 20_000, produced_on=made.today)
        take_in(session, made, made.coat, 60)
        milk_of(session, made, 10, 5)
        resident(session, desk.world)
        session.commit()
        return made


@pytest.fixture
def context(desk: Desk, shop: Shop, browser: Browser) -> BrowserContext:
    """A phone on which the approver is logged in."""
    with desk.site.database.session() as session:
        token = sessions.open_session(session, shop.approver.user_id or 0, is_complete=True, now=clock.now(session))
        session.commit()
    made = browser.new_context(viewport=PHONE, locale="zh-CN")
    made.add_cookies([{"name": "session", "value": token, "url": desk.site.url}])
    return made


def sign_with_a_finger(page: Page, button: str) -> None:
    """A stroke in the box, and the form is sent."""
    sign(page)
    page.get_by_role("button", name=button).click()


def test_a_round_is_listed_sent_signed_for_and_ended(desk: Desk, context: BrowserContext) -> None:
    page = context.new_page()
    page.goto(f"{desk.site.url}/rounds")
    expect(page.get_by_text("还没有年度发放")).to_be_visible()
    look_at_both_widths(page)
    page.get_by_role("link", name="从爱心超市发").click()
    page.get_by_label("名称").fill("春节慰问")
    page.get_by_role("button", name="开始列名单").click()
    expect(page.get_by_role("alert")).to_contain_text("请写明每一份有什么物资")
    page.get_by_label("大米").fill("10")
    look_at_both_widths(page)
    page.get_by_role("button", name="开始列名单").click()
    page.get_by_role("link", name="春节慰问").click()
    expect(page.get_by_text("名单上还没有人")).to_be_visible()
    page.get_by_label("先查是谁").fill("陈")
    page.get_by_role("button", name="查找").click()
    page.get_by_role("radio").first.check()
    look_at_both_widths(page)
    page.get_by_role("button", name="列进名单").click()
    page.get_by_role("button", name="名单定了，开始发放").click()
    page.locator(".rows a").first.click()
    look_at_both_widths(page)
    page.get_by_role("button", name="派人送去").click()
    page.get_by_label("谁签的").fill("女儿陈小芳")
    page.get_by_role("button", name="已经签收").click()
    expect(page.locator("#signature-error")).to_contain_text("请在框里签名")
    expect(page.get_by_label("谁签的")).to_have_value("女儿陈小芳")
    look_at_both_widths(page)
    sign_with_a_finger(page, "已经签收")
    expect(page.get_by_role("link", name="看签名")).to_be_visible()
    expect(page.get_by_text("大米 10 斤")).to_be_visible()
    page.get_by_role("link", name="返回名单").click()
    page.get_by_role("button", name="全部落实，结束这一轮").click()
    expect(page.get_by_text("全部发完")).to_be_visible()
    look_at_both_widths(page)
    with desk.site.database.session() as session:
        assert session.query(RoundEntry.state, RoundEntry.signer).all() == [("delivered", "女儿陈小芳")]
    context.close()


def test_a_shipment_leaves_is_signed_for_and_what_came_back_stands_apart(
    desk: Desk, shop: Shop, context: BrowserContext
) -> None:
    page = context.new_page()
    page.goto(f"{desk.site.url}/shipments")
    expect(page.get_by_text("还没有发运")).to_be_visible()
    page.get_by_role("link", name="从爱心超市发").click()
    for label, words in (("哪个市", "丽水市"), ("哪个县", "莲都区"), ("由哪个单位", "镇政府"), ("给多少人", "180")):
        page.get_by_label(label).fill(words)
    page.get_by_label("牛奶").fill("6")
    page.get_by_role("button", name="安排", exact=True).click()
    expect(page.locator("#town-error")).to_contain_text("请写明到哪个乡镇")
    page.get_by_label("哪个乡镇").fill("碧湖镇")
    look_at_both_widths(page)
    page.get_by_role("button", name="安排", exact=True).click()
    page.get_by_role("link", name="丽水市莲都区碧湖镇").click()
    page.get_by_role("button", name="发出").click()
    page.get_by_label("收到").fill("3")
    page.get_by_label("退回（").fill("2")
    page.get_by_label("对方由谁签收").fill("王主任")
    look_at_both_widths(page)
    sign_with_a_finger(page, "记签收")
    page.get_by_role("button", name="核对完毕").click()
    expect(page.get_by_role("alert")).to_contain_text("少了的物资要写明原因")
    page.get_by_label("少了的写明原因").fill("路上打翻")
    look_at_both_widths(page)
    page.get_by_role("button", name="核对完毕").click()
    expect(page.get_by_text("已核对")).to_be_visible()
    look_at_both_widths(page)
    page.goto(f"{desk.site.url}/stock/{shop.facility.id}")
    expect(page.get_by_text("隔离区 · 批次")).to_be_visible()
    context.close()
