"""Pages of the station: a day at the counter, its figures beside the document's words, and work found by consent."""

from datetime import timedelta

from sqlalchemy import select

from dispatch import clock
from dispatch.models.access import AuditEntry
from dispatch.models.care import Introduction, JobSeeker, Vacancy
from dispatch.rules.access.roles import Role
from tests.factories.station import station_kind
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]
PHONE = "13900000001"


def test_a_day_at_the_counter_stands_in_the_figures_beside_what_is_declared(desk: Desk) -> None:
    client = desk.client(Role.OPERATOR)
    with desk.site.database.session() as session:
        kind, year = station_kind(session, desk.world).id, clock.today(clock.now(session)).year
        session.commit()
    form = {"community_id": desk.world.community.id, "service_id": kind, "visitor": "陈桂花"}
    refused = client.post("/station/visits", data=form | {"ended": "ordered"})
    assert (refused.status_code, "请写清楚什么事" in refused.text) == (422, True)
    going = {"ended": "ordered", "description": "擦窗", "address_text": "1号楼1单元501", "phone": PHONE}
    for said in ({"ended": "done"}, {"ended": "referred", "referred_to": "街道民政办"}, going):
        assert client.post("/station/visits", data=form | said).status_code == 303
    page = client.get("/station").text
    assert all(word in page for word in ("陈桂花", "街道民政办", "/orders/", "“1000余人次”", "“500多人次”"))
    assert '<td>家政服务</td><td class="number">3</td><td class="number">3</td>' in page
    assert "<strong>3</strong>" in client.get("/station/figures").text
    assert "这一年还没有人来登记过" in client.get(f"/station/figures?year={year - 1}").text
    assert "请填2003年以后的年份" in client.get("/station/figures?year=1999").text
    assert desk.client(Role.KEEPER).get("/station").status_code == 403


def test_work_is_found_by_consent_and_the_seeker_is_forgotten(desk: Desk) -> None:
    client = desk.client(Role.CENTRE)
    with desk.site.database.session() as session:
        until = clock.today(clock.now(session)) + timedelta(days=30)
    place = {"community_id": desk.world.community.id}
    vacancy = {"employer": "绿谷家政公司", "title": "保洁员", "places": "1", "until": str(until)}
    assert client.post("/station/vacancies", data=place | vacancy).status_code == 303
    seeker = {"name": "林秀英", "phone": PHONE, "wish": "保洁"}
    refused = client.post("/station/seekers", data=place | seeker)
    assert (refused.status_code, "要本人同意" in refused.text) == (422, True)
    assert client.post("/station/seekers", data=place | seeker | {"has_consented": "1"}).status_code == 303
    with desk.site.database.session() as session:
        sent = {"vacancy_id": session.scalars(select(Vacancy.id)).one()}
        seeker_id = session.scalars(select(JobSeeker.id)).one()
    assert client.post("/station/introductions", data=sent | {"seeker_id": seeker_id}).status_code == 303
    assert client.post("/station/introductions", data=sent | {"seeker_id": seeker_id}).status_code == 409
    with desk.site.database.session() as session:
        made = session.scalars(select(Introduction.id)).one()
    assert client.post(f"/station/introductions/{made}/outcome", data={"outcome": "hired"}).status_code == 303
    page = client.get("/station/jobs").text
    assert ("录用" in page, "现在没有岗位" in page, PHONE in page) == (True, True, False)
    assert PHONE in client.post(f"/station/seekers/{seeker_id}/phone").text
    assert client.post(f"/station/seekers/{seeker_id}/end").status_code == 303
    assert "林秀英" not in client.get("/station/jobs").text
    with desk.site.database.session() as session:
        read = select(AuditEntry.subject_id).where(AuditEntry.action == "care.reveal_seeker_phone")
        assert session.scalars(read).all() == [seeker_id]
