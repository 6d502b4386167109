"""Pages of courses: from the course to the certificate on paper, numbers of telephones whole only to who asks."""

from datetime import date, timedelta

from flask.testing import FlaskClient
from sqlalchemy import select

from dispatch import clock
from dispatch.models.access import AuditEntry
from dispatch.models.care import Certificate, Course, CourseMember, CourseSession
from dispatch.rules.access.roles import Role
from tests.factories.courses import group_kind
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]
PHONES = ("13900000001", "13900000002")


def opened(desk: Desk, client: FlaskClient) -> tuple[str, date]:
    """The address of a course of one place that is opened on the page, and today."""
    with desk.site.database.session() as session:
        kind, today = group_kind(session, desk.world).id, clock.today(clock.now(session))
        session.commit()
    form = {
        "community_id": desk.world.community.id,
        "service_id": kind,
        "name": "国家级育婴师培训",
        "partner": "绿谷健康教育研究所",
        "place": "二楼教室",
        "starts_on": str(today - timedelta(days=9)),
        "ends_on": str(today - timedelta(days=10)),
        "places": "1",
    }
    refused = client.post("/courses", data=form)
    assert (refused.status_code, "不能早于开始" in refused.text, "国家级育婴师培训" in refused.text) == (
        422,
        True,
        True,
    )
    assert client.post("/courses", data=form | {"ends_on": str(today + timedelta(days=9))}).status_code == 303
    with desk.site.database.session() as session:
        return f"/courses/{session.scalars(select(Course.id)).one()}", today


def ids(desk: Desk, model: type[CourseMember | CourseSession | Certificate]) -> list[int]:
    """The rows of a table, the oldest first."""
    with desk.site.database.session() as session:
        return list(session.scalars(select(model.id).order_by(model.id)))


def test_a_course_goes_from_its_roster_to_certificates_and_work(desk: Desk) -> None:
    client = desk.client(Role.WELFARE)
    address, today = opened(desk, client)
    for name, phone in zip(("陈桂花", "林秀英"), PHONES, strict=True):
        assert client.post(f"{address}/members", data={"name": name, "phone": phone}).status_code == 303
    twice = client.post(f"{address}/members", data={"name": "林秀英", "phone": PHONES[1]})
    assert (twice.status_code, "一个电话报一个名额" in twice.text) == (409, True)
    day = today - timedelta(days=1)
    times = {"begins": f"{day}T09:00", "ends": f"{day}T11:00", "topic": "新生儿喂养"}
    assert client.post(f"{address}/sessions", data=times).status_code == 303
    (held,), (first, second) = ids(desk, CourseSession), ids(desk, CourseMember)
    early = client.post(f"/courses/members/{first}/certificate")
    assert (early.status_code, "来的次数还不够" in early.text) == (409, True)
    assert client.post(f"/courses/sessions/{held}/presence", data={"present": str(first)}).status_code == 303
    assert client.post(f"/courses/members/{first}/certificate").status_code == 303
    (number,) = ids(desk, Certificate)
    paper = client.get(f"/courses/certificates/{number}").text
    assert all(word in paper for word in ("陈桂花", "国家级育婴师培训", f"{day.year}-0001"))
    work = {"outcome": "employed", "outcome_on": str(day)}
    assert client.post(f"/courses/members/{first}/outcome", data=work).status_code == 303
    assert "发证 1 人，就业 1 人" in client.get("/courses").text
    assert client.post(f"/courses/certificates/{number}/void", data={"reason": "名字写错了"}).status_code == 303
    assert "名字写错了" in client.get(f"/courses/certificates/{number}").text
    assert client.post(f"/courses/members/{first}/leaving").status_code == 303
    page = client.get(address).text
    assert "已退出" in page
    assert "候补</span>" not in page
    assert not any(phone in page for phone in PHONES)
    assert PHONES[1] in client.post(f"/courses/members/{second}/phone").text
    with desk.site.database.session() as session:
        read = select(AuditEntry.subject_id).where(AuditEntry.action == "care.reveal_course_phone")
        assert session.scalars(read).all() == [second]


def test_an_activity_is_counted_beside_what_the_document_declares(desk: Desk) -> None:
    client = desk.client(Role.COUNSELLOR)
    with desk.site.database.session() as session:
        kind, today = group_kind(session, desk.world).id, clock.today(clock.now(session))
        session.commit()
    form = {"community_id": desk.world.community.id, "service_id": kind, "title": "睡眠讲座", "activity_place": "广场"}
    refused = client.post("/courses/activities", data=form | {"held_on": str(today), "present": "0"})
    assert (refused.status_code, "至少1人" in refused.text) == (422, True)
    assert client.post("/courses/activities", data=form | {"held_on": str(today), "present": "45"}).status_code == 303
    page = client.get("/courses").text
    assert all(word in page for word in ("睡眠讲座", "共 1 次", "“40余次”", "“13项”"))
    assert desk.client(Role.OPERATOR).get("/courses").status_code == 403
