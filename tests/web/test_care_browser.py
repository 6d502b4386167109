"""The care calendar in a real browser: enrolled at a desk, paired, visited by a helper with a phone, counted."""

from datetime import timedelta

import pytest
from playwright.sync_api import Browser, BrowserContext, expect
from sqlalchemy import select

from dispatch import clock
from dispatch.models.access import Membership
from dispatch.models.care import Contact, DutyPeriod
from dispatch.rules.access.roles import Role
from dispatch.services.access import sessions
from dispatch.services.care.door import printed_code
from tests.factories.care import ELDER, WIFE, Calendar, calendar_of, home
from tests.factories.world import staff
from tests.web.looking import PHONE, look_at_both_widths
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]


@pytest.fixture
def calendar(desk: Desk) -> Calendar:
    """A community with programmes, an elder couple and a helper who can log in."""
    with desk.site.database.session() as session:
        made = calendar_of(session, desk.world, helpers=1)
        home(session, made, ELDER, WIFE)
        session.commit()
        return made


def signed_in(desk: Desk, browser: Browser, token: str) -> BrowserContext:
    """A phone on which somebody is logged in."""
    made = browser.new_context(viewport=PHONE, locale="zh-CN")
    made.add_cookies([{"name": "session", "value": token, "url": desk.site.url}])
    return made


def helper_token(desk: Desk, calendar: Calendar) -> str:
    """The session of the helper."""
    with desk.site.database.session() as session:
        user_id = staff(session, desk.world, Role.PERFORMER).user_id or 0
        at, helper = desk.world.community.id, calendar.helpers[0].id
        session.add(Membership(user_id=user_id, organisation_id=at, role=str(Role.PERFORMER), performer_id=helper))
        session.flush()
        token = sessions.open_session(session, user_id, is_complete=True, now=clock.now(session))
        session.commit()
        return token


def test_an_elder_is_enrolled_paired_visited_and_counted(desk: Desk, calendar: Calendar, browser: Browser) -> None:
    context = signed_in(desk, browser, desk.login(Role.DISPATCHER))
    page = context.new_page()
    page.goto(f"{desk.site.url}/care")
    expect(page.get_by_text("还没有登记的老人")).to_be_visible()
    look_at_both_widths(page)
    page.get_by_role("link", name="登记").click()
    page.get_by_label("先查是谁").fill("陈")
    page.get_by_role("button", name="查找").click()
    page.get_by_role("button", name="登记").click()
    expect(page.get_by_role("alert")).to_contain_text("请先查找并选择居民")
    page.locator("[name=resident_id]").first.check()
    look_at_both_widths(page)
    page.get_by_role("button", name="登记").click()
    page.get_by_text("加一位帮扶人").click()
    page.get_by_label("帮扶人", exact=True).select_option(label="志愿者")
    page.get_by_role("button", name="结对", exact=True).click()
    expect(page.get_by_text("不再结对")).to_be_visible()
    expect(page.get_by_text("定期家访")).to_be_visible()
    look_at_both_widths(page)
    page.get_by_text("换人或免做").first.click()
    page.get_by_label("写明情况").first.fill("去女儿家")
    page.get_by_role("button", name="申请免做").first.click()
    page.get_by_role("button", name="同意免做").click()
    expect(page.get_by_role("alert")).to_contain_text("自己申请的免做要由另一位同事批准")
    for address, words in (("/care/month", "这个月没有要回访的人"), ("/care/helpers", "结对 1 户")):
        page.goto(desk.site.url + address)
        expect(page.get_by_text(words)).to_be_visible()
        look_at_both_widths(page)
    page.get_by_text("台账里是谁").click()
    page.get_by_role("searchbox").fill("陈婆婆0")
    page.get_by_role("button", name="查找").click()
    page.locator("[name=resident_id]").first.check()
    page.locator("form:has([name=resident_id])").get_by_role("button", name="登记").click()
    expect(page.get_by_text("台账里是谁")).to_contain_text("陈婆婆0")
    context.close()
    visit_with_a_phone(desk, calendar, browser)


def visit_with_a_phone(desk: Desk, calendar: Calendar, browser: Browser) -> None:
    """The helper sees the day's homes, and records a visit with the code of the door."""
    with desk.site.database.session() as session:
        due = session.scalars(select(DutyPeriod).order_by(DutyPeriod.planned_on).limit(1)).one()
        day = due.planned_on
        session.commit()
    context = signed_in(desk, browser, helper_token(desk, calendar))
    page = context.new_page()
    page.goto(f"{desk.site.url}/care/day?day=2099-01-01")
    expect(page.get_by_text("这一天没有要去的人家")).to_be_visible()
    page.goto(f"{desk.site.url}/care/day?day={day.isoformat()}")
    expect(page.locator("a[href='/redeem']")).to_have_count(0)
    page.goto(f"{desk.site.url}/care/day?day={day - timedelta(days=1)}")
    page.get_by_role("link", name="下一次是").click()
    look_at_both_widths(page)
    page.get_by_role("link", name="记一次探访").click()
    page.get_by_role("button", name="记下来").click()
    expect(page.get_by_role("alert")).to_contain_text("请选择老人情绪怎样")
    household = int(page.url.split("/homes/")[1].split("/")[0])
    page.get_by_role("radio", name="一般").check()
    page.get_by_label("有什么苦处").fill("晚上睡不好")
    page.get_by_label("门上的码").fill(printed_code(household))
    look_at_both_widths(page)
    page.get_by_role("button", name="记下来").click()
    expect(page.get_by_role("heading", name="今天去哪")).to_be_visible()
    with desk.site.database.session() as session:
        contact = session.scalars(select(Contact)).one()
        assert (contact.proof, contact.performer_id) == ("door_code", calendar.helpers[0].id)
        met = select(DutyPeriod.state).where(DutyPeriod.contact_id == contact.id)
        assert set(session.scalars(met)) == {"met"}
    context.close()
