"""Homes of the enrolled: husband and wife far apart in age, and what is told of who moved within the community."""

from datetime import UTC, date, datetime

import pytest
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.rules.access.roles import SYSTEM
from dispatch.services import care, grid
from tests.factories.alarms import device_of
from tests.factories.care import ELDER, SON, WIFE, home, make_calendar, paired
from tests.services.care.test_calendar import alarms, at


def test_a_couple_far_apart_in_age_is_enrolled_when_somebody_says_so(session: Session) -> None:
    calendar = make_calendar(session)
    household_id = home(session, calendar, ELDER, SON)[0].household_id
    about = {"actor": calendar.planner, "now": at(1, 10)}
    with pytest.raises(Invalid) as refused:
        care.enrol(session, care.EnrolmentDraft("pairing", household_id=household_id), **about)
    assert refused.value.field == "household_id"
    said = care.EnrolmentDraft("pairing", household_id=household_id, is_couple=True)
    assert care.enrol(session, said, **about).is_couple
    assert care.check_nests(session, now=datetime(2027, 1, 10, 4, tzinfo=UTC)) == 1
    assert alarms(session, "nest_changed") == []


def test_a_device_that_stayed_behind_and_a_home_left_empty_are_told_the_next_day(session: Session) -> None:
    calendar = make_calendar(session)
    elder, wife = home(session, calendar, ELDER, WIFE)
    paired(session, calendar, [elder, wife], now=at(1, 10))
    device_of(session, calendar.world, elder)
    assert care.tell_moves(session) == 0
    about = {"stairwell_id": calendar.world.stairwells[1].id, "room": "909", "day": date(2026, 2, 1)}
    grid.move_house(session, elder.id, **about, actor=SYSTEM, now=at(2, 1))
    assert care.tell_moves(session) == 1
    assert (alarms(session, "device_elsewhere"), alarms(session, "nest_changed")) == ([("warning", True)], [])
    grid.move_house(session, wife.id, **about, actor=SYSTEM, now=at(2, 1))
    assert [care.tell_moves(session) for _ in range(2)] == [2, 2]
    assert (len(alarms(session, "device_elsewhere")), alarms(session, "nest_changed")) == (1, [("warning", True)])
