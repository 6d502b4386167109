"""The phone page while the database takes nothing: a machine's answer for machines, for people what they typed."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from flask.testing import FlaskClient
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from tests.conftest import Database
from tests.web.conftest import Site
from tests.web.phone_world import offer
from tests.web.test_phone_browser import KEPT, opened, phone

__all__ = ["phone"]
CONFLICT, WAITED_TOO_LONG = "40001", "55P03"
FAILS = "$$ BEGIN RAISE EXCEPTION 'busy' USING ERRCODE = '{}'; END $$"
BUSY = (
    f"CREATE FUNCTION is_busy() RETURNS trigger LANGUAGE plpgsql AS {FAILS}",
    "CREATE TRIGGER is_busy BEFORE UPDATE ON offer_recipients FOR EACH ROW EXECUTE FUNCTION is_busy()",
)
HIDDEN = re.compile(r'<input type="hidden" name="(\w+)" value="([^"]*)">')


@pytest.fixture
def client(site: Site) -> FlaskClient:
    """A phone without JavaScript."""
    return site.app.test_client()


@contextmanager
def busy(database: Database, state: str = CONFLICT) -> Iterator[None]:
    """For a while every answer to an offer meets trouble of the moment, however often it is tried."""
    with create_engine(database.owner_url, poolclass=NullPool).connect() as owner:
        for statement in BUSY:
            owner.execute(text(statement.format(state)))
        owner.commit()
        yield
        owner.execute(text("DROP FUNCTION is_busy() CASCADE"))
        owner.commit()


@pytest.mark.parametrize("state", [CONFLICT, WAITED_TOO_LONG])
def test_the_page_s_script_gets_a_machine_s_answer_and_may_send_again(
    site: Site, client: FlaskClient, state: str
) -> None:
    offered = offer(site.database)
    link = f"/w/{offered.token}/accept"
    asked = {"Accept": "application/json", "Idempotency-Key": "one-press-of-the-button"}
    with busy(site.database, state):
        answer = client.post(link, headers=asked)
    assert (answer.status_code, answer.mimetype) == (503, "application/problem+json")
    assert (answer.json["code"], answer.json["status"]) == ("unavailable", 503)
    assert answer.headers["Retry-After"] == "2"
    assert offered.token not in answer.text
    assert client.post(link, headers=asked).status_code == 200


def test_a_form_is_there_to_be_sent_again_as_it_was_typed(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database)
    link = f"/w/{offered.token}/decline"
    typed = {"key": "one-press-of-the-button", "reason": "other", "words": "要等 <配件> 到货"}
    with busy(site.database):
        page = client.post(link, data=typed)
    assert (page.status_code, page.mimetype) == (503, "text/html")
    assert "您填写的文字还在这里。" in page.text
    assert "照片和签名" not in page.text
    again = {name: value.replace("&lt;", "<").replace("&gt;", ">") for name, value in HIDDEN.findall(page.text)}
    assert again == typed
    assert client.post(link, data=again).status_code == 303
    assert offered.recipient().reason == "要等 <配件> 到货"


def test_the_other_pages_answer_as_before(site: Site, client: FlaskClient) -> None:
    offered = offer(site.database)
    page = client.get(f"/w/{offered.token[:-2]}xx", headers={"Accept": "application/json"})
    assert (page.status_code, page.json["code"]) == (404, "link_dead")
    assert client.get("/nowhere").mimetype == "text/html"
    assert client.get("/api/nowhere").mimetype == "application/problem+json"


def test_what_was_pressed_while_the_house_is_busy_is_kept_on_the_phone_and_sent_later(
    site: Site, phone: BrowserContext
) -> None:
    offered = offer(site.database)
    page = opened(phone, site, offered)
    with busy(site.database):
        page.get_by_role("button", name="接单").tap()
        expect(page.locator("#kept")).to_contain_text(KEPT)
        assert offered.recipient().outcome == "open"
    page.evaluate("dispatchEvent(new Event('online'))")
    expect(page.locator("#kept")).to_be_empty()
    expect(page.get_by_role("button", name="出发")).to_be_visible()
    assert offered.recipient().outcome == "accepted"
