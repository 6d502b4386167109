"""The same matter by one key, merging and calling back in a real browser: by keyboard, on a phone's width, by axe."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dispatch.rules.access.roles import Role
from dispatch.rules.orders.states import OrderState
from tests.web.looking import violations
from tests.web.orders.conftest import ADDRESS, DESCRIPTION, Desk

OpenPage = Callable[..., Page]
NEIGHBOUR = "13905785678"


def write_neighbour_s_call(page: Page) -> list[str]:
    """A neighbour calls about the same drain; the keys beside address and description."""
    keys = ["Enter", "g", "d", "s", "t"]
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator("#kind-list [data-service]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(page.locator("#address_text")).to_be_focused()
    page.keyboard.type(ADDRESS)
    page.keyboard.press("Enter")
    page.keyboard.type(DESCRIPTION)
    return [*keys, "Enter", "Enter"]


@pytest.mark.parametrize(("press", "urged"), [("Alt+6", 0), ("Alt+Shift+6", 1)])
def test_the_same_matter_is_one_key_and_the_desk_is_empty_for_the_next_call(
    desk: Desk, open_page: OpenPage, press: str, urged: int
) -> None:
    number = desk.place()
    page = open_page(Role.OPERATOR, f"/desk?phone={NEIGHBOUR}")
    keys = write_neighbour_s_call(page)
    expect(page.locator("#preview [data-same='6']")).to_be_visible()
    page.keyboard.press(press)
    expect(page.locator("#repeated")).to_contain_text(number)
    expect(page.locator("#repeated")).to_contain_text("第 2 次来电")
    expect(page.locator("#caller_phone")).to_be_focused()
    expect(page.locator("#description")).to_have_value("")
    assert len(keys) + 1 <= 12
    order = desk.order(number)
    assert (len(desk.orders()), order.repeat_calls, order.urged) == (1, 1, urged)
    assert desk.actions(number).count("repeat_call") == 1


PRESS_AT_ONCE = """() => new MutationObserver((_, observer) => {
  const button = document.querySelector("#preview [data-same='6']");
  if (button) { observer.disconnect(); button.click(); }
}).observe(document.querySelector("#preview"), { childList: true, subtree: true })"""


def test_the_key_of_the_same_matter_works_from_the_moment_it_is_seen(desk: Desk, open_page: OpenPage) -> None:
    number = desk.place()
    page = open_page(Role.OPERATOR, f"/desk?phone={NEIGHBOUR}")
    page.evaluate(PRESS_AT_ONCE)
    write_neighbour_s_call(page)
    expect(page.locator("#repeated")).to_contain_text(number)


def test_merged_taken_apart_and_split_by_keyboard(desk: Desk, open_page: OpenPage) -> None:
    one, other = desk.place(), desk.place(description="还是下水道堵")
    page = open_page(Role.OPERATOR, f"/orders/{one}")
    page.locator("#merge > summary").focus()
    page.keyboard.press("Enter")
    page.locator("#merge-found input").first.focus()
    page.keyboard.press("Space")
    page.locator("#merge button[type=submit]").focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(other)
    expect(page.locator("#callers")).to_contain_text(one)
    assert violations(page) == []
    page.locator("#callers a").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_contain_text(one)
    expect(page.locator("#order-now")).to_contain_text("已并入")
    assert violations(page) == []
    page.locator("#unmerge-reason").fill("不是同一件事")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#order-now")).to_contain_text("待派")
    assert desk.state(one) is OrderState.AWAITING_DISPATCH


def test_everybody_on_the_list_is_called_on_a_phone_too(desk: Desk, open_page: OpenPage) -> None:
    number = desk.finished()
    desk.client(Role.OPERATOR).post(
        f"/desk/repeat/{number}",
        data={"form_key": "k" * 24, "caller_phone": NEIGHBOUR, "caller_name": "李四", "description": "我家也堵"},
    )
    page = open_page(Role.CALLBACK_CLERK, "/callbacks", width=390)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.locator("#callbacks tbody tr")).to_have_count(2)
    assert violations(page) == []
    page.get_by_role("button", name="显示号码").nth(1).click()
    expect(page.locator("#call-1-2")).to_contain_text(NEIGHBOUR)
    page.get_by_role("link", name="回访").last.click()
    expect(page.locator("#call-back input[name=caller_id]:checked")).not_to_have_value("")
    page.locator("#call-back input[name=reached][value=no]").focus()
    page.keyboard.press("Space")
    page.get_by_role("button", name="记下这次回访").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#order-now")).to_contain_text("没打通")
    assert desk.state(number) is OrderState.CALLING_BACK
