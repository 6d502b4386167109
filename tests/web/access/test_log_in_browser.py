"""Log-in and account in a real browser: by keyboard alone, and nothing for axe to find."""

import pyotp
from playwright.sync_api import Browser, Page, expect

from dispatch import clock
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.services.access import users
from tests.factories.access import make_organisation
from tests.web.conftest import Site
from tests.web.looking import violations

PASSWORD = "correct horse battery"


def make_user(site: Site) -> None:
    with site.database.session() as session:
        now = clock.now(session)
        made = users.create_user(session, login="chief1", name="周敏", password=PASSWORD, actor=SYSTEM, now=now)
        place = make_organisation(session, "community")
        users.add_role(session, made.id, Role.CENTRE, organisation_id=place.id, actor=SYSTEM, now=now)
        session.commit()


def log_in_by_keyboard(page: Page) -> None:
    """The name has the focus; Tab and Enter do the rest."""
    expect(page.get_by_label("登录名")).to_be_focused()
    page.keyboard.type("chief1")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")


def check(page: Page) -> None:
    assert violations(page) == []


def test_by_keyboard_in_with_a_phone_enrolled_and_in_again_with_its_code(site: Site, browser: Browser) -> None:
    make_user(site)
    context = browser.new_context(locale="zh-CN", viewport={"width": 1280, "height": 800})
    page = context.new_page()
    page.goto(f"{site.url}/account")
    check(page)
    page.get_by_label("密码").fill("wrong password here")
    page.get_by_label("登录名").fill("chief1")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("登录名或密码不正确")
    check(page)
    page.goto(f"{site.url}/account")
    log_in_by_keyboard(page)
    expect(page.get_by_role("heading", name="我的账号")).to_be_visible()
    check(page)
    page.get_by_role("link", name="启用").click()
    expect(page.get_by_role("img", name="动态验证码的二维码")).to_be_visible()
    check(page)
    totp = pyotp.TOTP(page.locator("main code").inner_text().replace(" ", ""))
    page.get_by_label("验证码", exact=True).fill(totp.now())
    page.get_by_role("button", name="启用").click()
    expect(page.get_by_text("已启用")).to_be_visible()
    page.get_by_role("button", name="退出").click()
    page.goto(f"{site.url}/account")
    log_in_by_keyboard(page)
    expect(page.get_by_label("验证码", exact=True)).to_be_focused()
    check(page)
    page.keyboard.type("000000")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("验证码不正确")
    context.close()
