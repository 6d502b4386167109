"""The devices' pages in a real browser: nothing for axe, nothing wider than a phone; an alarm is called about."""

from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect
from sqlalchemy import select

from dispatch import clock
from dispatch.gateways.limits import limiter
from dispatch.models.care import AlarmCall, AlarmEvent
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.services.care import alarms
from tests.factories.alarms import report, watched
from tests.web.orders.conftest import Desk, desk, open_page

__all__ = ["desk", "open_page"]
OpenPage = Callable[..., Page]
WIDER = "document.documentElement.scrollWidth > document.documentElement.clientWidth"


@pytest.fixture
def pages(desk: Desk) -> list[str]:
    """The addresses of a community in which an elder has pressed the red key: the list, the device, the alarm."""
    with desk.site.app.app_context():
        limiter.reset()
    with desk.site.database.session() as session:
        device = watched(session, desk.world).device
        child = alarms.ContactDraft("child", "陈小明", "13800005678")
        alarms.add_contact(session, device.id, child, actor=SYSTEM, now=clock.now(session))
        report(session, device)
        placed = select(Order.number).join(AlarmEvent, AlarmEvent.order_id == Order.id)
        number = session.scalars(placed.where(AlarmEvent.device_id == device.id)).one()
        session.commit()
    return ["/devices", f"/devices/{device.id}", f"/devices/alarms/{number}", f"/orders/{number}"]


def test_axe_finds_nothing_and_the_child_s_confirmation_stands_on_the_order(
    desk: Desk, open_page: OpenPage, pages: list[str]
) -> None:
    opened = open_page(Role.DISPATCHER, pages[0])
    for width in (1280, 390):
        opened.set_viewport_size({"width": width, "height": 844})
        for address in pages[:3]:
            opened.goto(f"{desk.site.url}{address}")
            expect(opened.locator("#alarm-link")).to_be_visible()
            assert Axe().run(opened).response["violations"] == [], address
            assert not opened.evaluate(WIDER), address
    opened.goto(f"{desk.site.url}/board")
    opened.locator("#pressing").get_by_role("link", name="打电话").click()
    opened.get_by_role("button", name="陈小明：已确认情况").press("Enter")
    expect(opened.get_by_text("已有人确认情况")).to_be_visible()
    expect(opened.locator("#alarm-link")).to_be_visible()
    expect(opened.locator("#pressing")).to_be_empty()
    opened.goto(f"{desk.site.url}{pages[3]}")
    expect(opened.locator(".timeline")).to_contain_text("子女 · 已确认情况")
    with desk.site.database.session() as session:
        assert session.scalars(select(AlarmCall.outcome)).all() == ["confirmed"]
