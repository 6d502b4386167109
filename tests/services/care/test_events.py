"""三访 through the services: who is visited by whom until when, again while in hospital, and what is alarmed."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.care import Absence, Condolence, LifeEvent
from dispatch.models.notify import Alarm
from dispatch.models.orders import Order
from dispatch.queue import Job
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.rules.care.events import Event, Source, Trigger
from dispatch.rules.care.terms import AbsenceKind
from dispatch.services import orders
from dispatch.services.care import absences, condoling, covering, events, groups, order_changed
from dispatch.services.care.absences import DaysKnown
from dispatch.services.care.condoling import VisitPaid
from dispatch.services.care.events import AlreadyTold, EventDraft, NotInHospital
from tests.factories.life import Life, group, make_life
from tests.factories.visits import resident
from tests.factories.world import make_world, staff
from tests.statements import statements

DAY = timedelta(days=1)


@pytest.fixture
def life(session: Session) -> Life:
    """A retired resident and a visitor, in the test's own transaction."""
    return make_life(session, make_world(session))


def tell(session: Session, life: Life, kind: Event, **said: Any) -> LifeEvent:
    """Something happened to the resident today."""
    now = clock.now(session)
    about = {"resident_id": life.resident.id, "happened_on": clock.today(now)} | said
    actor = staff(session, life.world, Role.WELFARE)
    return events.tell(session, EventDraft(kind, **about), actor=actor, now=said.pop("now", now))


def visits(session: Session, event: LifeEvent) -> list[Condolence]:
    """The visits of an event, oldest first."""
    session.expire_all()
    query = select(Condolence).where(Condolence.event_id == event.id).order_by(Condolence.id)
    return list(session.scalars(query))


def finish(session: Session, visit: Condolence, result: str | None = None) -> None:
    """The order of a visit is worked to its end, and care hears of it."""
    session.execute(
        text("UPDATE orders SET state = 'finished', result = :result, version = version + 1 WHERE id = :id"),
        {"id": visit.order_id, "result": result},
    )
    order = session.get_one(Order, visit.order_id, populate_existing=True)
    order_changed(session, order.id, order.version, now=clock.now(session))


def alarms(session: Session) -> dict[str, bool]:
    """The alarms of 三访, each with whether it is open."""
    query = select(Alarm.kind, Alarm.cleared_at).where(Alarm.kind.startswith("condolence"))
    return {kind: cleared is None for kind, cleared in session.execute(query)}


def test_a_named_person_is_sent_to_the_home_and_the_order_says_nothing_of_why(session: Session, life: Life) -> None:
    event = tell(session, life, Event.HOSPITAL, words="脑梗,住市二院", source=Source.CALL)
    (visit,) = visits(session, event)
    order = session.get_one(Order, visit.order_id)
    assert order.named_performer_id == life.visitor.id == visit.performer_id
    assert (order.stairwell_id, order.confidential) == (life.world.stairwells[0].id, True)
    assert not any(word in order.description for word in ("住院", "脑梗", "医院"))
    assert (visit.due_at - event.told_at).days in {3, 4}
    assert events.words_of(event) == "脑梗,住市二院"
    assert "脑梗".encode() not in (event.words or b"")
    absence = session.scalars(select(Absence).where(Absence.resident_id == life.resident.id)).one()
    assert (absence.kind, absence.until) == ("hospital", None)
    with pytest.raises(AlreadyTold):
        tell(session, life, Event.HOSPITAL)


def test_who_is_in_no_group_or_switched_off_is_not_visited(session: Session, life: Life) -> None:
    stranger = resident(session, life.world)
    assert visits(session, tell(session, life, Event.ACCIDENT, resident_id=stranger.id)) == []
    groups.switch(session, group(session, life.world).id, Trigger.DISASTER, is_on=False, actor=SYSTEM)
    assert visits(session, tell(session, life, Event.ACCIDENT)) == []
    household = {"resident_id": None, "household_id": life.resident.household_id}
    groups.switch(session, group(session, life.world).id, Trigger.DISASTER, is_on=True, actor=SYSTEM)
    (visit,) = visits(session, tell(session, life, Event.DISASTER, **household))
    assert visit.due_at - visit.created_at == timedelta(hours=24)


def test_a_stay_is_visited_again_after_a_fortnight_until_discharge_which_is_visited_once(
    session: Session, life: Life
) -> None:
    event, now = tell(session, life, Event.HOSPITAL), clock.now(session)
    finish(session, visits(session, event)[0])
    assert condoling.visit_again(session, now=now) == 0
    assert condoling.visit_again(session, now=now + 11 * DAY) == 1
    assert condoling.visit_again(session, now=now + 11 * DAY) == 0
    first, again = visits(session, event)
    assert (first.state, again.occasion, again.state) == ("done", "again-1", "placed")
    assert 14 * DAY <= again.due_at - now <= 15 * DAY
    left = tell(session, life, Event.DISCHARGE)
    assert [visit.state for visit in visits(session, event)] == ["done", "ended"]
    assert session.get_one(Order, again.order_id).state == "voided"
    (after,) = visits(session, left)
    assert (after.occasion, (after.due_at - now).days in {7, 8}) == ("discharge", True)
    assert condoling.visit_again(session, now=now + 40 * DAY) == 0
    with pytest.raises(NotInHospital):
        tell(session, life, Event.DISCHARGE)


def test_what_is_late_is_alarmed_once_and_the_visit_clears_it(session: Session, life: Life) -> None:
    event = tell(session, life, Event.ACCIDENT)
    (visit,) = visits(session, event)
    job = session.scalars(select(Job).where(Job.kind == "care.condolence_due", Job.reference == visit.id)).one()
    assert job.run_at == visit.due_at
    assert [condoling.condolence_due(session, visit.id) for _ in range(2)] == [True, False]
    finish(session, visit)
    assert (visits(session, event)[0].state, alarms(session)) == ("done", {"condolence_late": False})
    assert not condoling.condolence_due(session, visit.id)
    with pytest.raises(VisitPaid):
        condoling.name_visitor(session, visit.id, life.visitor.id, actor=SYSTEM, now=clock.now(session))


def test_where_nobody_can_go_somebody_is_named_and_what_came_to_nothing_is_tried_again(
    session: Session, life: Life
) -> None:
    life.visitor.is_active = False
    session.flush()
    event, clerk = tell(session, life, Event.ACCIDENT), staff(session, life.world, Role.WELFARE)
    (visit,) = visits(session, event)
    assert (visit.state, visit.order_id, alarms(session)) == ("waiting", None, {"condolence_unplaced": True})
    life.visitor.is_active = True
    session.flush()
    now = clock.now(session)
    condoling.name_visitor(session, visit.id, life.visitor.id, actor=clerk, now=now)
    assert (visits(session, event)[0].state, alarms(session)) == ("placed", {"condolence_unplaced": False})
    finish(session, visits(session, event)[0], "not_done")
    assert visits(session, event)[0].state == "failed"
    condoling.name_visitor(session, visit.id, life.visitor.id, actor=clerk, now=now)
    assert visits(session, event)[0].tries == 2
    with pytest.raises(Invalid):
        condoling.name_visitor(session, visit.id, life.world.firms[0].id, actor=clerk, now=now)
    elsewhere = staff(session, make_world(session), Role.WELFARE)
    with pytest.raises(NotFound):
        condoling.name_visitor(session, visit.id, life.visitor.id, actor=elsewhere, now=now)


def test_groups_are_data_and_their_year_is_counted(session: Session, life: Life) -> None:
    clerk, now = staff(session, life.world, Role.WELFARE), clock.now(session)
    event, year = tell(session, life, Event.ACCIDENT), clock.today(now).year
    tell(session, life, Event.HOSPITAL)
    retired_id = group(session, life.world).id
    assert covering.missing(session, retired_id, year, actor=clerk, now=now) == [life.resident]
    finish(session, visits(session, event)[0])
    assert covering.missing(session, retired_id, year, actor=clerk, now=now) == []
    assert covering.missing(session, retired_id, year + 1, actor=clerk, now=now) == [life.resident]
    with statements(session) as sent:
        found = {one.group.code: one for one in covering.coverage(session, year, actor=clerk, now=now)}
    assert len(sent) == 3
    retired = found["retired"]
    assert (retired.events, retired.owed, retired.in_time, retired.late, retired.waiting) == (2, 2, 1, 0, 1)
    assert (retired.members, retired.visited) == (1, 1)
    assert found["party_member"].events == 0
    views = {view.group.code: view for view in groups.list_groups(session, actor=clerk, now=now)}
    assert len(views) == 5
    assert (views["retired"].members, views["retired"].on) == (1, set(Trigger))
    with pytest.raises(groups.NotListed):
        groups.add_member(session, views["enrolled"].group.id, life.resident.id, actor=clerk, now=now)
    with pytest.raises(groups.AlreadyMember):
        groups.add_member(session, views["retired"].group.id, life.resident.id, actor=clerk, now=now)
    groups.end_member(session, views["retired"].group.id, life.resident.id, actor=clerk, now=now)
    assert visits(session, tell(session, life, Event.DISASTER)) == []


def test_the_database_keeps_one_stay_and_lets_no_event_be_rewritten(session: Session, life: Life) -> None:
    event = tell(session, life, Event.HOSPITAL)
    for change in ("happened_on = happened_on - 1", "kind = 'death'", "withdrawn_at = told_at"):
        with pytest.raises(IntegrityError), session.begin_nested():
            session.execute(text(f"UPDATE life_events SET {change} WHERE id = :id"), {"id": event.id})  # noqa: S608


def test_a_call_is_about_whoever_lives_where_it_came_from(session: Session, life: Life) -> None:
    clerk = staff(session, life.world, Role.OPERATOR)
    home = {"stairwell_id": life.world.stairwells[0].id, "room": "901"}
    call = orders.OrderDraft(
        description="x", service_id=life.world.gossip.id, caller_resident_id=life.resident.id, **home
    )
    order = orders.place(session, call, actor=clerk, now=clock.now(session))
    assert [one.id for one in events.at_home(session, order, actor=clerk)] == [life.resident.id]


def test_who_comes_back_to_hospital_before_the_last_stay_is_a_day_old_is_away_on(session: Session, life: Life) -> None:
    today = clock.today(clock.now(session))
    tell(session, life, Event.HOSPITAL, happened_on=today - timedelta(days=3))
    tell(session, life, Event.DISCHARGE, happened_on=today)
    tell(session, life, Event.HOSPITAL, happened_on=today)
    stay = session.scalars(select(Absence)).one()
    assert (stay.starts_on, stay.until) == (today - timedelta(days=3), None)
    tell(session, life, Event.DISCHARGE, happened_on=today)
    with pytest.raises(DaysKnown), session.begin_nested():
        tell(session, life, Event.HOSPITAL, happened_on=today - timedelta(days=9))
    session.refresh(stay)
    assert stay.until == today


def test_days_away_that_are_known_are_told_and_never_doubled(session: Session, life: Life) -> None:
    now, day = clock.now(session), timedelta(days=1)
    today, actor = clock.today(now), {"actor": staff(session, life.world, Role.DISPATCHER)}

    def away(first: int, last: int | None) -> Absence:
        until = None if last is None else today + last * day
        begins = {"starts_on": today + first * day, "until": until}
        return absences.begin_absence(session, life.resident.id, AbsenceKind.AWAY, **begins, **actor, now=now)

    first = away(0, 10)
    assert [away(2, 4).id, away(10, 12).id] == [first.id] * 2
    assert (first.starts_on, first.until) == (today, today + 12 * day)
    second = away(20, 25)
    for wrong in (lambda: away(15, 21), lambda: absences.end_away(session, first.id, until=second.starts_on, **actor)):
        with pytest.raises(DaysKnown), session.begin_nested():
            wrong()
