"""提醒我的: what is escalated to me, live, on a phone too; dealt with it leaves, and the order keeps it."""

from datetime import timedelta

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import Browser, expect
from sqlalchemy import select

from dispatch import clock
from dispatch.models.access import Membership, User
from dispatch.models.orders import EscalationRecipient, Order
from dispatch.rules.access.roles import Role
from dispatch.services import orders
from dispatch.services.access import sessions, vault
from dispatch.services.orders import OrderDraft
from tests.factories.world import staff, user
from tests.web.looking import violations
from tests.web.orders.conftest import DESCRIPTION, Desk

HEAD = "队长老李"


def late(desk: Desk, count: int = 1) -> list[str]:
    """Orders that were taken nine hours ago and are an hour late; their levels are told now."""
    with desk.site.database.session() as session:
        now = clock.now(session)
        draft = OrderDraft(DESCRIPTION, service_id=desk.world.plumbing.id, stairwell_id=desk.world.stairwells[0].id)
        actor = staff(session, desk.world, Role.OPERATOR)
        made = [orders.place(session, draft, actor=actor, now=now - timedelta(hours=9)) for _ in range(count)]
        orders.route_many(session, [order.id for order in made], now=now - timedelta(hours=9))
        for order in made:
            orders.escalate(session, order.id, now=now)
        session.commit()
        return [order.number for order in made]


@pytest.fixture
def head(desk: Desk) -> str:
    """The session token of the head of the team that leads drains."""
    with desk.site.database.session() as session:
        person = user(session, HEAD)
        place, team = desk.world.community.id, desk.world.line.id
        session.add(Membership(user_id=person.id, organisation_id=place, role="team_head", team_id=team))
        session.flush()
        token = sessions.open_session(session, person.id, is_complete=True, now=clock.now(session))
        session.commit()
        return token


def client_of(desk: Desk, token: str) -> FlaskClient:
    """A client without a browser that is logged in."""
    client = desk.site.app.test_client()
    client.set_cookie("session", token)
    client.environ_base["HTTP_X_CSRF_TOKEN"] = vault.sign("csrf", token.encode()).hex()
    return client


def mine(desk: Desk) -> int:
    """The id of what the head was told last."""
    with desk.site.database.session() as session:
        query = select(EscalationRecipient.id).join(User, User.id == EscalationRecipient.user_id)
        return session.scalars(query.where(User.name == HEAD).order_by(EscalationRecipient.id.desc())).first() or 0


def test_the_page_lists_what_is_late_with_what_to_do(desk: Desk, head: str) -> None:
    assert "没有提醒到您的订单" in client_of(desk, head).get("/escalations").get_data(as_text=True)
    (number,) = late(desk)
    page = client_of(desk, head).get("/escalations").get_data(as_text=True)
    assert (number in page, "第 2 级" in page, "团队负责人" in page) == (True, True, True)
    assert "还没有服务商接单" in page
    badge = client_of(desk, head).get("/alarms/count").get_data(as_text=True)
    assert 'id="escalated-count" hx-swap-oob="true" class="nav-count"' in badge
    others = desk.client(Role.DISPATCHER).get("/escalations").get_data(as_text=True)
    assert number not in others


def test_dealt_with_it_leaves_the_page_and_stands_in_the_time_line(desk: Desk, head: str) -> None:
    (number,) = late(desk)
    answer = client_of(desk, head).post(f"/escalations/{mine(desk)}/handled", data={"note": "已联系师傅"})
    assert answer.status_code == 303
    assert number not in client_of(desk, head).get("/escalations").get_data(as_text=True)
    page = client_of(desk, head).get(f"/orders/{number}").get_data(as_text=True)
    assert ("第 2 级提醒已处理" in page, "已联系师傅" in page) == (True, True)
    assert client_of(desk, head).post("/escalations/999999/handled").status_code == 404
    assert desk.client(Role.DISPATCHER).post(f"/escalations/{mine(desk)}/handled").status_code == 404


def test_a_storm_is_one_line_in_the_inbox_that_leads_to_the_page(desk: Desk, head: str) -> None:
    late(desk, 9)
    with desk.site.database.session() as session:
        waiting = session.scalars(select(EscalationRecipient.id).where(EscalationRecipient.state == "waiting")).all()
        for one in waiting:
            orders.tell_digest(session, one, now=clock.now(session))
        session.commit()
    page = client_of(desk, head).get("/inbox").get_data(as_text=True)
    assert ("多张订单快到或已过时限" in page, "5 张" in page, 'href="/escalations"' in page) == (True, True, True)
    assert page.count("订单快到或已过时限") == 5


def test_it_appears_by_itself_fits_a_phone_and_is_dealt_with_there(desk: Desk, head: str, browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 900}, locale="zh-CN")
    context.add_cookies([{"name": "session", "value": head, "url": desk.site.url}])
    page = context.new_page()
    page.goto(f"{desk.site.url}/escalations", wait_until="load")
    expect(page.locator("[data-live-mark]")).to_have_attribute("data-words", "实时更新")
    expect(page.locator(".empty-words")).to_have_text("没有提醒到您的订单")
    numbers = late(desk, 3)
    expect(page.locator(".rows > li")).to_have_count(3)
    expect(page.locator("#escalated-count")).to_contain_text("3")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert violations(page) == []
    page.locator(f"#note-{mine(desk)}").fill("已联系师傅")
    page.keyboard.press("Enter")
    expect(page.locator(".rows > li")).to_have_count(2)
    with desk.site.database.session() as session:
        assert len(session.scalars(select(Order).where(Order.number.in_(numbers))).all()) == 3
    context.close()
