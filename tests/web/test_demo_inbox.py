"""The demo inbox and the API's documentation, over HTTP and in a real browser."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from config.settings import Settings, get_settings
from dispatch.gateways.messages.received import log_path
from tests.web.conftest import Site
from tests.web.looking import violations
from tests.web.phone_world import Offered, offer


@pytest.fixture
def log(settings: Settings) -> Iterator[Path]:
    """The receivers' log, empty before and gone after."""
    path = log_path(settings.home)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("", encoding="utf-8")
    yield path
    path.unlink()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page whose console must stay without errors."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda line: complaints.append(line.text) if line.type == "error" else None)
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []


def arrive(log: Path, site: Site, offered: Offered, firm: int, *, is_repeat: bool = False) -> None:
    """Write one arrival of the offer as the inbox's receiver does."""
    line = {
        "at": datetime.now(UTC).isoformat(),
        "channel": "webhook",
        "performer_code": offered.world.firms[firm].code,
        "message_id": "m-1",
        "repeat": is_repeat,
        "order_number": offered.number,
        "text": "有一单管道疏通，请尽快回复",
        "link": f"{site.url}/w/{offered.token}",
    }
    with log.open("a", encoding="utf-8") as file:
        file.write(json.dumps(line, ensure_ascii=False) + "\n")


def test_each_firm_sees_what_it_received_with_its_link_and_repeats_marked(site: Site, log: Path) -> None:
    offered = offer(site.database)
    arrive(log, site, offered, 0)
    arrive(log, site, offered, 0, is_repeat=True)
    arrive(log, site, offered, 1)
    client = site.app.test_client()
    text = client.get("/demo/inbox").text
    assert text.count(f"{site.url}/w/{offered.token}") == 3
    assert text.count("重复") == 1
    assert text.index(f">{offered.world.firms[1].name}</h2>") < text.index(f">{offered.world.firms[0].name}</h2>")
    one = client.get("/demo/inbox/now", query_string={"firm": offered.world.firms[1].code}).text
    assert one.count("/w/") == 1


def test_an_empty_inbox_says_what_to_do_next(site: Site) -> None:
    assert "还没有服务商收到消息" in site.app.test_client().get("/demo/inbox").text


def test_outside_the_demo_there_is_no_inbox(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCH_DEMO", "0")
    get_settings.cache_clear()
    codes = [site.app.test_client().get(address).status_code for address in ("/demo/inbox", "/demo/inbox/now")]
    monkeypatch.undo()
    get_settings.cache_clear()
    assert codes == [404, 404]


def test_the_inbox_renews_itself_and_its_link_opens_the_phone_page(site: Site, log: Path, page: Page) -> None:
    offered = offer(site.database)
    page.goto(f"{site.url}/demo/inbox")
    expect(page.get_by_text("还没有服务商收到消息")).to_be_visible()
    arrive(log, site, offered, 0)
    link = page.get_by_role("link", name="打开手机页")
    expect(link).to_be_visible(timeout=8000)
    assert violations(page) == []
    link.click()
    expect(page.get_by_role("button", name="接单")).to_be_visible()


def test_the_documentation_shows_every_call_without_breaking_the_policy_of_content(site: Site, page: Page) -> None:
    page.goto(f"{site.url}/api/docs")
    expect(page.locator(".opblock").first).to_be_visible(timeout=20000)
    expect(page.get_by_text("/api/orders", exact=True).first).to_be_visible()
