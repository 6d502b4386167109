"""The counter in a real browser: by keyboard alone, by finger, without a network; what it took is printed."""

from collections.abc import Iterator
from time import monotonic

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.factories.aid import picture
from tests.web.conftest import Site
from tests.web.counter_world import Counter, make_counter
from tests.web.drawing import sign
from tests.web.looking import violations

KEPT = "已存在这台设备里，有网络时自动发送"


@pytest.fixture
def desk(browser: Browser) -> Iterator[BrowserContext]:
    """A tablet with a keyboard and a finger."""
    context = browser.new_context(viewport={"width": 1024, "height": 900}, has_touch=True, locale="zh-CN")
    context.set_default_timeout(8000)
    yield context
    context.close()


def opened(desk: BrowserContext, counter: Counter) -> Page:
    """The counter, ready."""
    counter.log_in(desk)
    page = desk.new_page()
    page.goto(f"{counter.site.url}/counter")
    expect(page.locator("html[data-ready]")).to_have_count(1)
    return page


def scanned(page: Page, text: str) -> None:
    """A scanner types the code and presses Enter."""
    expect(page.locator("#card")).to_be_focused()
    page.keyboard.insert_text(text)
    page.keyboard.press("Enter")


def chosen(page: Page) -> None:
    """Two boxes of milk and two and a half 斤 of rice, by their initials; then on to the signature."""
    expect(page.locator("#filter")).to_be_focused()
    for word, amount in (("nn", "2"), ("dm", "2.5")):
        page.keyboard.type(word)
        page.keyboard.press("Enter")
        page.keyboard.type(amount)
        page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    expect(page.locator('[data-part="signing"]')).to_be_visible()


def done(page: Page) -> None:
    """It was taken."""
    expect(page.locator('[data-part="done"]')).to_contain_text("已领取，编号")
    expect(page.locator("#newest tbody tr").first).to_contain_text("已领取")
    expect(page.locator("#card")).to_be_focused()


def test_a_hand_out_by_finger_is_scanned_chosen_signed_and_printed(site: Site, desk: BrowserContext) -> None:
    counter = make_counter(site)
    page = opened(desk, counter)
    began = monotonic()
    scanned(page, counter.qr)
    chosen(page)
    assert violations(page) == []
    sign(page)
    page.get_by_role("button", name="完成领取").click()
    done(page)
    print(f"a hand-out by finger: {monotonic() - began:.1f} s, 14 keys after the scan")  # noqa: T201 - told, not judged
    assert [(one.state, one.way, one.points) for one in counter.hand_outs()] == [("done", "stroke", 28)]
    assert counter.left() == 18
    page.get_by_role("link", name="打印领取单").click()
    expect(page.locator("h1")).to_contain_text("领取单")
    expect(page.locator("tbody")).to_contain_text("2.5 斤")
    expect(page.locator("main")).not_to_contain_text("陈婆婆")


def test_a_hand_out_by_keyboard_alone_ends_with_the_photo_of_a_signed_paper(site: Site, desk: BrowserContext) -> None:
    counter = make_counter(site, helped_before=True)
    page = opened(desk, counter)
    scanned(page, counter.typed)
    expect(page.locator('input[name="seen"]')).to_be_focused()
    page.keyboard.press("Space")
    page.keyboard.press("Tab")
    chosen(page)
    expect(page.locator("input[name=way]:checked")).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#paper")).to_be_visible()
    page.locator("#paper").set_input_files({"name": "1.jpg", "mimeType": "image/jpeg", "buffer": picture()})
    page.locator("#paper").focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="完成领取")).to_be_focused()
    page.keyboard.press("Enter")
    done(page)
    (made,) = counter.hand_outs()
    assert (made.state, made.way, len(made.warned)) == ("done", "scan", 1)


def test_without_a_network_what_was_reserved_is_signed_kept_and_sent_once(site: Site, desk: BrowserContext) -> None:
    counter = make_counter(site)
    page = opened(desk, counter)
    scanned(page, counter.qr)
    chosen(page)
    desk.set_offline(True)
    sign(page)
    page.get_by_role("button", name="完成领取").click()
    expect(page.locator("#kept")).to_contain_text(KEPT)
    assert [one.state for one in counter.hand_outs()] == ["reserved"]
    page.locator("#card").fill(counter.qr)
    page.locator("#card").press("Enter")
    expect(page.locator("#kept")).to_contain_text("不能开始新的领取")
    desk.set_offline(False)
    done(page)
    expect(page.locator("#kept")).to_be_empty()
    (made,) = counter.hand_outs()
    assert (made.state, counter.left()) == ("done", 18)
    assert made.signed_at is not None
    assert made.recorded_at is not None
    assert made.signed_at < made.recorded_at


def test_an_answer_that_is_lost_on_the_way_back_does_not_hand_out_twice(site: Site, desk: BrowserContext) -> None:
    counter = make_counter(site)
    page = opened(desk, counter)
    scanned(page, counter.qr)
    chosen(page)
    lost: list[str] = []

    def lose_the_first_answer(route: Route) -> None:
        if lost:
            route.continue_()
            return
        lost.append(route.request.url)
        route.fetch()
        route.abort("connectionreset")

    page.route("**/signature", lose_the_first_answer)
    sign(page)
    page.get_by_role("button", name="完成领取").click()
    expect(page.locator('[data-part="done"]')).to_be_visible(timeout=15000)
    assert len(lost) == 1
    assert (counter.left(), len(counter.hand_outs())) == (18, 1)


def test_a_dead_card_and_a_stranger_s_code_are_told_in_plain_words(site: Site, desk: BrowserContext) -> None:
    counter = make_counter(site)
    page = opened(desk, counter)
    scanned(page, "HQ1/NOT/A/CARD")
    expect(page.locator('[data-part="refused"]')).to_contain_text("这不是爱心卡上的码")
    expect(page.locator("#card")).to_be_focused()
    page.locator("#card").fill("0" * 26)
    page.keyboard.press("Enter")
    expect(page.locator('[data-part="refused"]')).to_contain_text("没有这张爱心卡")


def test_a_card_is_checked_without_a_network_by_its_own_signature(site: Site, desk: BrowserContext) -> None:
    counter = make_counter(site)
    page = desk.new_page()
    page.goto(f"{site.url}/cards/check")
    expect(page.locator("html[data-ready]")).to_have_count(1)
    page.evaluate("navigator.serviceWorker.ready.then(() => true)")
    desk.set_offline(True)
    page.reload()
    expect(page.locator("html[data-ready]")).to_have_count(1)
    page.locator("#card").fill(counter.qr.lower())
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("有效")
    expect(page.locator("#answer")).to_contain_text("凭这一页不能领取")
    forged = counter.qr[:-1] + ("0" if counter.qr[-1] != "0" else "1")
    page.locator("#card").fill(forged)
    page.keyboard.press("Enter")
    expect(page.locator("#answer")).to_contain_text("不是这里发出的爱心卡")
    assert violations(page) == []
