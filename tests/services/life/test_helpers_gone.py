"""A helper who is somebody of the register dies: others do what was theirs, and a wrong death gives the helper back."""

from dataclasses import dataclass

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.care import Condolence, DutyHandover, DutyPeriod, LifeEvent, PairedHelper, VisitOccurrence
from dispatch.models.catalogue import Performer
from dispatch.models.grid import Resident
from dispatch.models.notify import Alarm
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, Role
from dispatch.rules.care.events import Event
from dispatch.rules.orders.states import AFTER_WORK, OPEN
from dispatch.services import care, catalogue, life
from dispatch.services.care import events, groups
from dispatch.services.care.events import EventDraft
from tests.factories.care import ELDER, Calendar, home, make_calendar, paired
from tests.factories.life import group, visit_kind_of
from tests.factories.visits import helper
from tests.factories.world import make_world, staff, user


@dataclass(frozen=True, slots=True)
class Gone:
    """A helper who lives here, another who does the same, an elder whose helper the first is, and a clerk."""

    calendar: Calendar
    first: Performer
    second: Performer
    person: Resident
    elder: Resident
    clerk: Actor


@pytest.fixture
def gone(session: Session) -> Gone:
    """The first is paired with the elder, is to visit them each day, and was named for a visit of 三访."""
    calendar, now = make_calendar(session), clock.now(session)
    (person,), (elder,) = home(session, calendar, ELDER), home(session, calendar, ELDER, stairwell=1)
    kinds = [calendar.kinds["care_visit"], calendar.kinds["greeting_call"], visit_kind_of(session, calendar.world)]
    first, second = (helper(session, calendar.world, kinds, capacity=9) for _ in range(2))
    for other in calendar.helpers:
        other.is_active = False
    first.user_id = user(session).id
    calendar.helpers[:] = [first, second]
    paired(session, calendar, [elder], now=now)
    about = {"window_minutes": 120, "service_code": "care_visit", "performer_id": first.id}
    visits = care.VisitDraft(elder.id, now, "FREQ=DAILY", **about)  # type: ignore[arg-type]
    care.plan_visits(session, visits, actor=calendar.planner, now=now)
    care.keep_batch(session, calendar.community_id, 0, 2**62, now=now)
    members = group(session, calendar.world).id
    groups.add_member(session, members, person.id, actor=calendar.planner, now=now)
    clerk = staff(session, calendar.world, Role.WELFARE)
    ill = EventDraft(Event.HOSPITAL, clock.today(now), elder.id, performer_id=first.id)
    events.tell(session, ill, actor=clerk, now=now)
    catalogue.set_resident(session, first.id, person.id, actor=calendar.planner)
    return Gone(calendar, first, second, person, elder, clerk)


def asked(session: Session, performer: Performer) -> dict[str, int]:
    """What somebody is still asked for, by kind."""
    session.expire_all()
    paired_with, named = PairedHelper.performer_id == performer.id, Condolence.performer_id == performer.id
    visiting = Order.named_performer_id == performer.id
    queries = {
        "pairings": select(PairedHelper.id).where(paired_with, PairedHelper.ends_on.is_(None)),
        "duties": select(DutyPeriod.id).where(DutyPeriod.helper_id == performer.id, DutyPeriod.state == "due"),
        "planned": select(VisitOccurrence.id)
        .join(Order, Order.id == VisitOccurrence.order_id)
        .where(VisitOccurrence.state == "placed", visiting),
        "condolences": select(Condolence.id).where(named, Condolence.state == "placed"),
        "orders": select(Order.id).where(visiting, Order.state.in_(OPEN - AFTER_WORK)),
    }
    return {kind: len(session.scalars(query).all()) for kind, query in queries.items()}


def die(session: Session, gone: Gone) -> LifeEvent:
    """The first helper has died today, and by mistake is named for the visit to their own family."""
    now = clock.now(session)
    draft = EventDraft(Event.DEATH, clock.today(now), gone.person.id, performer_id=gone.first.id)
    return life.record_death(session, draft, actor=gone.clerk, now=now)


def take_back(session: Session, gone: Gone, event: LifeEvent) -> life.Restored:
    """It was somebody else of the same name."""
    now, second = clock.now(session), staff(session, gone.calendar.world, Role.CENTRE)
    life.ask_withdrawal(session, event.id, reason="同名的另一位", actor=gone.clerk, now=now)
    return life.approve_withdrawal(session, event.id, actor=second, now=now)


def alarms(session: Session) -> list[dict[str, int]]:
    """What the desk is told to do about helpers who are gone, while it is open."""
    open_ones = select(Alarm).where(Alarm.kind == "helper_gone", Alarm.cleared_at.is_(None))
    return [one.facts for one in session.scalars(open_ones)]


def test_with_the_death_of_a_helper_others_are_asked_and_a_wrong_one_gives_the_helper_back(
    session: Session, gone: Gone
) -> None:
    before = asked(session, gone.first)
    assert min(before.values()) >= 1, before
    event = die(session, gone)
    assert asked(session, gone.first) == dict.fromkeys(before, 0)
    after = asked(session, gone.second)
    assert (after["duties"], after["planned"]) == (before["duties"], before["planned"])
    assert after["condolences"] == before["condolences"] + 1
    assert set(session.scalars(select(DutyHandover.code))) >= {"left"}
    assert alarms(session) == [{"performer_id": gone.first.id, "at_work": 0}]
    assert take_back(session, gone, event).left == []
    assert (asked(session, gone.first)["pairings"], gone.first.is_active, alarms(session)) == (1, True, [])


def test_a_pairing_of_an_elder_who_has_left_meanwhile_does_not_come_back(session: Session, gone: Gone) -> None:
    event, now = die(session, gone), clock.now(session)
    enrolment = session.scalars(select(PairedHelper.enrolment_id)).one()
    care.end_enrolment(session, enrolment, code="ended", reason="不要了", actor=gone.calendar.planner, now=now)
    assert [subject for subject, _ in take_back(session, gone, event).left] == ["pairing_helpers"]


def test_a_helper_who_moves_away_may_still_come(session: Session, gone: Gone) -> None:
    before, now = asked(session, gone.first), clock.now(session)
    draft = EventDraft(Event.MOVED_AWAY, clock.today(now), gone.person.id)
    life.record_move(session, draft, actor=gone.clerk, now=now)
    assert asked(session, gone.first) == before


def test_a_helper_is_a_resident_of_the_same_community_and_a_firm_is_none(session: Session, gone: Gone) -> None:
    other = make_calendar(session)
    (stranger,) = home(session, other, ELDER)
    with pytest.raises(Invalid) as refused:
        catalogue.set_resident(session, gone.second.id, stranger.id, actor=gone.calendar.planner)
    assert refused.value.field == "resident_id"
    with pytest.raises(NotFound):
        catalogue.set_resident(session, gone.calendar.world.firms[0].id, gone.person.id, actor=gone.calendar.planner)
    with pytest.raises(NotFound):
        catalogue.set_resident(session, gone.first.id, None, actor=staff(session, make_world(session), Role.DISPATCHER))
    moved = update(Performer).where(Performer.id == gone.second.id).values(resident_id=stranger.id)
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(moved)
    assert catalogue.set_resident(session, gone.first.id, None, actor=gone.calendar.planner).resident_id is None
    die(session, gone)
    assert asked(session, gone.first)["pairings"] == 1
