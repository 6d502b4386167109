"""The operator's desk in a real browser: by keyboard alone, saved once, nothing typed is lost."""

from collections.abc import Callable

from playwright.sync_api import Page, Route, expect

from dispatch.rules.access.roles import Role
from tests.web.looking import violations
from tests.web.orders.conftest import ADDRESS, DESCRIPTION, PHONE, Desk

OpenPage = Callable[..., Page]


def focused(page: Page, selector: str) -> None:
    expect(page.locator(selector)).to_be_focused()


def write_call(page: Page) -> None:
    """Everything of a call but the last key."""
    page.keyboard.type(PHONE)
    page.keyboard.press("Enter")
    page.keyboard.type("gdst")
    expect(page.locator("#kind-list [data-service]")).to_have_count(1)
    page.keyboard.press("Enter")
    focused(page, "#address_text")
    page.keyboard.type(ADDRESS)
    expect(page.locator("#place-result")).to_contain_text("已定到楼道")
    page.keyboard.press("Enter")
    page.keyboard.type(DESCRIPTION)
    page.keyboard.press("Tab")
    page.keyboard.press("2")
    page.keyboard.press("1")
    focused(page, "#save")


def test_a_call_becomes_an_order_without_the_mouse(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, "/desk")
    write_call(page)
    expect(page.locator("#preview")).to_contain_text(desk.world.firms[0].name)
    page.keyboard.press("Control+Enter")
    expect(page.locator(".placed-number")).to_be_visible()
    focused(page, "#caller_phone")
    expect(page.locator("#description")).to_have_value("")
    (order,) = desk.orders()
    assert page.locator(".placed-number").inner_text() == order.number
    assert order.answers == {"spot": "kitchen", "overflow": "yes"}
    assert (order.place_outcome, order.room, order.description) == ("stairwell", "501", DESCRIPTION)


def test_a_known_caller_needs_at_most_twelve_keys_beside_the_description(desk: Desk, open_page: OpenPage) -> None:
    desk.place()
    page = open_page(Role.OPERATOR, f"/desk?phone={PHONE}")
    expect(page.locator("#caller")).to_contain_text("管道疏通")
    keys = ["Enter", "g", "d", "s", "t"]
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator("#kind-list [data-service]")).to_have_count(1)
    page.keyboard.press("Enter")
    focused(page, "#address_text")
    page.keyboard.press("Enter")
    page.keyboard.type(DESCRIPTION)
    for key in ("Tab", "2", "1", "Control+Enter"):
        page.keyboard.press(key)
    expect(page.locator(".placed-number")).to_be_visible()
    assert len(keys) + 2 + 4 <= 12
    assert len(desk.orders()) == 2


def test_two_saves_at_once_make_one_order(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, "/desk")
    write_call(page)
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Control+Enter")
    expect(page.locator(".placed-number")).to_be_visible()
    assert len(desk.orders()) == 1


PRESS_WHEN_ANSWERED = """() => document.body.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "desk-result" || window.pressed) { return; }
  setTimeout(() => {
    document.dispatchEvent(new KeyboardEvent("keydown", { key: "Enter", ctrlKey: true, bubbles: true }));
    window.pressed = true;
  });
})"""


def test_a_save_in_the_moment_of_the_answer_makes_no_second_order(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, "/desk")
    saved: list[str] = []
    page.on("request", lambda one: saved.append(one.url) if (one.method, one.url[-5:]) == ("POST", "/desk") else None)
    write_call(page)
    page.evaluate(PRESS_WHEN_ANSWERED)
    page.keyboard.press("Control+Enter")
    page.wait_for_function("() => window.pressed")
    expect(page.locator(".placed-number")).to_be_visible()
    assert (len(saved), len(desk.orders())) == (1, 1)


def test_an_answer_that_was_lost_is_asked_for_again_and_makes_no_second_order(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, "/desk")
    expect(page.locator("[data-live-mark]")).to_have_attribute("data-words", "实时更新")
    write_call(page)
    lost: list[int] = []

    def lose(route: Route) -> None:
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/desk", lose, times=1)
    with page.expect_event("requestfailed", lambda request: request.url.endswith("/desk")):
        page.keyboard.press("Control+Enter")
    expect(page.locator("[data-live-mark]")).to_have_attribute("data-words", "连接中断，正在重连")
    assert lost == [201]
    expect(page.locator("#description")).to_have_value(DESCRIPTION)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#desk-result")).to_contain_text("没有重复登记")
    assert len(desk.orders()) == 1


def test_a_draft_survives_a_reload(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, "/desk")
    write_call(page)
    page.reload(wait_until="load")
    expect(page.locator("#description")).to_have_value(DESCRIPTION)
    expect(page.locator("#kind_text")).to_have_value("管道疏通")
    expect(page.locator("input[name='answer.spot'][value=kitchen]")).to_be_checked()
    page.keyboard.press("Control+Enter")
    expect(page.locator(".placed-number")).to_be_visible()
    assert desk.orders()[0].answers == {"spot": "kitchen", "overflow": "yes"}


def test_a_wrong_field_is_named_beside_it_and_everything_typed_stays(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, "/desk")
    page.keyboard.type(PHONE)
    page.locator("#description").fill(DESCRIPTION)
    page.keyboard.press("Control+Enter")
    expect(page.locator("#error-service_id")).to_contain_text("请选择服务类别")
    focused(page, "#kind_text")
    expect(page.locator("#description")).to_have_value(DESCRIPTION)
    assert desk.orders() == []


def test_a_place_that_may_be_several_is_picked_by_a_number_key(open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, "/desk")
    page.locator("#address_text").focus()
    page.keyboard.type("2号楼")
    expect(page.locator("[data-candidate]")).to_have_count(2)
    page.keyboard.press("Alt+2")
    expect(page.locator("#place-result")).to_contain_text("2单元")
    focused(page, "#description")


def test_a_likely_duplicate_is_shown_before_saving(desk: Desk, open_page: OpenPage) -> None:
    number = desk.place()
    page = open_page(Role.OPERATOR, "/desk")
    write_call(page)
    expect(page.locator("#preview")).to_contain_text(number)


def test_axe_finds_nothing_at_the_desk(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, "/desk")
    write_call(page)
    expect(page.locator("#preview")).to_contain_text(desk.world.firms[0].name)
    assert violations(page) == []


def test_the_desk_weighs_less_than_150_kilobytes(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, "/alarms")
    sizes: list[int] = []
    page.on(
        "response",
        lambda response: (
            sizes.append(response.request.sizes()["responseBodySize"]) if "/live" not in response.url else None
        ),
    )
    page.goto(desk.site.url + "/desk", wait_until="load")
    expect(page.locator("#alarm-link")).to_be_visible()
    assert 0 < sum(sizes) < 150_000


def test_a_form_cleared_while_its_draft_comes_back_stays_as_it_is_typed_then(open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, "/desk")
    write_call(page)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/desk/questions**", hold, times=1)
    page.reload(wait_until="load")
    expect(page.locator("#kind_text")).to_have_value("管道疏通")
    page.keyboard.press("Alt+n")
    expect(page.locator("#kind_text")).to_have_value("")
    page.locator("#description").fill("另一个来电")
    page.locator("#kind_text").focus()
    page.keyboard.type("gdst")
    expect(page.locator("#kind-list [data-service]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#questions fieldset")).to_have_count(2)
    expect(page.locator("#questions input:checked")).to_have_count(0)
    expect(page.locator("#description")).to_have_value("另一个来电")
