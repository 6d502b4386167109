"""Pages of counselling: booked in public and at the desk; what is written is seen by nobody but who opens it."""

import re

import pytest
from flask.testing import FlaskClient
from sqlalchemy import create_engine, select, text
from sqlalchemy.pool import NullPool

from dispatch import clock
from dispatch.gateways.limits import limiter
from dispatch.models.access import AuditEntry, Membership, User
from dispatch.models.care import Appointment, CounsellingSlot
from dispatch.models.catalogue import Service
from dispatch.rules.access.roles import Role
from dispatch.services.care.counselling import keys
from tests.factories.counselling import HOUR
from tests.factories.world import service
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]
OWN, ONE, OTHER = "窗外的桂花今年开了两次呢", "一号保管人自己的一句话别处不用", "二号保管人自己的一句话别处不用"
WORDS = "标记词一零七七：夜里睡不着"
CODE = re.compile(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}")


@pytest.fixture(autouse=True)
def fresh_limits(desk: Desk) -> None:
    with desk.site.app.app_context():
        limiter.reset()


@pytest.fixture
def kind(desk: Desk) -> Service:
    """The service that is offered."""
    with desk.site.database.session() as session:
        about = {"offered": ["counselling"], "form": "one_to_one", "confidential": True}
        made = service(session, desk.world.district, "counsel_individual", **about)
        session.commit()
        return made


def counsellor(desk: Desk, kind: Service) -> FlaskClient:
    """A counsellor who is logged in, appointed by the centre on its page."""
    client = desk.client(Role.COUNSELLOR)
    form = {
        "community_id": desk.world.community.id,
        "user_id": newest(desk, Role.COUNSELLOR),
        "shown_as": "林老师",
        "institute": "绿谷健康教育研究所",
        "service_ids": [kind.id],
    }
    assert desk.client(Role.CENTRE).post("/counselling/counsellors", data=form).status_code == 303
    return client


def newest(desk: Desk, role: Role) -> int:
    """The newest user of a role."""
    with desk.site.database.session() as session:
        held = select(Membership.user_id).where(Membership.role == role).order_by(Membership.id.desc()).limit(1)
        return session.scalars(held).one()


def opened(desk: Desk, client: FlaskClient, *, hours: int = 48) -> str:
    """The id of a time that the counsellor opens on their page."""
    with desk.site.database.session() as session:
        begins = (clock.now(session) + hours * HOUR).astimezone(clock.SHANGHAI)
    form = {"begins": f"{begins:%Y-%m-%dT%H:%M}", "minutes": "60", "room": "二楼小间", "weeks": "1"}
    assert client.post("/counselling/mine/slots", data=form).status_code == 303
    with desk.site.database.session() as session:
        return str(session.scalars(select(CounsellingSlot.id).order_by(CounsellingSlot.id.desc()).limit(1)).one())


def keyed(desk: Desk, client: FlaskClient) -> list[FlaskClient]:
    """Two holders with passphrases of their own; the counsellor's key is split between them."""
    holders = []
    for role, passphrase in ((Role.CENTRE, ONE), (Role.WELFARE, OTHER)):
        holder = desk.client(role)
        form = {"community_id": desk.world.community.id, "passphrase": passphrase, "passphrase_again": passphrase}
        assert holder.post("/counselling/holder/key", data=form).status_code == 303
        holders.append(holder)
    with desk.site.database.session() as session:
        chosen = [one.key_id for one in keys.holders(session, desk.world.community.id)]
    form = {"passphrase": OWN, "passphrase_again": OWN, "holder_ids": chosen}
    assert client.post("/counselling/mine/key", data=form).status_code == 303
    return holders


def refusals(desk: Desk) -> list[tuple[int | None, str]]:
    """What the trail keeps of those who did not open a note: of which appointment, and what was refused."""
    query = select(AuditEntry).where(AuditEntry.action == "care.refuse_counsellor_key").order_by(AuditEntry.id)
    with desk.site.database.session() as session:
        return [(one.subject_id, one.fields["refused"]) for one in session.scalars(query)]


def tamper(desk: Desk, table: str) -> None:
    """Whoever owns the database changes one byte of all that is sealed in a table; done again it is as it was."""
    with create_engine(desk.site.database.owner_url, poolclass=NullPool).begin() as owner:
        changed = owner.execute(text(f"UPDATE {table} SET sealed = set_byte(sealed, 40, get_byte(sealed, 40) # 1)"))  # noqa: S608 - a table named here
        assert changed.rowcount


def booking(slot_id: str, **changes: str) -> dict[str, str]:
    """What a stranger types."""
    said = {"slot_id": slot_id, "alias": "小雨", "phone": "13900000001", "form_key": "0123456789abcdefgh"}
    return said | changes


def test_a_stranger_books_under_an_alias_finds_it_by_the_code_and_gives_it_back(desk: Desk, kind: Service) -> None:
    client = counsellor(desk, kind)
    slot_id, stranger = opened(desk, client), desk.site.app.test_client()
    address = f"/appointments/{desk.world.community.id}"
    assert "counsel_individual" in stranger.get(address).get_data(as_text=True)
    refused = stranger.post(f"{address}/{kind.id}", data=booking(slot_id, phone=""))
    assert (refused.status_code, "请留一个电话" in refused.get_data(as_text=True)) == (422, True)
    page = stranger.post(f"{address}/{kind.id}", data=booking(slot_id)).get_data(as_text=True)
    code = CODE.findall(page)[0]
    taken = stranger.post(f"{address}/{kind.id}", data=booking(slot_id, phone="13900000002", form_key="x" * 20))
    assert (taken.status_code, "刚刚被别人约了" in taken.get_data(as_text=True)) == (409, True)
    waits = stranger.post(f"{address}/{kind.id}", data=booking("wait", phone="13900000002", form_key="y" * 20))
    waiting = CODE.findall(waits.get_data(as_text=True))[0]
    entry = stranger.post(f"{address}/mine/calendar", data={"code": code}).get_data(as_text=True)
    assert "SUMMARY:预约" in entry
    assert not any(word in entry for word in ("小雨", "counsel", "林老师", "二楼"))
    assert stranger.post(f"{address}/mine", data={"code": "0000-0000-0000"}).status_code == 409
    gone = stranger.post(f"{address}/mine/cancellation", data={"code": code.lower()})
    assert "已取消" in gone.get_data(as_text=True)
    offered = stranger.post(f"{address}/mine", data={"code": waiting}).get_data(as_text=True)
    assert "就约这个时间" in offered
    kept = stranger.post(f"{address}/mine/confirmation", data={"code": waiting})
    assert "二楼小间" in kept.get_data(as_text=True)


def test_the_desk_books_for_a_caller_and_sees_a_time_and_an_alias_only(desk: Desk, kind: Service) -> None:
    slot_id, operator = opened(desk, counsellor(desk, kind), hours=1), desk.client(Role.OPERATOR)
    about = {"community_id": str(desk.world.community.id), "service_id": str(kind.id), "source": "phone"}
    form = operator.get("/counselling/new", query_string=about).get_data(as_text=True)
    assert f'value="{slot_id}"' in form
    made = operator.post("/counselling/new", data=booking(slot_id, email="rain@letters.example") | about)
    assert CODE.findall(made.get_data(as_text=True))
    with desk.site.database.session() as session:
        found = session.scalars(select(Appointment)).one()
        day = clock.today(found.during.lower) if found.during is not None and found.during.lower else None
    page = operator.get("/counselling", query_string={"day": str(day)}).get_data(as_text=True)
    assert "小雨" in page
    for hidden in (kind.name, "林老师", "二楼小间", "13900000001", "1390", "rain@"):
        assert hidden not in page
    assert operator.post(f"/counselling/{found.id}/cancellation", data={"version": "9"}).status_code == 409
    assert operator.post(f"/counselling/{found.id}/cancellation", data={"version": "1"}).status_code == 303
    for address in (
        "/counselling/mine",
        "/counselling/holder",
        "/counselling/counsellors",
        f"/counselling/mine/{found.id}",
    ):
        assert operator.get(address).status_code == 403


def test_what_is_written_opens_with_the_passphrase_or_both_holders_and_stands_in_no_other_page(
    desk: Desk, kind: Service
) -> None:
    client = counsellor(desk, kind)
    first, _second = keyed(desk, client)
    slot_id = opened(desk, client)
    stranger = desk.site.app.test_client()
    stranger.post(f"/appointments/{desk.world.community.id}/{kind.id}", data=booking(slot_id))
    with desk.site.database.session() as session:
        about = session.scalars(select(Appointment.id)).one()
        login = session.scalars(select(User.login).where(User.id == newest(desk, Role.WELFARE))).one()
    page = f"/counselling/mine/{about}"
    assert client.post(f"{page}/notes", data={"words": WORDS}).status_code == 303
    assert WORDS not in client.get(page).get_data(as_text=True)
    wrong = client.post(f"{page}/reading", data={"passphrase": ONE})
    assert (wrong.status_code, ONE in wrong.get_data(as_text=True)) == (409, False)
    read = client.post(f"{page}/reading", data={"passphrase": OWN})
    assert WORDS in read.get_data(as_text=True)
    assert "no-store" in read.headers["Cache-Control"]
    assert client.post(f"{page}/outcome", data={"came": "yes"}).status_code == 409
    both = {"appointment_id": about, "passphrase": ONE, "second_login": login, "second_passphrase": OTHER}
    assert first.post("/counselling/holder/opening", data=both).status_code == 422
    refused = first.post("/counselling/holder/opening", data=both | {"reason": "试试", "second_passphrase": ONE})
    assert (refused.status_code, WORDS in refused.get_data(as_text=True)) == (409, False)
    assert first.post("/counselling/holder/opening", data=both | {"appointment_id": "x"}).status_code == 404
    assert refusals(desk) == [(about, "Invalid"), (about, "WrongPassphrase"), (None, "NotFound")]
    got = first.post("/counselling/holder/opening", data=both | {"reason": "法院调查"})
    assert WORDS in got.get_data(as_text=True)
    assert "法院调查" in client.get("/counselling/mine").get_data(as_text=True)
    for table, to_the_counsellor in (("key_shares", 200), ("counselling_notes", 409)):
        tamper(desk, table)
        broken = first.post("/counselling/holder/opening", data=both | {"reason": "法院调查"})
        assert (broken.status_code, "被改动过或者坏了" in broken.get_data(as_text=True)) == (409, True)
        assert client.post(f"{page}/reading", data={"passphrase": OWN}).status_code == to_the_counsellor
        tamper(desk, table)
    assert refusals(desk)[3:] == [(about, "SealBroken")] * 2
    for role in Role:
        for address in ("/counselling", "/counselling/holder", "/counselling/mine", page, "/inbox"):
            assert WORDS not in desk.client(role).get(address).get_data(as_text=True)
