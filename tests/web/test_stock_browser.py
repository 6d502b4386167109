"""The keeper's pages in a real browser: nothing for axe to find, nothing wider than a phone; ticked and signed."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from dispatch import clock
from dispatch.models.market import Disposal, Inspection
from dispatch.rules.access.roles import SYSTEM, Actor
from dispatch.rules.market.keeping import Finding
from dispatch.rules.market.shelf import Commodity, Spot
from dispatch.services import market
from dispatch.services.access import sessions
from dispatch.services.market import GoodsDraft
from tests.factories.market import Shop, hand_out, make_shop, milk_of, take_in
from tests.web.drawing import sign
from tests.web.looking import look_at_both_widths
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]
Open = Callable[[Actor, str, int], Page]


@pytest.fixture
def shop(desk: Desk) -> Shop:
    """A supermarket with milk of three kinds of days, rice and coats, a disposal, a recall and a count next door."""
    with desk.site.database.session() as session:
        made, now = make_shop(session, desk.world), clock.now(session)
        spoiled = milk_of(session, made, 24, 40, batch_number="20261101")
        (receipt,) = session.query(Inspection.id).one()
        market.tick(session, receipt, spoiled.id, Spot.STORE, Finding.SPOILED, amount=4, actor=made.keeper, now=now)
        milk_of(session, made, 12, 2, batch_number="20260930")
        milk_of(session, made, 6, -1)
        take_in(session, made, made.rice, 125_250, produced_on=made.today, earmark_id=made.wish.id)
        take_in(session, made, made.coat, 30)
        hand_out(session, made, made.coat, 2, origin="market.round", origin_id=7)
        session.commit()
    with desk.site.database.session() as session:
        market.recall(session, made.coat.id, reason="拉链伤手", source="厂家", actor=made.approver, now=now)
        take_in(session, made, made.coat, 5, facility_id=made.overseas.id, fund_id=made.overseas_fund.id)
        session.commit()
    with desk.site.database.session() as session:
        market.open_count(session, made.overseas.id, actor=made.approver, now=now)
        session.commit()
        return made


@pytest.fixture
def opened(desk: Desk, browser: Browser) -> Open:
    """A page on which somebody of the supermarket is logged in."""

    def open_it(actor: Actor, path: str, width: int) -> Page:
        with desk.site.database.session() as session:
            token = sessions.open_session(session, actor.user_id or 0, is_complete=True, now=clock.now(session))
            session.commit()
        context = browser.new_context(viewport={"width": width, "height": 900}, locale="zh-CN")
        context.add_cookies([{"name": "session", "value": token, "url": desk.site.url}])
        page = context.new_page()
        page.goto(desk.site.url + path, wait_until="load")
        return page

    return open_it


def paths(desk: Desk, shop: Shop) -> list[tuple[Actor, str]]:
    """Every page with somebody who has something to do on it."""
    with desk.site.database.session() as session:
        disposal = session.query(Disposal).order_by(Disposal.id).first()
        newest = session.query(Inspection).filter(Inspection.done_at.is_(None)).order_by(Inspection.id).first()
        count = market.open_count_of(session, shop.overseas.id)
    assert disposal is not None
    assert newest is not None
    assert count is not None
    keeper, approver = shop.keeper, shop.approver
    return [
        (keeper, "/stock"),
        (keeper, f"/stock/{shop.facility.id}"),
        (keeper, f"/stock/{shop.facility.id}/receive"),
        (keeper, f"/stock/{shop.facility.id}/kits"),
        (keeper, f"/stock/{shop.facility.id}/transfers"),
        (keeper, f"/stock/{shop.facility.id}/moves"),
        (keeper, "/stock/goods"),
        (approver, "/stock/moves/1"),
        (approver, "/stock/new"),
        (approver, "/stock/rule-books"),
        (approver, f"/give/{shop.world.community.id}/rules"),
        (keeper, f"/stock/rounds/{newest.id}"),
        (keeper, f"/stock/lots/{disposal.lot_id}"),
        (keeper, f"/stock/disposals/{disposal.id}"),
        (approver, f"/stock/disposals/{disposal.id}"),
        (shop.counters[0], f"/stock/counts/{count.id}"),
        (approver, f"/stock/counts/{count.id}"),
        (approver, "/stock/recalls"),
        (approver, "/stock/recalls/1"),
    ]


def test_axe_finds_nothing_and_nothing_is_wider_than_the_screen(desk: Desk, shop: Shop, opened: Open) -> None:
    of: dict[Actor, Page] = {}
    for actor, path in paths(desk, shop):
        page = of[actor] = of.get(actor) or opened(actor, "/stock", 390)
        page.goto(desk.site.url + path, wait_until="load")
        look_at_both_widths(page)
    for page in of.values():
        page.context.close()


def test_the_keeper_ticks_a_lot_by_keyboard(desk: Desk, shop: Shop, opened: Open) -> None:
    path = next(path for _, path in paths(desk, shop) if "rounds" in path)
    page = opened(shop.keeper, path, 390)
    button = page.get_by_role("button", name="临期").first
    button.focus()
    page.keyboard.press("Enter")
    expect(page.get_by_text("已做完")).to_be_visible()
    page.context.close()


def test_a_disposal_is_signed_with_the_mouse_by_the_one_and_then_the_other(
    desk: Desk, shop: Shop, opened: Open
) -> None:
    path = next(path for _, path in paths(desk, shop) if "disposals" in path)
    for actor, button in ((shop.keeper, "签字：已经销毁"), (shop.approver, "签字并销账")):
        page = opened(actor, path, 390)
        page.get_by_role("button", name=button).click()
        expect(page.locator("#signature-error")).to_contain_text("请在框里签名")
        sign(page)
        page.get_by_role("button", name=button).click()
        expect(page.locator("canvas")).to_have_count(0)
        page.context.close()
    with desk.site.database.session() as session:
        assert session.query(Disposal.state).order_by(Disposal.id).first() == ("done",)


def test_two_bags_are_packed_brought_next_door_and_the_slip_is_taken_back_by_another(
    desk: Desk, shop: Shop, opened: Open
) -> None:
    with desk.site.database.session() as session:
        counted = market.open_count_of(session, shop.overseas.id)
        assert counted is not None
        market.cancel_count(session, counted.id, reason="改天", actor=shop.approver, now=clock.now(session))
        bag = GoodsDraft("bag", "爱心包", "food", Commodity.PIECE, "份")
        market.create_goods(session, shop.world.community.id, bag, actor=SYSTEM, now=clock.now(session))
        session.commit()
    page = opened(shop.keeper, f"/stock/{shop.facility.id}", 390)
    page.get_by_role("link", name="装爱心包").click()
    page.get_by_label("装成什么").select_option(label="爱心包")
    page.get_by_label("装几份").fill("2")
    page.get_by_role("button", name="装好了").click()
    expect(page.get_by_role("alert")).to_contain_text("请填写每一份里装什么")
    page.get_by_label("牛奶").fill("1")
    page.get_by_role("button", name="装好了").click()
    expect(page.get_by_role("link", name="爱心包", exact=True)).to_be_visible()
    page.get_by_role("link", name="调拨").click()
    page.get_by_label("爱心包").fill("1")
    page.get_by_role("button", name="调过去").click()
    expect(page.get_by_text("1 份")).to_be_visible()
    page.context.close()
    page = opened(shop.approver, f"/stock/{shop.facility.id}/moves", 390)
    page.get_by_role("link", name="调拨").click()
    page.get_by_text("这一笔记错了").click()
    page.get_by_role("button", name="冲正").click()
    expect(page.locator("#reason-error")).to_contain_text("请写明冲正的原因")
    page.get_by_label("错在哪里").fill("调错了")
    page.get_by_role("button", name="冲正").click()
    expect(page.get_by_text("已冲正")).to_be_visible()
    page.context.close()
