"""直接答复 in a real browser: listed while typing, opened and answered by keys alone, judged, nothing moved."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from dispatch import clock
from dispatch.models.orders import KnowledgeUse
from dispatch.rules.access.roles import Role
from dispatch.services import catalogue
from tests.factories.knowledge import make_knowledge, make_text
from tests.factories.world import staff
from tests.web.looking import violations
from tests.web.orders.conftest import PHONE, Desk

OpenPage = Callable[..., Page]
WORDS = "想问一下老年证怎么办"


@pytest.fixture
def item(desk: Desk) -> int:
    """Two items, one of which fits; the id of that."""
    with desk.site.database.session() as session:
        actor, now = staff(session, desk.world, Role.CENTRE), clock.now(session)
        made = make_knowledge(session, actor, now)
        make_knowledge(session, actor, now, code="card_lost", title="老年证丢了怎么补", words=("补老年证",))
        session.commit()
        return made.item.id


def uses(desk: Desk) -> list[KnowledgeUse]:
    with desk.site.database.session() as session:
        return list(session.query(KnowledgeUse))


@pytest.mark.usefixtures("item")
def test_a_call_is_answered_with_few_keys_beside_the_description(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, f"/desk?phone={PHONE}")
    keys = ["Enter", "Tab", "Tab"]
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator("#description")).to_be_focused()
    before = page.locator("#description").bounding_box()
    page.keyboard.type(WORDS)
    expect(page.locator("#knowledge details")).to_have_count(2)
    expect(page.locator("#description")).to_be_focused()
    assert page.locator("#description").bounding_box() == before
    page.keyboard.press("Alt+k")
    expect(page.locator("#knowledge details[open] .knowledge-body")).to_contain_text("社区便民窗口")
    page.keyboard.press("Alt+a")
    expect(page.locator("#placed")).to_contain_text("老年卡办理")
    expect(page.locator("#caller_phone")).to_be_focused()
    expect(page.locator("#knowledge details")).to_have_count(0)
    page.keyboard.press("Alt+y")
    expect(page.locator("#placed")).to_contain_text("来电人说有用")
    assert len(keys) + 3 <= 12
    (order,) = desk.orders()
    assert (order.state, order.description) == ("answered", WORDS)
    assert [use.useful for use in uses(desk)] == ["yes"]


@pytest.mark.usefixtures("item")
def test_another_item_is_reached_by_arrows_and_escape_goes_back(open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, "/desk")
    page.locator("#description").focus()
    page.keyboard.type("lnz")
    expect(page.locator("#knowledge details")).to_have_count(2)
    page.keyboard.press("Alt+k")
    first = page.locator("#knowledge details[open] summary").inner_text()
    page.keyboard.press("ArrowDown")
    expect(page.locator("#knowledge details[open]")).to_have_count(1)
    assert page.locator("#knowledge details[open] summary").inner_text() != first
    page.keyboard.press("Escape")
    expect(page.locator("#description")).to_be_focused()
    expect(page.locator("#description")).to_have_value("lnz")


def test_an_item_that_was_rewritten_meanwhile_is_read_again_first(desk: Desk, open_page: OpenPage, item: int) -> None:
    page = open_page(Role.OPERATOR, "/desk")
    page.locator("#description").focus()
    page.keyboard.type("老年卡")
    expect(page.locator("#knowledge details").first).to_be_visible()
    with desk.site.database.session() as session:
        actor = staff(session, desk.world, Role.CENTRE)
        text = make_text(body="现在全程网办")
        catalogue.revise_knowledge(session, item, text, version=1, actor=actor, now=clock.now(session))
        session.commit()
    page.keyboard.press("Alt+k")
    page.keyboard.press("Alt+a")
    expect(page.locator("#desk-result")).to_contain_text("已经更新")
    expect(page.locator("#knowledge")).to_contain_text("第 2 版")
    expect(page.locator("#description")).to_have_value("老年卡")
    assert desk.orders() == []


@pytest.mark.usefixtures("item")
def test_two_answers_at_once_close_one_call(desk: Desk, open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, "/desk")
    page.locator("#description").focus()
    page.keyboard.type("老年卡")
    expect(page.locator("#knowledge details").first).to_be_visible()
    page.keyboard.press("Alt+k")
    page.keyboard.press("Alt+a")
    page.keyboard.press("Alt+a")
    expect(page.locator("#placed")).to_be_visible()
    assert len(desk.orders()) == 1


@pytest.mark.usefixtures("item")
def test_a_received_order_is_answered_and_judged_on_its_page(desk: Desk, open_page: OpenPage) -> None:
    number = desk.place(address="不知道哪里", description=WORDS)
    page = open_page(Role.OPERATOR, f"/orders/{number}")
    page.locator("#answer summary").first.click()
    page.locator("#knowledge-found input").first.check(force=True)
    page.locator("#answer button[type=submit]").click()
    expect(page.locator("#citation-title")).to_be_visible()
    assert desk.state(number) == "answered"
    page.locator("#usefulness button[value=no]").click()
    expect(page.locator("main")).to_contain_text("来电人说没用")
    assert [use.useful for use in uses(desk)] == ["no"]
    assert violations(page) == []


@pytest.mark.usefixtures("item")
def test_axe_finds_nothing_with_an_item_open(open_page: OpenPage) -> None:
    page = open_page(Role.OPERATOR, "/desk")
    page.locator("#description").focus()
    page.keyboard.type("老年卡")
    expect(page.locator("#knowledge details").first).to_be_visible()
    page.keyboard.press("Alt+k")
    assert violations(page) == []
