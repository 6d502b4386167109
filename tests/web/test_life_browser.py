"""Pages of care in a real browser: nothing for axe to find, nothing wider than a phone; a stranger without a name."""

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from dispatch.gateways.limits import limiter
from dispatch.models.care import Condolence, FestivalInvitation, SolicitationEntry
from dispatch.rules.access.roles import Role
from dispatch.services.care import hosting
from tests.factories.world import service
from tests.house import festival_deeds, life_deeds
from tests.house.asking_deeds import said
from tests.web.looking import look_at_both_widths
from tests.web.orders.conftest import Desk, desk, open_page

__all__ = ["desk", "open_page"]
OpenPage = Callable[..., Page]


@pytest.fixture
def pages(desk: Desk) -> list[str]:
    """The addresses of a community in which something was asked and said, happened, and is celebrated."""
    with desk.site.app.app_context():
        limiter.reset()
    with desk.site.database.session() as session:
        entry = session.get_one(SolicitationEntry, int(said(session, desk.world, 0)))
        asking_id = entry.solicitation_id
        event_id = session.get_one(Condolence, int(life_deeds.unpaid(session, desk.world, 0))).event_id
        group_id = life_deeds.listed(session, desk.world, 0)
        feast_id = festival_deeds.event(session, desk.world, 0)
        session.commit()
    public = f"/ask/{desk.world.community.id}"
    staff = ["/asking", f"/asking/{asking_id}", f"/asking/entries/{entry.id}"]
    lived = ["/life", f"/life/{event_id}", "/life/new", "/life/groups", f"/life/groups/{group_id}"]
    feasts = ["/festivals", f"/festivals/{feast_id}"]
    return [*staff, public, f"{public}/{asking_id}", f"{public}/thanks", *lived, *feasts]


def test_axe_finds_nothing_and_no_page_is_wider_than_a_phone(desk: Desk, open_page: OpenPage, pages: list[str]) -> None:
    opened = open_page(Role.CENTRE, pages[0])
    for address in pages:
        opened.goto(f"{desk.site.url}{address}", wait_until="load")
        look_at_both_widths(opened)


def test_a_stranger_says_something_by_keyboard_and_leaves_no_name(
    desk: Desk, open_page: OpenPage, pages: list[str]
) -> None:
    opened = open_page(Role.CENTRE, pages[0])
    opened.context.clear_cookies()
    opened.goto(f"{desk.site.url}{pages[4]}")
    opened.get_by_label("您需要什么").focus()
    opened.keyboard.type("想要一张长椅")
    opened.keyboard.press("Tab")
    opened.keyboard.press("Space")
    expect(opened.get_by_role("checkbox")).to_be_checked()
    opened.get_by_role("button", name="提交").focus()
    opened.keyboard.press("Enter")
    expect(opened.get_by_text("谢谢您，已经记下来了")).to_be_visible()
    expect(opened).to_have_url(re.compile("/thanks$"))
    with desk.site.database.session() as session:
        entry = session.scalars(select(SolicitationEntry).order_by(SolicitationEntry.id.desc())).first()
    assert entry is not None
    assert (entry.source, entry.anonymous, entry.name) == ("site", True, None)


def test_who_comes_is_noted_by_keyboard_and_fetched(desk: Desk, open_page: OpenPage, pages: list[str]) -> None:
    with desk.site.database.session() as session:
        service(session, desk.world.district, hosting.RIDE, offered=["programme"], given="take_from_list")
        session.commit()
    opened = open_page(Role.WELFARE, pages[-1])
    answer = opened.get_by_role("combobox").first
    answer.focus()
    opened.keyboard.press("ArrowDown")
    for box in ("要接", "同意拍照"):
        opened.get_by_label(box).first.focus()
        opened.keyboard.press("Space")
    opened.get_by_role("button", name="记下").first.press("Enter")
    expect(opened.get_by_text("请 1 人，1 人说来")).to_be_visible()
    opened.get_by_role("button", name="派人去接").press("Enter")
    expect(opened.locator("a.order-number")).to_have_count(1)
    with desk.site.database.session() as session:
        invited = session.scalars(select(FestivalInvitation)).one()
    assert (invited.answer, invited.wants_ride, invited.may_picture) == ("comes", True, True)
