"""Who is sent for a visit of 三访, and when: who knows the home, has least to do, and has hours before it is due."""

from datetime import UTC, datetime, time, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import Condolence, LifeEvent
from dispatch.models.notify import Alarm
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Role
from dispatch.rules.care.events import Event
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import care, catalogue, orders
from dispatch.services.care import condoling, events
from tests.factories.care import ELDER, KINDS, VISIT
from tests.factories.life import Life, make_life, visit_kind_of
from tests.factories.visits import helper
from tests.factories.world import make_world, service, staff

EVENINGS = ("1-7 18:00-21:00",)


@pytest.fixture
def life(session: Session) -> Life:
    """A retired resident and a visitor who is there day and night, in the test's own transaction."""
    return make_life(session, make_world(session))


@pytest.fixture
def monday(session: Session) -> datetime:
    """Ten o'clock of the next Monday."""
    today = clock.today(clock.now(session))
    day = today + timedelta(days=8 - today.isoweekday())
    return datetime.combine(day, time(10), SHANGHAI).astimezone(UTC)


def told(session: Session, life: Life, kind: Event, now: datetime, **said: int) -> Condolence:
    """The visit that something owes which happened to the resident today."""
    draft = events.EventDraft(kind, now.astimezone(SHANGHAI).date(), resident_id=life.resident.id, **said)
    event: LifeEvent = events.tell(session, draft, actor=staff(session, life.world, Role.WELFARE), now=now)
    return session.scalars(select(Condolence).where(Condolence.event_id == event.id)).one()


def window(session: Session, visit: Condolence) -> tuple[str, str]:
    """From when until when the order of a visit is wanted, in Shanghai."""
    order = session.get_one(Order, visit.order_id)
    assert order.named_performer_id == visit.performer_id
    assert order.wanted_from is not None
    assert order.wanted_until is not None
    begins, ends = (one.astimezone(SHANGHAI) for one in (order.wanted_from, order.wanted_until))
    return f"{begins:%a %H:%M}", f"{ends:%a %H:%M}"


def test_who_has_no_hours_before_it_is_due_is_passed_over_and_others_come_in_theirs(
    session: Session, life: Life, monday: datetime
) -> None:
    life.visitor.shifts = catalogue.shifts_of(("7-7 08:00-20:00",))
    other = helper(session, life.world, [visit_kind_of(session, life.world)], shifts=catalogue.shifts_of(EVENINGS))
    visit = told(session, life, Event.ACCIDENT, monday)
    assert (visit.state, visit.performer_id) == ("placed", other.id)
    assert window(session, visit) == ("Mon 18:00", "Mon 19:00")
    orders.route(session, visit.order_id, now=monday)
    assert session.get_one(Order, visit.order_id, populate_existing=True).state == "offered"
    other.suspended_until = monday + timedelta(days=30)
    session.flush()
    later = told(session, life, Event.HOSPITAL, monday + timedelta(hours=1))
    assert (later.state, later.order_id) == ("waiting", None)
    assert session.scalars(select(Alarm.kind).where(Alarm.kind == condoling.UNPLACED)).all() == [condoling.UNPLACED]


def test_who_is_named_comes_in_their_next_hours(session: Session, life: Life, monday: datetime) -> None:
    life.visitor.shifts = catalogue.shifts_of(EVENINGS)
    visit = told(session, life, Event.ACCIDENT, monday, performer_id=life.visitor.id)
    assert window(session, visit) == ("Mon 18:00", "Mon 19:00")
    again = condoling.name_visitor(
        session, visit.id, life.visitor.id, actor=staff(session, life.world, Role.WELFARE), now=monday + timedelta(9)
    )
    assert window(session, again) == ("Wed 18:00", "Wed 19:00")


def test_who_knows_the_home_goes_and_who_came_before_comes_again(
    session: Session, life: Life, monday: datetime
) -> None:
    kinds = [visit_kind_of(session, life.world)]
    kinds += [service(session, life.world.district, code, **VISIT) for code in KINDS]
    friend, planner = helper(session, life.world, kinds), staff(session, life.world, Role.CENTRE)
    life.resident.birth_date = ELDER
    care.begin_programmes(session, life.world.community.id, actor=planner)
    draft = care.EnrolmentDraft("device", resident_id=life.resident.id)
    enrolment = care.enrol(session, draft, actor=planner, now=monday)
    care.pair(session, enrolment.id, friend.id, kind="party_member", actor=planner, now=monday)
    visit = told(session, life, Event.HOSPITAL, monday)
    assert (visit.performer_id, window(session, visit)) == (friend.id, ("Mon 11:00", "Mon 12:00"))
    visit.performer_id, visit.state, visit.done_at = life.visitor.id, "done", monday
    session.flush()
    assert condoling.visit_again(session, now=monday + timedelta(days=11)) == 1
    newest = select(Condolence).where(Condolence.event_id == visit.event_id).order_by(Condolence.id.desc()).limit(1)
    assert session.scalars(newest).one().performer_id == life.visitor.id


def test_two_visits_are_not_at_one_time_and_the_one_with_less_to_do_is_asked(
    session: Session, life: Life, monday: datetime
) -> None:
    first = told(session, life, Event.ACCIDENT, monday)
    second = told(session, life, Event.HOSPITAL, monday)
    assert [window(session, one)[0] for one in (first, second)] == ["Mon 11:00", "Mon 12:00"]
    other = helper(session, life.world, [visit_kind_of(session, life.world)])
    third = told(session, life, Event.DISASTER, monday)
    assert (third.performer_id, window(session, third)[0]) == (other.id, "Mon 11:00")
