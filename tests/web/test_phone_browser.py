"""The phone page in a real browser, phone-sized and touched: the whole life, no signal, axe."""

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.web.conftest import Site
from tests.web.drawing import sign
from tests.web.looking import violations
from tests.web.phone_world import PHONE, RESIDENT, Offered, offer

PHONE_SIZE = {"width": 390, "height": 844}
KEPT = "已存在手机里，有信号时自动发送"
SMALLEST_TARGET = 44
TARGETS = (
    "main :is(button, a, summary, .choice, label.big, textarea, input:not([type=radio], [type=hidden], [type=file]))"
)


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    """A phone with a finger."""
    context = browser.new_context(
        viewport=PHONE_SIZE, has_touch=True, is_mobile=True, device_scale_factor=2, locale="zh-CN"
    )
    context.set_default_timeout(8000)
    yield context
    context.close()


def opened(phone: BrowserContext, site: Site, offered: Offered) -> Page:
    """The page of the link, ready to be touched; a line in the browser's console fails the test."""
    page = phone.new_page()
    page.goto(f"{site.url}/w/{offered.token}")
    expect(page.locator("html[data-ready]")).to_have_count(1)
    return page


def photo_file(width: int = 3000, height: int = 2000) -> dict[str, object]:
    """A photo as a phone takes it, larger than what is sent."""
    file = BytesIO()
    Image.effect_noise((width, height), 40).convert("RGB").save(file, "JPEG")
    return {"name": "IMG_1.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


def fill_report(page: Page) -> None:
    """Fill the report: done, 80 yuan, a photo, a signature."""
    page.get_by_role("radio", name="已完成").tap()
    page.get_by_label("收费（元）").fill("80")
    page.locator('input[type="file"]').set_input_files(photo_file())
    expect(page.locator(".photos li")).to_have_count(1)
    sign(page)


def test_a_whole_life_by_finger_ends_with_photo_signature_and_thanks(site: Site, phone: BrowserContext) -> None:
    offered = offer(site.database, proof=("photo", "signature"))
    page = opened(phone, site, offered)
    page.get_by_role("button", name="接单").tap()
    call = page.get_by_role("link", name=re.compile(RESIDENT))
    expect(call).to_have_attribute("href", f"tel:+86{PHONE}")
    page.get_by_role("button", name="出发").tap()
    expect(page.locator('[data-stage="on_the_way"]')).to_be_visible()
    page.get_by_role("button", name="我到了").tap()
    expect(page.locator('[data-stage="arrived"]')).to_be_visible()
    fill_report(page)
    page.get_by_role("button", name="提交完成").tap()
    expect(page.get_by_role("heading", name="辛苦了，已收到")).to_be_visible()
    expect(page.get_by_text("80.00 元")).to_be_visible()
    expect(page.get_by_text("1 张 · 居民已签名")).to_be_visible()
    assert offered.actions()[-4:] == ["accept", "set_out", "arrive", "finish"]
    photo, signature = offered.files()
    assert photo == ("photo", "image/jpeg", 1600, 1067)
    assert signature[0] == "signature"


def test_without_a_signal_arrival_and_report_are_kept_told_plainly_and_sent_once(
    site: Site, phone: BrowserContext
) -> None:
    offered = offer(site.database, proof=("photo", "signature"))
    page = opened(phone, site, offered)
    page.get_by_role("button", name="接单").tap()
    expect(page.locator('[data-stage="accepted"]')).to_be_visible()
    phone.set_offline(True)
    page.get_by_role("button", name="我到了").tap()
    expect(page.locator("#kept")).to_contain_text(f"到了 · {KEPT}")
    fill_report(page)
    page.get_by_role("button", name="提交完成").tap()
    expect(page.locator("#kept")).to_contain_text(f"完成 · {KEPT}")
    assert offered.actions()[-1] == "accept"
    phone.set_offline(False)
    expect(page.get_by_role("heading", name="辛苦了，已收到")).to_be_visible(timeout=15000)
    expect(page.locator("#kept")).to_be_empty()
    assert offered.actions()[-3:] == ["accept", "arrive", "finish"]
    assert [row[0] for row in offered.files()] == ["photo", "signature"]


def test_an_answer_that_is_lost_on_the_way_back_does_not_make_the_act_happen_twice(
    site: Site, phone: BrowserContext
) -> None:
    offered = offer(site.database)
    page = opened(phone, site, offered)
    lost: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.request.url)
        route.fetch()
        route.abort("connectionreset")

    page.route("**/accept", lose_the_first_answer)
    page.get_by_role("button", name="接单").tap()
    expect(page.locator('[data-stage="accepted"]')).to_be_visible(timeout=15000)
    expect(page.locator("#kept")).to_be_empty()
    assert len(lost) == 1
    assert offered.actions().count("accept") == 1


def test_what_was_kept_survives_the_page_and_is_sent_when_it_is_opened_again(site: Site, phone: BrowserContext) -> None:
    offered = offer(site.database)
    page = opened(phone, site, offered)
    page.get_by_role("button", name="接单").tap()
    expect(page.locator('[data-stage="accepted"]')).to_be_visible()
    phone.set_offline(True)
    page.get_by_role("button", name="我到了").tap()
    expect(page.locator("#kept")).to_contain_text(KEPT)
    page.close()
    phone.set_offline(False)
    again = opened(phone, site, offered)
    expect(again.locator('[data-stage="arrived"]')).to_be_visible()
    assert offered.actions()[-1] == "arrive"


def test_a_page_opened_without_a_signal_says_so_and_shows_what_waits(site: Site, phone: BrowserContext) -> None:
    offered = offer(site.database)
    page = opened(phone, site, offered)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    page.get_by_role("button", name="接单").tap()
    expect(page.locator('[data-stage="accepted"]')).to_be_visible()
    phone.set_offline(True)
    page.get_by_role("button", name="我到了").tap()
    expect(page.locator("#kept")).to_contain_text(KEPT)
    page.reload()
    expect(page.get_by_role("heading", name="没有信号")).to_be_visible()
    expect(page.locator("#kept")).to_contain_text(f"到了 · {KEPT}")
    assert RESIDENT not in page.content()
    phone.set_offline(False)
    expect(page.locator('[data-stage="arrived"]')).to_be_visible(timeout=15000)


def test_a_report_that_was_begun_is_there_again_after_the_page_was_closed(site: Site, phone: BrowserContext) -> None:
    offered = offer(site.database)
    page = opened(phone, site, offered)
    page.get_by_role("button", name="接单").tap()
    page.get_by_role("button", name="我到了").tap()
    expect(page.locator('[data-stage="arrived"]')).to_be_visible()
    fill_report(page)
    page.reload()
    expect(page.get_by_label("收费（元）")).to_have_value("80")
    expect(page.locator(".photos li")).to_have_count(1)
    expect(page.locator("[data-sign-state]")).to_have_text("已签名")


def test_declining_asks_for_a_reason_and_thanks(site: Site, phone: BrowserContext) -> None:
    offered = offer(site.database)
    page = opened(phone, site, offered)
    page.get_by_text("不接", exact=True).tap()
    page.get_by_role("radio", name="其他原因").tap()
    page.get_by_role("button", name="确定不接").tap()
    expect(page.get_by_text("请写明是什么原因")).to_be_visible()
    page.get_by_label("补充说明").fill("车坏了")
    page.get_by_role("button", name="确定不接").tap()
    expect(page.get_by_role("heading", name="您已回复不接")).to_be_visible()
    assert offered.recipient().reason == "车坏了"


def test_an_offer_that_lapsed_while_the_page_was_open_is_refused_in_plain_words(
    site: Site, phone: BrowserContext
) -> None:
    offered = offer(site.database)
    page = opened(phone, site, offered)
    offered.lapse()
    page.get_by_role("button", name="接单").tap()
    expect(page.locator("#kept")).to_contain_text("接单 · 没有收下：接单时间已过")
    expect(page.get_by_role("heading", name="接单时间已过")).to_be_visible()
    page.get_by_role("button", name="知道了").tap()
    expect(page.locator("#kept")).to_be_empty()
    assert offered.recipient().outcome == "lapsed"


def test_a_wrong_amount_is_told_beside_its_field_and_nothing_typed_is_lost(site: Site, phone: BrowserContext) -> None:
    offered = offer(site.database)
    page = opened(phone, site, offered)
    page.get_by_role("button", name="接单").tap()
    page.get_by_role("button", name="我到了").tap()
    expect(page.locator('[data-stage="arrived"]')).to_be_visible()
    fill_report(page)
    page.get_by_label("收费（元）").fill("9999999")
    page.get_by_role("button", name="提交完成").tap()
    expect(page.locator('[data-error="cost"]')).to_contain_text("100 万")
    expect(page.locator(".photos li")).to_have_count(1)
    page.get_by_label("收费（元）").fill("99")
    page.get_by_role("button", name="提交完成").tap()
    expect(page.get_by_role("heading", name="辛苦了，已收到")).to_be_visible()
    assert offered.order().cost_fen == 9900


def test_every_stage_is_readable_by_machines_and_touchable_by_thumbs(site: Site, phone: BrowserContext) -> None:
    offered = offer(site.database, proof=("photo", "signature"))
    page = opened(phone, site, offered)
    check(page)
    page.get_by_text("不接", exact=True).tap()
    check(page)
    page.get_by_role("button", name="接单").tap()
    expect(page.locator('[data-stage="accepted"]')).to_be_visible()
    check(page)
    page.get_by_role("button", name="我到了").tap()
    expect(page.locator('[data-stage="arrived"]')).to_be_visible()
    fill_report(page)
    check(page)
    page.get_by_role("button", name="提交完成").tap()
    expect(page.get_by_role("heading", name="辛苦了，已收到")).to_be_visible()
    check(page)
    page.goto(f"{site.url}/w/not-a-link-at-all-0123456789")
    check(page)


def check(page: Page) -> None:
    """The axe finds nothing, every target is at least 44 px, and nothing is wider than the phone."""
    assert violations(page) == []
    for target in page.locator(TARGETS).all():
        box = target.bounding_box() if target.is_visible() else None
        assert box is None or box["height"] >= SMALLEST_TARGET, target.inner_text()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE_SIZE["width"]
