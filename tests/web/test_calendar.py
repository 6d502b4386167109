"""The working calendar's page: a year at a glance, one day changed, a year begun by pasting; the API does the same."""

from collections.abc import Callable
from datetime import date

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import select, text

from dispatch import clock
from dispatch.models.catalogue import CalendarDay, CalendarYear
from dispatch.models.notify import Alarm
from dispatch.queue import Claimed, Job
from dispatch.rules.access.roles import SYSTEM, Right, Role
from dispatch.services import catalogue, notify
from dispatch.workers.orders import WORK
from tests.api.calling import Caller, caller
from tests.web.looking import violations
from tests.web.orders.conftest import Desk, desk, open_page

__all__ = ["desk", "open_page"]
OpenPage = Callable[..., Page]
NOTICE = "一、元旦：1月1日（周五）至3日（周日）放假，共3天。\n二、春节：2月5日至11日放假调休。1月31日（周日）上班。"


def entered(desk: Desk) -> list[CalendarDay]:
    """The days that differ at the district."""
    with desk.site.database.session() as session:
        query = select(CalendarDay).where(CalendarDay.organisation_id == desk.world.district.id)
        return [*session.scalars(query.order_by(CalendarDay.day))]


def jobs(desk: Desk) -> int:
    """How many jobs wait to recompute limits."""
    with desk.site.database.session() as session:
        return len(session.scalars(select(Job).where(Job.kind == "orders.recompute_due")).all())


def test_a_day_is_entered_changed_and_taken_back(desk: Desk) -> None:
    client = desk.client(Role.CENTRE)
    data = {"day": "2027-03-08", "kind": "special", "name": "妇女节半天", "periods": "08:30-10:00 10:30-12:00"}
    assert client.post("/calendar/days", data=data).status_code == 303
    (made,) = entered(desk)
    assert (made.kind, made.periods) == ("special", ["08:30-10:00", "10:30-12:00"])
    assert made.edited_by is not None
    page = client.get("/calendar?year=2027").get_data(as_text=True)
    assert "妇女节半天" in page
    assert "08:30-10:00 10:30-12:00" in page
    client.post("/calendar/days", data={"day": "2027-03-08", "act": "remove"})
    assert (entered(desk), jobs(desk)) == ([], 2)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"periods": "13:00-10:00"}, "不能跨过午夜"),
        ({"periods": "08:00-12:00 11:00-13:00"}, "不能重叠"),
        ({"periods": ""}, "要写明时段"),
        ({"name": " "}, "为什么不同"),
        ({"kind": "feast"}, "请选择"),
    ],
)
def test_a_wrong_day_keeps_what_was_typed_and_says_what_to_do(desk: Desk, changes: dict[str, str], words: str) -> None:
    data = {"day": "2027-03-08", "kind": "special", "name": "妇女节", "periods": "08:30-10:00"} | changes
    answer = desk.client(Role.CENTRE).post("/calendar/days", data=data)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert words in page
    assert entered(desk) == []


def test_a_year_is_begun_by_pasting_and_its_alarm_goes(desk: Desk) -> None:
    district = desk.world.district.id
    with desk.site.database.session() as session:
        subject = f"calendar:{district}:2027"
        notify.raise_alarm(session, kind="calendar_missing", subject=subject, level="warning", organisation_id=district)
        session.commit()
    client = desk.client(Role.CENTRE)
    assert client.post("/calendar/years", data={"year": 2027, "way": "paste", "text": NOTICE}).status_code == 303
    assert [f"{one.day:%m-%d} {one.kind}" for one in entered(desk)][:4] == [
        "01-01 holiday",
        "01-02 holiday",
        "01-03 holiday",
        "01-31 workday",
    ]
    with desk.site.database.session() as session:
        assert session.scalars(select(CalendarYear.source).where(CalendarYear.year == 2027)).all() == ["notice"]
        assert session.scalars(select(Alarm.cleared_at)).one() is not None
    assert jobs(desk) == 1
    refused = client.post("/calendar/years", data={"year": 2028, "way": "paste", "text": "大家好"})
    assert refused.status_code == 422
    assert "大家好" in refused.get_data(as_text=True)


def test_a_year_that_the_program_holds_or_the_week_alone_begin_it_too(desk: Desk) -> None:
    client = desk.client(Role.CENTRE)
    assert client.post("/calendar/years", data={"year": 2026, "way": "library"}).status_code == 303
    assert client.post("/calendar/years", data={"year": 2031, "way": "week"}).status_code == 303
    assert client.post("/calendar/years", data={"year": 2031, "way": "library"}).status_code == 422
    assert len(entered(desk)) > 30


def test_a_missing_year_is_warned_of_with_the_way_to_begin_it(desk: Desk) -> None:
    with desk.site.database.session() as session:
        today = clock.today(clock.now(session))
        missing = catalogue.missing_year(session, desk.world.district.id, today)
    page = desk.client(Role.CENTRE).get("/calendar").get_data(as_text=True)
    assert f"{missing} 年的日历还没有录入" in page
    assert 'id="start"' in page


def test_who_may_not_edit_looks_only(desk: Desk) -> None:
    client = desk.client(Role.OPERATOR)
    page = client.get("/calendar?day=2027-03-08").get_data(as_text=True)
    assert ("全年" in page, "day-form" in page) == (True, False)
    assert client.post("/calendar/days", data={"day": "2027-03-08", "act": "remove"}).status_code == 403


@pytest.mark.parametrize("query", ["year=1", "day=x", "year=x", "day=0001-01-01"])
def test_a_strange_address_is_no_server_error(desk: Desk, query: str) -> None:
    assert desk.client(Role.CENTRE).get(f"/calendar?{query}").status_code in {200, 422}


def test_whoever_stands_at_the_centre_keeps_the_districts_calendar(desk: Desk) -> None:
    with desk.site.database.session() as session:
        centre = session.execute(
            text(
                "INSERT INTO organisations (parent_id, kind, code, name, path) SELECT id, 'centre', 'c1', '中心', path "
                "FROM organisations WHERE id = :id RETURNING id"
            ),
            {"id": desk.world.district.id},
        ).scalar_one()
        session.execute(text("UPDATE organisations SET path = path || id WHERE id = :id"), {"id": centre})
        session.commit()
    editor = caller(desk.site.database, centre, Right.CATALOGUE_READ, Right.CATALOGUE_EDIT)
    assert put(editor, "2027-03-08", {"kind": "holiday", "name": "停电"})["days"][0]["name"] == "停电"
    assert [one.day for one in entered(desk)] == [date(2027, 3, 8)]


def put(who: Caller, day: str, body: dict[str, object]) -> dict[str, list[dict[str, object]]]:
    """PUT one day by the API."""
    answer = who.client.put(
        "/api/calendar/days", json=body | {"day": day}, headers={"Authorization": f"Bearer {who.key}"}
    )
    assert answer.status_code == 200
    assert answer.json is not None
    return answer.json


def test_the_api_shows_changes_and_begins_years(desk: Desk) -> None:
    editor = caller(desk.site.database, desk.world.district.id, Right.CATALOGUE_READ, Right.CATALOGUE_EDIT)
    headers = {"Authorization": f"Bearer {editor.key}"}
    body = {"kind": "special", "name": "值班", "periods": ["09:00-10:00"]}
    assert put(editor, "2027-03-08", body)["days"][0]["periods"] == ["09:00-10:00"]
    shown = editor.get("/api/calendar", year=2027).json
    assert shown is not None
    assert (shown["source"], [one["day"] for one in shown["days"]]) == (None, ["2027-03-08"])
    begun = editor.client.post("/api/calendar/years", json={"year": 2027, "text": NOTICE}, headers=headers)
    assert (begun.status_code, len(begun.json["days"])) == (201, 12)
    gone = editor.client.delete("/api/calendar/days?day=2027-03-08", headers=headers)
    assert (gone.status_code, len(gone.json["days"])) == (200, 11)
    assert editor.client.put("/api/calendar/days", json=body | {"day": "monday"}, headers=headers).status_code == 422
    reader = caller(desk.site.database, desk.world.district.id, Right.CATALOGUE_READ)
    refused = reader.client.delete(
        "/api/calendar/days?day=2027-03-08", headers={"Authorization": f"Bearer {reader.key}"}
    )
    assert refused.status_code == 403


def test_a_day_is_marked_by_keyboard_and_the_order_tells_that_its_limits_moved(desk: Desk, open_page: OpenPage) -> None:
    number = desk.place()
    due = desk.order(number).civic_due_at
    assert due is not None
    day = clock.today(due).isoformat()
    page = open_page(Role.CENTRE, f"/calendar?day={day}")
    page.locator("#name").fill("停电检修")
    page.keyboard.press("Enter")
    expect(page.locator(".message.tone-done")).to_contain_text("正在重新计算")
    assert violations(page) == []
    with desk.site.database.session() as session:
        job = session.scalars(select(Job).where(Job.kind == "orders.recompute_due")).one()
        WORK[job.kind](
            session, Claimed(job.id, job.kind, job.reference, job.arguments, job.lane, job.run_at, attempts=1, token=1)
        )
        session.commit()
    page.goto(f"{desk.site.url}/orders/{number}")
    expect(page.locator(".timeline")).to_contain_text("重算时限")
    expect(page.locator(".timeline")).to_contain_text("民生时限（工作日）")


def test_the_year_fits_a_phone(desk: Desk, open_page: OpenPage) -> None:
    with desk.site.database.session() as session:
        catalogue.seed_calendar_year(session, desk.world.district.id, 2026, actor=SYSTEM, now=clock.now(session))
        session.commit()
    page = open_page(Role.CENTRE, "/calendar?year=2026", width=390)
    expect(page.locator(".month")).to_have_count(12)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
