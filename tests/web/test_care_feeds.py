"""Calendars that leave the house: read by two readers of RFC 5545, neutral, secret, and over at once when revoked."""

import re
from datetime import datetime, time, timedelta

import pytest
import vobject
from flask.testing import FlaskClient
from icalendar import Calendar as Parsed
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.access import Membership
from dispatch.models.care import CareFeed, DutyPeriod
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import Role
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import care
from dispatch.services.access import sessions, vault
from tests.factories.care import ELDER, WIFE, Calendar, calendar_of, home, paired, visited
from tests.factories.world import staff
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]
LINK = re.compile(r"<code>https?://[^/<]+(/calendar/(\w{26})\.ics)</code>")
MARK = "斑马"
OCTETS = 75


@pytest.fixture
def calendar(desk: Desk) -> Calendar:
    """A couple with a helper, of whom the husband has a voucher: orders of the coming days are placed."""
    with desk.site.database.session() as session:
        made, now = calendar_of(session, desk.world), clock.now(session)
        people = home(session, made, ELDER, WIFE)
        for one in people:
            one.name = f"{MARK}{one.id}"
        paired(session, made, people, now=now)
        today = clock.today(now)
        counted = care.EnrolmentDraft(
            "voucher", resident_id=people[0].id, starts_on=today.replace(day=min(today.day, 15))
        )
        care.enrol(session, counted, actor=made.planner, now=now)
        tomorrow = datetime.combine(today + timedelta(days=1), time(9), SHANGHAI)
        chores = care.VisitDraft(
            people[0].id, tomorrow, "FREQ=DAILY;COUNT=2", 60, service_code="care_visit", performer_id=made.helpers[0].id
        )
        care.plan_visits(session, chores, actor=made.planner, now=now)
        session.commit()
        return made


def helper_client(desk: Desk, calendar: Calendar) -> FlaskClient:
    """The first helper with a phone, logged in."""
    with desk.site.database.session() as session:
        user_id = staff(session, desk.world, Role.PERFORMER).user_id or 0
        at, helper = desk.world.community.id, calendar.helpers[0].id
        session.add(Membership(user_id=user_id, organisation_id=at, role=str(Role.PERFORMER), performer_id=helper))
        session.flush()
        token = sessions.open_session(session, user_id, is_complete=True, now=clock.now(session))
        session.commit()
    client = desk.site.app.test_client()
    client.set_cookie("session", token)
    client.environ_base["HTTP_X_CSRF_TOKEN"] = vault.sign("csrf", token.encode()).hex()
    return client


def elder_id(session: Session) -> int:
    """The husband, who has the voucher."""
    return session.scalars(select(Resident.id).where(Resident.birth_date == ELDER)).one()


def events(data: bytes) -> dict[str, dict[str, object]]:
    """The events by their names, as two readers have them; what Apple, Google and Outlook ask of a file is asked."""
    text = data.decode()
    assert all(len(line.encode()) <= OCTETS for line in text.split("\r\n"))
    assert "\n" not in text.replace("\r\n", "")
    other = vobject.readOne(text)
    assert other.validate(raiseException=True)
    read = Parsed.from_ical(data)
    assert (read["version"], read["calscale"], "method" in read) == ("2.0", "GREGORIAN", False)
    assert [str(zone["tzid"]) for zone in read.walk("VTIMEZONE")] == ["Asia/Shanghai"]
    found: dict[str, dict[str, object]] = {}
    for one, again in zip(read.walk("VEVENT"), getattr(other, "vevent_list", ()), strict=True):
        assert one["class"] == "PRIVATE"
        assert one.decoded("dtstart") == again.dtstart.value
        found[str(one["uid"])] = {
            "summary": str(one["summary"]),
            "status": str(one["status"]),
            "sequence": int(one["sequence"]),
            "begins": one.decoded("dtstart"),
            "ends": one.decoded("dtend"),
        }
    assert len(found) == len(read.walk("VEVENT"))
    return found


def test_a_helper_subscribes_to_their_own_visits(desk: Desk, calendar: Calendar) -> None:
    client, reader = helper_client(desk, calendar), desk.site.app.test_client()
    page = client.post("/care/day/feed").text
    link = LINK.search(page)
    assert link is not None
    assert f'href="webcal://localhost{link[1]}"' in page
    first = reader.get(link[1])
    assert (first.status_code, first.content_type) == (200, "text/calendar; charset=utf-8")
    assert MARK not in first.text
    assert "01\r\n" not in re.sub(r"(SEQUENCE|DTSTART|DTEND)[^\r]*", "", first.text)
    shown = events(first.data)
    assert {one["summary"] for one in shown.values()} == {"上门探访", "电话问候"}
    hours = [one["begins"] for one in shown.values() if isinstance(one["begins"], datetime)]
    assert {(begins.hour, str(begins.tzinfo)) for begins in hours} == {(9, "Asia/Shanghai")}
    same = reader.get(link[1], headers={"If-None-Match": first.headers["ETag"]})
    assert (same.status_code, same.data) == (304, b"")

    with desk.site.database.session() as session:
        now = clock.now(session)
        leave = {"starts_on": clock.today(now), "until": clock.today(now) + timedelta(days=200)}
        care.record_leave(session, calendar.helpers[0].id, **leave, actor=calendar.planner, now=now)
        session.commit()
    after = events(reader.get(link[1], headers={"If-None-Match": first.headers["ETag"]}).data)
    assert set(after) >= set(shown)
    duties = {uid for uid, one in shown.items() if not isinstance(one["begins"], datetime)}
    assert {after[uid]["status"] for uid in duties} == {"CANCELLED"}
    assert all(after[uid]["sequence"] > shown[uid]["sequence"] for uid in duties)  # type: ignore[operator]

    newer = LINK.search(client.post("/care/day/feed").text)
    assert newer is not None
    assert [reader.get(path).status_code for path in (link[1], newer[1])] == [404, 200]
    assert client.post("/care/day/feed/end").status_code == 303
    assert reader.get(newer[1]).status_code == 404
    with desk.site.database.session() as session:
        kept = session.scalars(select(CareFeed)).all()
        assert all(link[2].encode() not in one.token_hash for one in kept)


def test_a_family_sees_the_day_of_the_monthly_visit_and_nothing_more(desk: Desk, calendar: Calendar) -> None:
    staff_client, reader = desk.client(Role.DISPATCHER), desk.site.app.test_client()
    with desk.site.database.session() as session:
        now, resident_id = clock.now(session), elder_id(session)
        found = select(DutyPeriod).where(DutyPeriod.warn_on.is_not(None)).order_by(DutyPeriod.number)
        period = session.scalars(found).first()
        assert period is not None
        planned = period.planned_on
    enrolment = next(one for one in (1, 2) if "给家里人的日历" in staff_client.get(f"/care/{one}").text)
    said = {"resident_id": resident_id, "relation": "儿子", "consented_on": clock.today(now).isoformat()}
    for wrong in ({"relation": ""}, {"consented_on": "2199-01-01"}, {"resident_id": resident_id + 1}):
        assert staff_client.post(f"/care/{enrolment}/feeds", data=said | wrong).status_code == 422
    link = LINK.search(staff_client.post(f"/care/{enrolment}/feeds", data=said).text)
    assert link is not None
    assert link[2] not in staff_client.get(f"/care/{enrolment}").text
    assert {"summary": "上门探访", "begins": planned}.items() <= first_of(reader, link[1]).items()

    with desk.site.database.session() as session:
        person, now = session.get_one(Resident, resident_id), clock.now(session)
        visited(session, calendar, person, now, complaint=f"{MARK}病了", mood="low")
        session.commit()
    done = first_of(reader, link[1])
    assert done["summary"] == "上门探访(已完成)"
    assert done["begins"] == clock.today(now)
    assert not [word for word in (MARK, "低落", "LOCATION", "DESCRIPTION") if word in reader.get(link[1]).text]
    assert staff_client.post("/care/feeds/1/end").headers["Location"] == f"/care/{enrolment}"
    dead, unknown = reader.get(link[1]), reader.get(f"/calendar/{'0' * 26}.ics")
    assert (dead.status_code, unknown.status_code, dead.data) == (404, 404, unknown.data)


def first_of(reader: FlaskClient, path: str) -> dict[str, object]:
    """The first event of a calendar."""
    return next(iter(events(reader.get(path).data).values()))
