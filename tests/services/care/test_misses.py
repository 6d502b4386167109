"""Misses: each has alarms of its own, level by level, until somebody was there, it is excused or nothing is owed."""

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.notify import Alarm
from dispatch.services import care
from tests.factories.care import Calendar, home, keep_day, make_calendar, visited, voucher
from tests.services.care.test_calendar import alarms, at, periods


@pytest.fixture
def calendar(session: Session) -> Calendar:
    """A community with programmes in the test's own transaction."""
    return make_calendar(session)


def test_a_miss_is_told_level_by_level_once_each_until_somebody_was_there(session: Session, calendar: Calendar) -> None:
    elder = home(session, calendar)[0]
    voucher(session, calendar, elder, now=at(1, 10))
    for day in (1, 1, 2, 3, 3, 5, 6, 6, 9):
        keep_day(session, calendar, at(2, day))
    assert alarms(session, "duty_missed") == [("notice", False), ("warning", False), ("emergency", True)]
    visited(session, calendar, elder, at(2, 9))
    assert alarms(session, "duty_missed")[-1] == ("emergency", False)
    keep_day(session, calendar, at(2, 10))
    assert len(alarms(session, "duty_missed")) == 3


def test_a_second_miss_has_levels_of_its_own_and_takes_nothing_from_the_first(
    session: Session, calendar: Calendar
) -> None:
    elder = home(session, calendar)[0]
    enrolment = voucher(session, calendar, elder, now=at(1, 10))
    for day in ((2, 1), (2, 3), (2, 6), (3, 1), (3, 1), (3, 6), (4, 1), (4, 3)):
        keep_day(session, calendar, at(*day))
    told: dict[str, list[tuple[str, bool]]] = {}
    for one in session.scalars(select(Alarm).where(Alarm.kind == "duty_missed").order_by(Alarm.id)):
        told.setdefault(one.facts["period"], []).append((one.level, one.cleared_at is None))
    assert told == {
        "2026-01": [("notice", False), ("warning", False), ("emergency", True)],
        "2026-02": [("notice", False), ("emergency", True)],
        "2026-03": [("notice", False), ("warning", True)],
    }
    march = periods(session, enrolment, "monthly_visit")[2]
    care.ask_excuse(session, march.id, code="away", words="去女儿家过年", actor=calendar.planner, now=at(4, 3))
    care.approve_excuse(session, march.id, actor=calendar.second, now=at(4, 3))
    assert [is_open for _, is_open in alarms(session, "duty_missed")].count(True) == 2
    visited(session, calendar, elder, at(4, 3))
    assert [is_open for _, is_open in alarms(session, "duty_missed")].count(True) == 0


def test_who_has_left_a_programme_is_missed_by_it_no_more(session: Session, calendar: Calendar) -> None:
    enrolment = voucher(session, calendar, home(session, calendar)[0], now=at(1, 10))
    for day in (1, 20):
        keep_day(session, calendar, at(2, day))
    assert (alarms(session, "duty_missed")[-1], alarms(session, "duty_warning")) == (
        ("emergency", True),
        [("notice", True)],
    )
    care.end_enrolment(session, enrolment.id, code="moved", reason="迁出", actor=calendar.planner, now=at(2, 20))
    open_ones = select(Alarm.kind).where(Alarm.cleared_at.is_(None), Alarm.subject.like("duty_period:%"))
    assert session.scalars(open_ones).all() == []
