"""三问 on pages: a stranger says something, the staff answer it, everybody reads the answer; floods are stopped."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from dispatch import clock
from dispatch.gateways.limits import limiter
from dispatch.models.access import AuditEntry
from dispatch.models.care import SolicitationEntry
from dispatch.rules.access.roles import Role
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]
SCRIPT = """<script>alert(1)</script>"'><img src=x onerror=alert(2)>{{7*7}}"""
KEY = re.compile(r'name="form_key" value="([\w-]+)"')


@pytest.fixture(autouse=True)
def fresh_limits(desk: Desk) -> None:
    with desk.site.app.app_context():
        limiter.reset()


def ask(desk: Desk, client: FlaskClient) -> str:
    """The address of a new question, as residents see it."""
    with desk.site.database.session() as session:
        today = clock.today(clock.now(session)).isoformat()
    form = {"kind": "idea", "title": "怎样停车", "words": "大家有什么办法", "opens_on": today}
    form |= {"community_id": str(desk.world.community.id)}
    assert client.post("/asking", data=form | {"opens_on": "?"}).status_code == 422
    made = client.post("/asking", data=form)
    assert made.status_code == 303
    return f"/ask/{desk.world.community.id}/{made.headers['Location'].rsplit('/', 1)[1]}"


def say(desk: Desk, address: str, **said: str) -> int:
    """How a stranger's form is answered."""
    stranger = desk.site.app.test_client()
    (key,) = KEY.findall(stranger.get(address).get_data(as_text=True))
    return stranger.post(address, data={"words": "划单行线", "form_key": key} | said).status_code


def entries(desk: Desk) -> list[SolicitationEntry]:
    """All entries, oldest first."""
    with desk.site.database.session() as session:
        return [*session.scalars(select(SolicitationEntry).order_by(SolicitationEntry.id))]


def test_a_strangers_words_are_answered_and_published_without_the_name(desk: Desk) -> None:
    staff, stranger = desk.client(Role.CENTRE), desk.site.app.test_client()
    assert "还没有征集" in staff.get("/asking").get_data(as_text=True)
    address = ask(desk, staff)
    assert say(desk, address, words=f"划单行线{SCRIPT}", name="郑德明", phone="13905781234") == 303
    (entry,) = entries(desk)
    waiting = staff.get("/asking").get_data(as_text=True)
    assert "划单行线" in waiting
    page = staff.get(f"/asking/entries/{entry.id}").get_data(as_text=True)
    assert "郑德明" in page
    assert "139****1234" in page
    assert SCRIPT not in page
    assert "划单行线" not in stranger.get(address).get_data(as_text=True)
    answer = {"outcome": "adopted", "shown": "划单行线", "answer": "下月试行", "order": ""}
    path = f"/asking/entries/{entry.id}/answer"
    assert [staff.post(path, data=answer).status_code for _ in range(2)] == [303, 409]
    public = stranger.get(address).get_data(as_text=True)
    assert "下月试行" in public
    assert "郑德明" not in public


def test_who_stays_unknown_leaves_nothing(desk: Desk) -> None:
    address = ask(desk, desk.client(Role.CENTRE))
    assert say(desk, address, anonymous="1", name="郑德明") == 422
    assert say(desk, address, anonymous="1") == 303
    (entry,) = entries(desk)
    assert (entry.name, entry.phone, entry.taken_by) == (None, None, None)
    with desk.site.database.session() as session:
        noted = session.scalars(select(AuditEntry).where(AuditEntry.action == "care.take_entry")).one()
    assert (noted.user_id, noted.api_key_id, noted.performer_id) == (None, None, None)


def test_a_flood_is_stopped_and_another_sites_form_refused(desk: Desk) -> None:
    address = ask(desk, desk.client(Role.CENTRE))
    foreign = desk.site.app.test_client().post(
        address, data={"words": "x", "form_key": "0123456789abcdefgh"}, headers={"Origin": "https://evil.example"}
    )
    assert foreign.status_code == 403
    assert [say(desk, address) for _ in range(12)] == [303] * 10 + [429] * 2
    assert len(entries(desk)) == 10


def test_a_helper_brings_what_was_said_at_the_door_and_reads_nobody_elses(desk: Desk) -> None:
    address = ask(desk, desk.client(Role.CENTRE)).replace(f"/ask/{desk.world.community.id}", "/asking")
    say(desk, address.replace("/asking", f"/ask/{desk.world.community.id}"), words="别人说的话")
    helper = desk.client(Role.PERFORMER)
    page = helper.get(address).get_data(as_text=True)
    (key,) = KEY.findall(page)
    assert "别人说的话" not in page
    assert helper.post(f"{address}/entries", data={"words": "想要长椅", "form_key": key}).status_code == 303
    assert [one.source for one in entries(desk)] == ["site", "helper"]
    assert helper.get(f"/asking/entries/{entries(desk)[0].id}").status_code == 403
