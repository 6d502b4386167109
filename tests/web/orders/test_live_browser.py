"""The live pages in a real browser: they follow what happens and leave alone what somebody is typing."""

from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from dispatch.rules.access.roles import Role
from tests.web.looking import violations
from tests.web.orders.conftest import Desk

OpenPage = Callable[..., Page]


def test_a_new_order_appears_on_the_board_by_itself(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(Role.DISPATCHER, "/board")
    expect(page.locator("[data-live-mark]")).to_have_attribute("data-words", "实时更新")
    number = desk.place(address="老菜场后面")
    expect(page.locator("#waiting")).to_contain_text(number)


def test_the_form_beside_the_board_keeps_what_is_typed_while_the_board_changes(desk: Desk, open_page: OpenPage) -> None:
    number = desk.place()
    desk.route(number)
    page = open_page(Role.DISPATCHER, "/board")
    expect(page.locator("[data-live-mark]")).to_have_attribute("data-words", "实时更新")
    page.locator(f"#p-{number}").click()
    page.locator("#hand-reason").fill("居民点名")
    other = desk.place(address="老菜场后面")
    expect(page.locator("#waiting")).to_contain_text(other)
    expect(page.locator("#hand-reason")).to_have_value("居民点名")
    expect(page.locator("#hand-reason")).to_be_focused()


def test_a_board_that_changes_does_not_swallow_a_click_that_is_under_way(desk: Desk, open_page: OpenPage) -> None:
    number = desk.place()
    desk.route(number)
    page = open_page(Role.DISPATCHER, "/board")
    expect(page.locator("[data-live-mark]")).to_have_attribute("data-words", "实时更新")
    held: list[Route] = []
    page.route("**/board/dispatch/*", lambda route: held.append(route))  # noqa: PLW0108 - a built-in cannot be marked
    with page.expect_request("**/board/dispatch/*"):
        page.locator(f"#p-{number}").click()
    other = desk.place(address="老菜场后面")
    expect(page.locator("#waiting")).to_contain_text(other)
    held[0].continue_()
    expect(page.locator("#hand-reason")).to_be_visible()


def test_the_order_just_saved_tells_whom_it_went_to(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, "/desk")
    page.locator("#kind_text").focus()
    page.keyboard.type("gdst")
    expect(page.locator("#kind-list [data-service]")).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.type("1号楼1单元")
    page.keyboard.press("Enter")
    page.keyboard.type("堵了")
    page.keyboard.press("Control+Enter")
    number = page.locator(".placed-number").inner_text()
    desk.route(number)
    expect(page.locator("#desk-result")).to_contain_text("已经问了")
    expect(page.locator("#caller_phone")).to_be_focused()


def test_axe_finds_nothing_on_the_pages_of_orders(desk: Desk, open_page: OpenPage) -> None:
    routed, waiting = desk.place(), desk.place(address="老菜场后面")
    desk.route(routed)
    page = open_page(Role.DISPATCHER, "/board")
    paths = (
        "/board",
        "/orders",
        f"/orders/{routed}",
        f"/orders/{waiting}",
        f"/orders/{routed}/slip",
        "/alarms",
        "/inbox",
    )
    for path in paths:
        page.goto(desk.site.url + path, wait_until="load")
        assert (path, violations(page)) == (path, [])


def test_nothing_is_fetched_from_outside_the_machine(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(Role.DISPATCHER, "/alarms")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(desk.site.url + "/board", wait_until="load")
    assert asked
    assert all(url.startswith(desk.site.url) for url in asked)
