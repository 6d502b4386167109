"""The family page: what the elder agreed to and nothing more, in both languages; it ends at once with the consent."""

import re
from datetime import timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.access import AuditEntry
from dispatch.models.care import AlarmDevice, AlarmEvent, Contact, Duty, DutyPeriod, Enrolment
from dispatch.models.grid import Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Role
from tests.factories.visits import resident
from tests.factories.vouchers import enrol
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]
MARK = "ZEBRA"
FORM = {"relation": "child", "sees_visits": "1", "sees_alarms": "1", "expires_on": "2099-01-01"}


def elder(session: Session, desk: Desk) -> Resident:
    """Somebody with a visit of this month, an alarm that was resolved, and marked words wherever words can stand."""
    made = resident(session, desk.world, birth_date=None)
    made.name = f"{MARK}婆婆"
    made.sensitive = MARK.encode()
    enrol(session, desk.world, (made,))
    now = clock.now(session)
    number = desk.place(description=f"{MARK}摔倒了")
    order = session.scalars(select(Order).where(Order.number == number)).one()
    order.finished_at, order.result = now, MARK
    device = AlarmDevice(
        uid=uuid4(),
        community_id=made.community_id,
        number=MARK,
        account="ABC123",
        model="standard",
        resident_id=made.id,
    )
    session.add(device)
    session.flush()
    common = {"community_id": made.community_id, "device_id": device.id, "arrived_at": now, "order_id": order.id}
    for sequence, meaning in enumerate(("emergency", "battery_low", "community"), 1):
        event = {"sequence": sequence, "digest": bytes([sequence]) * 32, "code": MARK, "meaning": meaning}
        session.add(AlarmEvent(**common, **event))
    visited(session, made)
    session.flush()
    return made


def visited(session: Session, made: Resident) -> None:
    """This month's visit was done, by somebody who wrote down much."""
    now = clock.now(session)
    today = clock.today(now)
    enrolment = session.scalars(select(Enrolment).where(Enrolment.resident_id == made.id)).one()
    duty = Duty(community_id=made.community_id, enrolment_id=enrolment.id, kind="monthly_visit")
    words = dict.fromkeys(("complaint", "note"), MARK.encode())
    contact = Contact(
        uid=uuid4(),
        community_id=made.community_id,
        household_id=made.household_id,
        resident_id=made.id,
        kind="visit",
        happened_at=now,
        day=today,
        answered=True,
        proof="report",
        mood="low",
        **words,
    )
    session.add_all([duty, contact])
    session.flush()
    last = (today.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    period = DutyPeriod(
        uid=uuid4(),
        community_id=made.community_id,
        duty_id=duty.id,
        number=1,
        name=f"{today:%Y-%m}",
        starts_on=today.replace(day=1),
        planned_on=today.replace(day=1),
        until=last,
    )
    session.add(period)
    session.flush()
    period.state, period.contact_id, period.settled_on = "met", contact.id, today


def test_family_see_the_month_and_the_alarm_and_nothing_more(desk: Desk) -> None:
    with desk.site.database.session() as session:
        made, today = elder(session, desk), clock.today(clock.now(session))
        session.commit()
        resident_id = made.id
    staff, family = desk.client(Role.DISPATCHER), desk.site.app.test_client()
    assert re.search(
        rf'<option value="{resident_id}"[^>]*>{MARK}婆婆 · [^<]*单元\d+</option>', staff.get("/family").text
    )
    sent = FORM | {"resident_id": resident_id, "consented_on": today.isoformat()}
    assert "field-error" in staff.post("/family", data=sent | {"consented_on": "2098-01-01"}).text
    answer = staff.post("/family", data=sent)
    found = re.search(r"https?://[^<]+/f/(\w{26})", answer.text)
    assert found is not None
    assert found[1] not in staff.get("/family").text
    pages = {lang: family.get(f"/f/{found[1]}?lang={lang}") for lang in ("zh-CN", "en")}
    for page in pages.values():
        assert (page.status_code, page.headers["Cache-Control"]) == (200, "no-store")
        assert '<meta name="referrer" content="no-referrer">' in page.text
    said = {lang: re.findall(r"<d[td]>([^<]*)<", page.text) for lang, page in pages.items()}
    assert said == {
        "zh-CN": [f"{today:%Y-%m}", "去过了", f"{today.year}年{today.month}月{today.day}日", "已处理好"],
        "en": [f"{today:%Y-%m}", "done", f"{today:%B} {today.day}, {today.year}", "resolved"],
    }
    for page in pages.values():
        assert not [word for word in (MARK, "婆婆", "后庆", "低落", "HQ") if word in page.text]
    with desk.site.database.session() as session:
        reads = session.scalars(select(AuditEntry.id).where(AuditEntry.action == "care.family_reads")).all()
        assert len(reads) == len(pages)
    assert staff.post("/family/1/revocation").status_code == 303
    dead, unknown = family.get(f"/f/{found[1]}"), family.get(f"/f/{'0' * 26}")
    assert (dead.status_code, unknown.status_code, dead.text) == (404, 404, unknown.text)
    only = FORM | {"resident_id": resident_id, "consented_on": today.isoformat(), "sees_alarms": ""}
    token = re.search(r"/f/(\w{26})", staff.post("/family", data=only).text)
    assert token is not None
    assert "已处理好" not in family.get(f"/f/{token[1]}").text
    with desk.site.database.session() as session:
        session.get_one(Resident, resident_id).left_at = clock.now(session)
        session.commit()
    assert family.get(f"/f/{token[1]}").status_code == 404
