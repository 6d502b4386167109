"""Links to calendars end: with the helper, with the consent, with their revocation, and none comes back."""

from datetime import datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.care import CareFeed
from dispatch.rules.access.roles import SYSTEM
from dispatch.services import care, orders
from dispatch.services.care import feeding
from tests.factories.care import ELDER, Calendar, home, keep_day, make_calendar, paired
from tests.services.care.test_calendar import at, order_of, periods


@pytest.fixture
def calendar(session: Session) -> Calendar:
    """A community with programmes and two helpers."""
    return make_calendar(session)


def opens(session: Session, token: str, now: datetime) -> bool:
    """Whether a link opens."""
    try:
        feeding.read_feed(session, token, now=now)
    except NotFound:
        return False
    return True


def test_a_calendar_ends_with_the_last_day_of_its_helper(session: Session, calendar: Calendar) -> None:
    now, helper_id, about = clock.now(session), calendar.helpers[0].id, {"actor": calendar.planner}
    paired(session, calendar, home(session, calendar, ELDER), now=now)
    token = feeding.give_helper_feed(session, helper_id, **about, now=now)
    tomorrow = clock.today(now) + timedelta(days=1)
    left = care.record_leave(session, helper_id, starts_on=tomorrow, until=None, **about, now=now)
    assert [opens(session, token, now + timedelta(days=days)) for days in (0, 1, 2)] == [True, False, False]
    care.end_leave(session, left.id, until=tomorrow, **about)
    assert opens(session, token, now + timedelta(days=2))


def test_an_hour_that_came_to_nothing_leaves_the_calendar_under_a_higher_number(
    session: Session, calendar: Calendar
) -> None:
    (helper, other), later = calendar.helpers, at(1, 20)
    enrolment = paired(session, calendar, home(session, calendar, ELDER), now=at(1, 10))
    token = feeding.give_helper_feed(session, helper.id, actor=calendar.planner, now=at(1, 10))
    keep_day(session, calendar, later)
    (before,) = (one for one in feeding.read_feed(session, token, now=later) if one.words == "上门探访")
    period = periods(session, enrolment, "visit")[0]
    other.is_active = helper.is_active = False
    session.flush()
    order = order_of(session, period)
    orders.void(session, order, reason="派错了", actor=SYSTEM, now=later)
    session.flush()
    assert care.order_changed(session, order.id, order.version, now=later)
    helper.is_active = True
    session.flush()
    after = next(one for one in feeding.read_feed(session, token, now=later) if one.uid == before.uid)
    assert (before.window is None, after.window) == (False, None)
    assert after.sequence > before.sequence


def test_a_family_s_calendar_ends_with_the_term_of_the_consent(session: Session, calendar: Calendar) -> None:
    now = clock.now(session)
    (person,) = home(session, calendar, ELDER)
    today = clock.today(now)
    about = {"relation": "儿子", "actor": calendar.planner, "now": now}
    token = feeding.give_family_feed(session, person.id, consented_on=today, **about)  # type: ignore[arg-type]
    assert [opens(session, token, now + timedelta(days=days)) for days in (0, 364, 367)] == [True, True, False]
    with pytest.raises(Invalid) as refused:
        feeding.give_family_feed(session, person.id, consented_on=today - timedelta(days=400), **about)  # type: ignore[arg-type]
    assert refused.value.field == "consented_on"


def test_the_database_lets_no_revoked_link_live_again_and_none_become_another_s(
    session: Session, calendar: Calendar
) -> None:
    now = clock.now(session)
    token = feeding.give_helper_feed(session, calendar.helpers[0].id, actor=calendar.planner, now=now)
    feed = session.query(CareFeed).one()
    whose, another = text("UPDATE care_feeds SET performer_id = :another"), {"another": calendar.helpers[1].id}
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(whose, another)
    feeding.revoke_feed(session, feed.id, actor=calendar.planner, now=now)
    with pytest.raises(DBAPIError), session.begin_nested():
        session.execute(text("UPDATE care_feeds SET revoked_at = NULL, revoked_by = NULL"))
    assert not opens(session, token, now)
