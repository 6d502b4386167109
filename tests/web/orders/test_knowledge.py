"""The pages of knowledge: searched, written in versions with what changed, withdrawn, counted; also in a browser."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dispatch import clock
from dispatch.rules.access.roles import Role
from dispatch.services import catalogue, orders
from dispatch.services.orders import Citation, OrderDraft
from tests.factories.knowledge import make_knowledge, make_text
from tests.factories.world import make_world, staff
from tests.web.looking import look_at_both_widths
from tests.web.orders.conftest import Desk

OpenPage = Callable[..., Page]
FORM = {
    "title": "老年卡办理",
    "body": "现在全程网办",
    "source": "示例",
    "valid_from": "2026-01-01",
    "valid_until": "",
    "kind": "mediation",
    "words": "老年证、优待证",
}


@pytest.fixture
def item(desk: Desk) -> int:
    with desk.site.database.session() as session:
        made = make_knowledge(session, staff(session, desk.world, Role.CENTRE), clock.now(session))
        session.commit()
        return made.item.id


def test_it_is_found_as_it_is_typed(desk: Desk, item: int) -> None:
    client = desk.client(Role.OPERATOR)
    for query in ("lnk", "老年证", "laonian"):
        assert f"/knowledge/{item}" in client.get("/knowledge", query_string={"q": query}).get_data(as_text=True)
    assert "没有符合的知识" in client.get("/knowledge?q=zzzz").get_data(as_text=True)
    assert "老年卡办理" in client.get("/knowledge").get_data(as_text=True)


def test_a_new_version_is_published_and_says_what_it_changed(desk: Desk, item: int) -> None:
    client = desk.client(Role.CENTRE)
    assert client.post(f"/knowledge/{item}/edit", data=FORM | {"version": "1"}).status_code == 303
    page = client.get(f"/knowledge/{item}").get_data(as_text=True)
    assert "<ins>现在全程网办</ins>" in page
    assert "<del>带身份证到社区便民窗口。</del>" in page
    old = client.get(f"/knowledge/{item}?version=1").get_data(as_text=True)
    assert "旧版" in old
    assert client.get(f"/knowledge/{item}?version=9").status_code == 404


def test_what_another_has_rewritten_is_not_overwritten_and_nothing_typed_is_lost(desk: Desk, item: int) -> None:
    client = desk.client(Role.CENTRE)
    client.post(f"/knowledge/{item}/edit", data=FORM | {"version": "1"})
    again = client.post(f"/knowledge/{item}/edit", data=FORM | {"version": "1", "body": "我的改法"})
    assert again.status_code == 409
    assert "我的改法" in again.get_data(as_text=True)


@pytest.mark.parametrize("field", ["title", "body", "source", "valid_from"])
def test_a_wrong_field_is_named_beside_it(desk: Desk, field: str) -> None:
    answer = desk.client(Role.CENTRE).post("/knowledge/new", data=FORM | {"code": "card", field: ""})
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.get_data(as_text=True)


def test_an_item_is_written_withdrawn_and_found_among_the_withdrawn(desk: Desk) -> None:
    client = desk.client(Role.CENTRE)
    made = client.post("/knowledge/new", data=FORM | {"code": "card"})
    assert made.status_code == 303
    address = made.headers["Location"]
    assert client.post(f"{address}/withdraw", data={"version": "1", "reason": ""}).status_code == 422
    assert client.post(f"{address}/withdraw", data={"version": "1", "reason": "政策变了"}).status_code == 303
    assert "老年卡办理" not in client.get("/knowledge").get_data(as_text=True)
    assert "老年卡办理" in client.get("/knowledge?withdrawn=1").get_data(as_text=True)
    assert "政策变了" in client.get(address).get_data(as_text=True)


def test_who_may_only_read_sees_no_form(desk: Desk, item: int) -> None:
    client = desk.client(Role.OPERATOR)
    assert "/edit" not in client.get(f"/knowledge/{item}").get_data(as_text=True)
    assert client.get("/knowledge/new").status_code == 403
    assert client.post(f"/knowledge/{item}/edit", data=FORM | {"version": "1"}).status_code == 403


def test_uses_are_counted_within_reach_only(desk: Desk, item: int) -> None:
    with desk.site.database.session() as session:
        now = clock.now(session)
        other = make_world(session, firms=1)
        theirs = make_knowledge(session, staff(session, other, Role.CENTRE), now, title="别区的知识")
        for world, cited in ((desk.world, item), (other, theirs.item.id)):
            actor = staff(session, world, Role.OPERATOR)
            citation = Citation(item_id=cited, useful="no")
            orders.answer_call(session, OrderDraft("问"), citation, actor=actor, now=now)
        session.commit()
    page = desk.client(Role.OPERATOR).get("/knowledge/uses").get_data(as_text=True)
    assert page.count("老年卡办理") == 2
    assert "别区的知识" not in page
    assert desk.client(Role.CALLBACK_CLERK).get("/knowledge/uses?days=30").status_code == 200


def test_the_pages_are_read_by_everybody(desk: Desk, open_page: OpenPage, item: int) -> None:
    with desk.site.database.session() as session:
        actor = staff(session, desk.world, Role.CENTRE)
        text = make_text(body="现在全程网办")
        catalogue.revise_knowledge(session, item, text, version=1, actor=actor, now=clock.now(session))
        session.commit()
    page = open_page(Role.CENTRE, "/knowledge", width=390)
    page.locator("#q").fill("lnk")
    expect(page.locator("#found li")).to_have_count(1)
    for path in ("/knowledge", f"/knowledge/{item}", f"/knowledge/{item}/edit", "/knowledge/uses"):
        page.goto(desk.site.url + path, wait_until="load")
        look_at_both_widths(page)
