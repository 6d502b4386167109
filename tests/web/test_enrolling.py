"""Enrolling who has no birth date in the register: the birthday is said by either calendar and entered once."""

from datetime import date

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from dispatch.models.access import AuditEntry
from dispatch.models.care import Enrolment
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import Role
from dispatch.rules.care.lunar import solar_day
from dispatch.services.access import vault
from tests.factories.care import calendar_of, home
from tests.web.orders.conftest import Desk, desk

__all__ = ["desk"]


def enrol(client: FlaskClient, resident_id: int, year: int, month: int, day: int, **said: str) -> tuple[int, str]:
    """Enrol the home of somebody in pairing with a lunar birthday; status and page."""
    about = {"programme": "pairing", "resident_id": str(resident_id), "q": "陈", "birth_calendar": "lunar"}
    born = {"birth_year": str(year), "birth_month": str(month), "birth_day": str(day)}
    answer = client.post("/care", data=about | born | said)
    return answer.status_code, answer.get_data(as_text=True)


def test_a_lunar_birthday_is_converted_entered_in_the_register_and_counts_for_the_age(desk: Desk) -> None:
    with desk.site.database.session() as session:
        (elder,) = home(session, calendar_of(session, desk.world, helpers=1))
        elder.birth_date = None
        session.commit()
        elder_id = elder.id
    client = desk.client(Role.DISPATCHER)
    assert enrol(client, elder_id, 1940, 13, 1)[0] == 422
    assert "没有这个农历日子" in enrol(client, elder_id, 1940, 1, 1, birth_leap="1")[1]
    assert "加入当天要年满70周岁" in enrol(client, elder_id, date.today().year - 60, 1, 1)[1]  # noqa: DTZ011 - ten years off
    status, _ = enrol(client, elder_id, 1944, 4, 8, birth_leap="1")
    with desk.site.database.session() as session:
        found = session.get_one(Resident, elder_id)
        assert (status, found.birth_date) == (303, solar_day(1944, 4, 8, leap=True))
        assert found.birth_date == date(1944, 5, 29)
        assert len(session.scalars(select(Enrolment)).all()) == 1
        noted = select(AuditEntry.subject_id).where(AuditEntry.action == "grid.note_birth_date")
        assert list(session.scalars(noted)) == [elder_id]


@pytest.mark.parametrize("year", [1944, 2199])
def test_what_the_identity_number_says_stands_and_nobody_is_born_tomorrow(desk: Desk, year: int) -> None:
    with desk.site.database.session() as session:
        (elder,) = home(session, calendar_of(session, desk.world, helpers=1))
        if year < 2000:
            place = f"residents.identity_number.{elder.uid}"
            elder.identity_number = vault.seal(place, "331102194501010013")
        elder.birth_date, elder_id = date(1945, 1, 1), elder.id
        session.commit()
    status, page = enrol(desk.client(Role.DISPATCHER), elder_id, year, 4, 8)
    assert status == 422
    assert ("以身份证为准" if year < 2000 else "不能晚于今天") in page
    with desk.site.database.session() as session:
        assert session.get_one(Resident, elder_id).birth_date == date(1945, 1, 1)
