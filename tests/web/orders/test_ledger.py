"""The time ledger on the page of an order, as a file, and in the API."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from dispatch import clock
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Right, Role
from dispatch.rules.orders.ledger import Bucket
from dispatch.services import catalogue, orders
from dispatch.services.access import reach
from dispatch.services.orders import OrderDraft
from tests.api.calling import caller
from tests.factories.world import make_world, staff
from tests.web.looking import violations
from tests.web.orders.conftest import DESCRIPTION, Desk

OpenPage = Callable[..., Page]
DRAWN = re.compile(r'<rect [^>]*width="([0-9.]+)"[^>]*stroke')


@pytest.fixture
def number(desk: Desk) -> str:
    """The number of an order that waited an hour for us, and then five for a firm's answer."""
    with desk.site.database.session() as session:
        desk.world.plumbing.service_clock = "always"
        session.merge(desk.world.plumbing)
        now = clock.now(session)
        draft = OrderDraft(DESCRIPTION, service_id=desk.world.plumbing.id, stairwell_id=desk.world.stairwells[0].id)
        actor = staff(session, desk.world, Role.OPERATOR)
        order = orders.place(session, draft, actor=actor, now=now - timedelta(hours=6))
        orders.route(session, order.id, now=now - timedelta(hours=5))
        session.commit()
        return order.number


def test_the_page_shows_whom_the_time_waited_for(desk: Desk, number: str) -> None:
    page = desk.client(Role.DISPATCHER).get(f"/orders/{number}").get_data(as_text=True)
    panel = page[page.index("ledger-title") : page.index("offers-title")]
    assert "共 6 小时" in panel
    assert ("等我们" in panel, "等服务商" in panel, "等居民" in panel) == (True, True, False)
    assert ("16.7%" in panel, "83.3%" in panel) == (True, True)
    assert "style=" not in panel


def test_the_picture_is_a_file_of_its_own(desk: Desk, number: str) -> None:
    answer = desk.client(Role.DISPATCHER).get(f"/orders/{number}/ledger.svg")
    assert answer.content_type == "image/svg+xml; charset=utf-8"
    widths = [float(width) for width in DRAWN.findall(answer.get_data(as_text=True))]
    assert widths == pytest.approx([120, 600], abs=0.1)  # routed some milliseconds after the hour


def test_the_api_gives_the_ledger_whose_buckets_add_up(desk: Desk, number: str) -> None:
    reader = caller(desk.site.database, desk.world.district.id, Right.ORDERS_READ)
    body = reader.get(f"/api/orders/{number}/ledger").json
    assert body is not None
    assert set(body["seconds"]) == set(Bucket)
    assert sum(body["seconds"].values()) == body["elapsed"] >= 6 * 3600
    assert [spell["bucket"] for spell in body["spells"]] == ["us", "provider"]
    assert body["spells"][0]["seconds"] == 3600


def test_a_corrected_calendar_books_anew(desk: Desk, number: str) -> None:
    with desk.site.database.session() as session:
        desk.world.plumbing.service_clock = "working"
        session.merge(desk.world.plumbing)
        order = session.scalars(select(Order).where(Order.number == number)).one()
        for day in {clock.today(order.created_at), clock.today(clock.now(session))}:
            catalogue.edit_day(session, desk.world.district.id, day, kind="holiday", name="停电", actor=SYSTEM)
        events = orders.time_line(session, order)
        made = orders.ledger_of(session, order, desk.world.plumbing, events, now=clock.now(session))
    assert made.seconds[Bucket.OUTSIDE] == made.elapsed


def test_a_ledger_out_of_reach_is_not_there(desk: Desk, number: str) -> None:
    with desk.site.database.session() as session:
        elsewhere = make_world(session)
        session.commit()
        assert reach.scope_at(session, [elsewhere.district.id]).communities
    stranger = caller(desk.site.database, elsewhere.district.id, Right.ORDERS_READ)
    assert stranger.get(f"/api/orders/{number}/ledger").status_code == 404


def test_the_bar_has_its_table_and_axe_finds_nothing(open_page: OpenPage, number: str) -> None:
    page = open_page(Role.DISPATCHER, f"/orders/{number}", width=390)
    expect(page.locator("#ledger-words tbody tr")).to_have_count(2)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
