"""Calendars: the week of the policies, days inherited down the tree, years entered and missing."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.catalogue.calendar import YearNotKnown
from dispatch.services import catalogue
from tests.conftest import Database
from tests.factories.grid import NOW, make_community, make_district
from tests.statements import statements

FRIDAY_EVENING = datetime(2026, 11, 27, 9, 0, tzinfo=UTC)


def test_the_week_is_that_of_the_policies(session: Session) -> None:
    calendar = catalogue.calendar_of(session, make_district(session))

    assert calendar.working_day_length(date(2026, 11, 23)) == 7 * 3600
    assert calendar.working_day_length(date(2026, 11, 28)) == 0


def test_a_seeded_year_knows_holidays_and_makeup_workdays(session: Session) -> None:
    district = make_district(session)
    catalogue.seed_calendar_year(session, district, 2026, actor=SYSTEM, now=NOW)

    calendar = catalogue.calendar_of(session, district)

    assert calendar.working_day_length(date(2026, 10, 1)) == 0
    assert calendar.working_day_length(date(2026, 10, 10)) == 7 * 3600
    assert calendar.is_known(date(2026, 1, 1))
    assert not calendar.is_known(date(2027, 1, 1))


def test_a_community_inherits_days_and_its_own_win(session: Session) -> None:
    community = make_community(session)
    day = date(2026, 11, 24)
    catalogue.edit_day(session, community.district, day, kind="holiday", name="停电", actor=SYSTEM)
    assert catalogue.calendar_of(session, community.id).working_day_length(day) == 0

    catalogue.edit_day(session, community.id, day, kind="special", name="值班", periods=["09:00-10:00"], actor=SYSTEM)

    assert catalogue.calendar_of(session, community.id).working_day_length(day) == 3600
    assert catalogue.calendar_of(session, community.district).working_day_length(day) == 0
    catalogue.remove_day(session, community.id, day, actor=SYSTEM)
    assert catalogue.calendar_of(session, community.id).working_day_length(day) == 0


@pytest.mark.parametrize(
    ("kind", "name", "periods", "field"),
    [
        ("feast", "节", None, "kind"),
        ("holiday", " ", None, "name"),
        ("special", "值班", None, "periods"),
        ("holiday", "节", ["09:00-10:00"], "periods"),
        ("special", "值班", ["9点"], "period"),
    ],
)
def test_a_wrong_day_names_its_field(
    session: Session, kind: str, name: str, periods: list[str] | None, field: str
) -> None:
    district = make_district(session)

    with pytest.raises(Invalid) as refused:
        catalogue.edit_day(session, district, date(2026, 11, 24), kind=kind, name=name, periods=periods, actor=SYSTEM)

    assert refused.value.field == field


def test_an_edit_is_audited(session: Session) -> None:
    district = make_district(session)
    catalogue.edit_day(session, district, date(2026, 11, 24), kind="holiday", name="停电", actor=SYSTEM)

    actions = session.scalars(
        text("SELECT action FROM audit_entries WHERE subject = 'organisations' AND subject_id = :id"),
        {"id": district},
    ).all()

    assert "calendar.edit_day" in actions


def test_a_year_that_nobody_knows_is_told_and_stays_missing(session: Session) -> None:
    district = make_district(session)

    with pytest.raises(YearNotKnown):
        catalogue.seed_calendar_year(session, district, 2090, actor=SYSTEM, now=NOW)


def test_the_next_year_is_missed_from_november_on(session: Session) -> None:
    district = make_district(session)
    assert catalogue.missing_year(session, district, date(2026, 5, 1)) == 2026
    catalogue.enter_year(session, district, 2026, source="test", actor=SYSTEM, now=NOW)

    assert catalogue.missing_year(session, district, date(2026, 11, 1)) is None
    assert catalogue.missing_year(session, district, date(2026, 11, 2)) == 2027
    assert catalogue.missing_year(session, district, date(2026, 12, 31)) == 2027
    catalogue.enter_year(session, district, 2027, source="test", actor=SYSTEM, now=NOW)
    assert catalogue.missing_year(session, district, date(2026, 12, 31)) is None


def test_a_limit_over_a_missing_year_is_counted_by_weekday_and_says_so(session: Session) -> None:
    district = make_district(session)

    due = catalogue.calendar_of(session, district).add_working_seconds(FRIDAY_EVENING, 3600)

    assert due.assumed
    assert due.instant == FRIDAY_EVENING + timedelta(days=2, hours=16)


def test_a_calendar_that_was_just_read_costs_no_query(committed: Database) -> None:
    with committed.session() as session:
        district = make_district(session)
        session.commit()
    with committed.session() as session:
        catalogue.calendar_of(session, district)
        with statements(session) as sent:
            catalogue.calendar_of(session, district)
    assert sent == []
