"""Pages about giving in a real browser: nothing for axe to find, nothing wider than a phone; a stranger's pledge."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select

from dispatch import clock
from dispatch.gateways.limits import limiter
from dispatch.models.market import Pledge
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.services import market
from tests.factories.giving import make_agreement, make_pledge
from tests.web.looking import look_at_both_widths
from tests.web.orders.conftest import Desk, desk, open_page

__all__ = ["desk", "open_page"]
OpenPage = Callable[..., Page]


@pytest.fixture
def pages(desk: Desk) -> list[str]:
    """The addresses of a community in which something was promised and written."""
    with desk.site.app.app_context():
        limiter.reset()
    community = desk.world.community.id
    with desk.site.database.session() as session:
        now = clock.now(session)
        pledge = make_pledge(session, desk.world, now=now)
        make_agreement(session, desk.world, signed_on=clock.today(now), now=now)
        said = {"title": "捐一件衣", "words": "天冷了。", "actor": SYSTEM, "now": now}
        appeal = market.write_appeal(session, community, **said)
        market.add_donor(session, community, market.DonorDraft("陈桂花", phone="13800005678"), actor=SYSTEM, now=now)
        session.commit()
    staff = ["/giving", "/giving/new", f"/giving/{pledge.id}", "/giving/donors"]
    return [*staff, "/campaigns", f"/campaigns/appeals/{appeal.id}", f"/give/{community}", f"/give/{community}/thanks"]


def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(
    desk: Desk, open_page: OpenPage, pages: list[str]
) -> None:
    page = open_page(Role.CENTRE, "/giving")
    for address in pages:
        page.goto(desk.site.url + address, wait_until="load")
        look_at_both_widths(page)


def test_a_stranger_promises_quilts_by_keyboard_and_the_error_stands_beside_the_field(
    open_page: OpenPage, desk: Desk, pages: list[str]
) -> None:
    page = open_page(Role.CENTRE, pages[-2], width=390)
    page.get_by_label("写一写捐的东西或想法").fill("一袋大米")
    page.get_by_label("到哪里取").fill("1号楼1单元501")
    page.get_by_label("电话", exact=True).press("Enter")
    expect(page.locator("#phone-error")).to_contain_text("请留下电话")
    expect(page.get_by_label("写一写捐的东西或想法")).to_have_value("一袋大米")
    page.get_by_label("电话", exact=True).fill("13905781234")
    page.get_by_label("电话", exact=True).press("Enter")
    expect(page.get_by_role("heading")).to_contain_text("谢谢您")
    with desk.site.database.session() as session:
        (words,) = session.scalars(select(Pledge.words).where(Pledge.source == "site"))
    assert words == "一袋大米"
