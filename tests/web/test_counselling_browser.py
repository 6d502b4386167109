"""Pages of counselling in a real browser: nothing for axe to find, nothing wider than a phone, by keyboard."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Page, expect

from dispatch.gateways.limits import limiter
from dispatch.models.catalogue import Service
from dispatch.rules.access.roles import Role
from tests.web.looking import look_at_both_widths
from tests.web.orders.conftest import Desk, desk, open_page
from tests.web.test_counselling import booking, counsellor, keyed, kind, opened

__all__ = ["desk", "kind", "open_page"]
OpenPage = Callable[..., Page]


@pytest.fixture
def pages(desk: Desk, kind: Service) -> list[tuple[FlaskClient, str]]:
    """The pages with something on them, each with whose it is."""
    with desk.site.app.app_context():
        limiter.reset()
    client = counsellor(desk, kind)
    holder = keyed(desk, client)[0]
    slot_id = opened(desk, client)
    opened(desk, client, hours=72)
    public = f"/appointments/{desk.world.community.id}"
    stranger, operator = desk.site.app.test_client(), desk.client(Role.OPERATOR)
    stranger.post(f"{public}/{kind.id}", data=booking(slot_id))
    centre = desk.client(Role.CENTRE)
    about = f"community_id={desk.world.community.id}&service_id={kind.id}"
    return [
        (stranger, public),
        (stranger, f"{public}/{kind.id}"),
        (stranger, f"{public}/mine"),
        (operator, "/counselling"),
        (operator, f"/counselling/new?{about}"),
        (client, "/counselling/mine"),
        (client, "/counselling/mine/key"),
        (client, "/counselling/mine/1"),
        (holder, "/counselling/holder"),
        (centre, "/counselling/counsellors"),
    ]


def whose(client: FlaskClient, page: Page, url: str) -> None:
    """Let the browser be logged in as this client is."""
    cookie = client.get_cookie("session")
    page.context.clear_cookies()
    if cookie is not None:
        page.context.add_cookies([{"name": "session", "value": cookie.value, "url": url}])


def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    open_page: OpenPage, desk: Desk, pages: list[tuple[FlaskClient, str]]
) -> None:
    page = open_page(Role.OPERATOR, "/counselling")
    for client, address in pages:
        whose(client, page, desk.site.url)
        page.goto(desk.site.url + address, wait_until="load")
        look_at_both_widths(page)


def test_a_stranger_books_by_keyboard_and_is_shown_the_code(
    open_page: OpenPage, desk: Desk, pages: list[tuple[FlaskClient, str]]
) -> None:
    page = open_page(Role.OPERATOR, "/counselling", width=390)
    whose(pages[0][0], page, desk.site.url)
    page.goto(desk.site.url + pages[1][1], wait_until="load")
    page.get_by_label("怎么称呼您").fill("阿明")
    page.get_by_label("电话", exact=True).fill("13900000009")
    page.get_by_label("电话", exact=True).press("Enter")
    expect(page.locator("#slot_id-error")).to_contain_text("请选择一个时间")
    expect(page.get_by_label("怎么称呼您")).to_have_value("阿明")
    page.get_by_role("radio").first.check()
    page.get_by_label("电话", exact=True).press("Enter")
    expect(page.get_by_text("请记下预约码")).to_be_visible()
