"""The main job through real browsers: a call, the firm's phone, the team's answer, the callback, done again."""

from collections.abc import Callable
from datetime import timedelta

from playwright.sync_api import Browser, Page, expect
from sqlalchemy import select, update

from dispatch import clock
from dispatch.models.access import Membership
from dispatch.models.notify import Notice
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Role
from dispatch.rules.orders.states import OrderState
from dispatch.services.access import vault
from tests.web.orders.conftest import ADDRESS, DESCRIPTION, PHONE, Desk

OpenPage = Callable[..., Page]
PHONE_SIZE = {"width": 390, "height": 844}
MOST_KEYS = 12


def take_call(page: Page) -> str:
    """A call by keyboard alone; the number that the desk shows."""
    keys = ["Enter", *"gdst"]
    page.keyboard.type(PHONE)
    for key in keys:
        page.keyboard.press(key)
    expect(page.locator("#kind-list [data-service]")).to_have_count(1)
    page.keyboard.press("Enter")
    page.keyboard.type(ADDRESS)
    expect(page.locator("#place-result")).to_contain_text("已定到楼道")
    page.keyboard.press("Enter")
    page.keyboard.type(DESCRIPTION)
    last = ["Tab", "2", "1", "Control+Enter"]
    for key in last:
        page.keyboard.press(key)
    assert len(keys) + 2 + len(last) <= MOST_KEYS
    number = page.locator(".placed-number")
    expect(number).to_be_visible()
    return number.inner_text()


def link_of(desk: Desk, number: str) -> str:
    """The link of the newest offer of an order, as its firm was sent it."""
    with desk.site.database.session() as session:
        query = select(Notice).join(Order, Order.id == Notice.order_id).where(Order.number == number)
        notice = session.scalars(query.where(Notice.template == "offer").order_by(Notice.id.desc())).first()
        assert notice is not None
        assert notice.secret is not None
        return f"{desk.site.url}/w/{vault.open_sealed(f'notices.secret.{notice.dedupe}', notice.secret)}"


def do_the_work(phone: Page, link: str) -> None:
    """Accept, arrive, finish."""
    phone.goto(link)
    expect(phone.locator("html[data-ready]")).to_have_count(1)
    phone.get_by_role("button", name="接单", exact=True).click()
    phone.get_by_role("button", name="我到了").click()
    phone.locator("label", has_text="已完成").click()
    phone.locator("#cost").fill("80.5")
    phone.get_by_role("button", name="提交完成").click()
    expect(phone.locator("main")).to_contain_text("辛苦了")


def answer(page: Page, name: str, value: str) -> None:
    """Choose an answer of the callback."""
    page.locator(f"label:has(input[name={name}][value={value}])").click()


def put_in_team(desk: Desk, number: str) -> None:
    """Whoever heads a team heads the one that leads this order."""
    with desk.site.database.session() as session:
        team_id = session.scalars(select(Order.lead_team_id).where(Order.number == number)).one()
        session.execute(update(Membership).where(Membership.role == Role.TEAM_HEAD).values(team_id=team_id))
        session.commit()


def make_due(desk: Desk, number: str) -> None:
    """It is the next day: the callback may be made."""
    with desk.site.database.session() as session:
        order = session.scalars(select(Order).where(Order.number == number)).one()
        order.callback_due_at = clock.now(session) - timedelta(minutes=1)
        session.commit()


def test_a_call_becomes_finished_work_and_an_unsolved_one_is_done_again(
    desk: Desk, open_page: OpenPage, browser: Browser
) -> None:
    operator = open_page(Role.OPERATOR, "/desk")
    number = take_call(operator)
    desk.route(number)
    expect(operator.locator("#placed")).to_contain_text("已经问了")

    watching = open_page(Role.DISPATCHER, f"/orders/{number}")
    expect(watching.locator("[data-live-mark]")).to_have_attribute("data-words", "实时更新")
    phone = browser.new_context(viewport=PHONE_SIZE, has_touch=True, is_mobile=True, locale="zh-CN")
    do_the_work(phone.new_page(), link_of(desk, number))
    phone.close()
    expect(watching.locator(".timeline")).to_contain_text("完成")

    team = open_page(Role.TEAM_HEAD, "/account")
    put_in_team(desk, number)
    team.goto(f"{desk.site.url}/orders/{number}")
    expect(team.locator("main")).to_contain_text("80.50")
    expect(team.locator("main")).to_contain_text("已完成")
    team.locator("#answer").fill("已疏通，请试用")
    team.get_by_role("button", name="记下反馈").click()
    expect(team.locator("#order-now")).to_contain_text("已反馈")

    make_due(desk, number)
    clerk = open_page(Role.CALLBACK_CLERK, "/callbacks")
    clerk.get_by_role("link", name="回访", exact=True).last.click()
    for name, value in (("reached", "yes"), ("contacted", "yes"), ("solved", "no"), ("satisfaction", "dissatisfied")):
        answer(clerk, name, value)
    clerk.locator("#callback-remark").fill("半天又漫上来")
    clerk.get_by_role("button", name="记下这次回访").click()
    expect(clerk.locator("#order-now")).to_contain_text("重办 1 次")
    desk.route(number)
    assert desk.state(number) is OrderState.OFFERED


def test_a_page_made_before_a_change_shows_it_once_its_stream_is_there(desk: Desk, open_page: OpenPage) -> None:
    number = desk.place()
    page = open_page(Role.DISPATCHER, "/alarms")
    page.route("**/live", lambda route: (desk.route(number), route.continue_()), times=1)
    page.goto(f"{desk.site.url}/orders/{number}", wait_until="load")
    expect(page.locator("#order-now")).to_contain_text("询单")
