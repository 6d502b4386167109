"""Husband and wife far apart in age: enrolled when somebody says so, and no alarm at the yearly look."""

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.services import care
from tests.factories.care import ELDER, SON, home, make_calendar
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
