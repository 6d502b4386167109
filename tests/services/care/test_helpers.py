"""Helpers of every kind: community workers are asked as well, a leave gives planned visits to others."""

from dataclasses import replace

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.care import DutyOrder, DutyPeriod, VisitOccurrence
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, ActorKind
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import care
from dispatch.services.care import days
from tests.factories.care import ELDER, WIFE, Calendar, home, keep_day, make_calendar, paired, voucher
from tests.factories.world import firm
from tests.services.care.test_calendar import alarms, at


@pytest.fixture
def calendar(session: Session) -> Calendar:
    """A community with programmes and two helpers."""
    return make_calendar(session)


def test_a_community_worker_is_paired_and_sent(session: Session, calendar: Calendar) -> None:
    world, now = calendar.world, at(1, 10)
    able = [calendar.kinds["return_visit"]]
    here = {"kind": "team_worker", "community_id": world.community.id, "channel": "app", "webhook_url": None}
    worker = firm(session, world.district, world.community, able, team_id=world.line.id, **here)
    idle = firm(session, world.district, world.community, [], team_id=world.line.id, **here)
    enrolment = voucher(session, calendar, home(session, calendar, ELDER)[0], now=now)
    about = {"kind": "community_worker", "actor": calendar.planner, "now": now}
    with pytest.raises(Invalid) as refused:
        care.pair(session, enrolment.id, idle.id, **about)
    assert refused.value.field == "performer_id"
    care.pair(session, enrolment.id, worker.id, **about)
    for day in range(10, 21):
        keep_day(session, calendar, at(1, day))
    named = select(Order.named_performer_id).join(DutyOrder, DutyOrder.order_id == Order.id)
    assert session.scalars(named.join(DutyPeriod, DutyPeriod.id == DutyOrder.period_id)).all() == [worker.id]


def planned(session: Session, schedule_id: int) -> list[tuple[int, int | None]]:
    """The visits of a schedule that are placed: the day of the month, and who goes."""
    rows = session.execute(
        select(VisitOccurrence.occurs_at, Order.named_performer_id)
        .join(Order, Order.id == VisitOccurrence.order_id)
        .where(VisitOccurrence.schedule_id == schedule_id, VisitOccurrence.state == "placed")
        .order_by(VisitOccurrence.occurs_at)
    )
    return [(occurs_at.astimezone(SHANGHAI).day, helper) for occurs_at, helper in rows]


def test_a_leave_gives_planned_visits_to_others_and_nobody_is_an_alarm(session: Session, calendar: Calendar) -> None:
    (first, second), now = (one.id for one in calendar.helpers), at(1, 10)
    person = home(session, calendar, ELDER)[0]
    draft = care.VisitDraft(person.id, at(1, 10, 15), "FREQ=DAILY", 60, service_code="care_visit", performer_id=first)
    schedule = care.plan_visits(session, draft, actor=calendar.planner, now=now)
    assert planned(session, schedule.id) == [(10, first), (11, first), (12, first)]
    days = {"starts_on": at(1, 11).astimezone(SHANGHAI).date(), "until": at(1, 13).astimezone(SHANGHAI).date()}
    care.record_leave(session, first, **days, actor=calendar.planner, now=now)
    assert planned(session, schedule.id) == [(10, first), (11, second), (12, second)]
    care.record_leave(session, second, **days, actor=calendar.planner, now=now)
    assert alarms(session, "visit_unplaced") == [("warning", True)]
    assert planned(session, schedule.id) == [(10, first)]
    care.change_schedule(
        session,
        schedule.id,
        care.VisitChange("换人", {"starts_at": at(1, 14, 15)}),
        actor=calendar.planner,
        now=at(1, 13),
    )
    assert planned(session, schedule.id) == [(14, first), (15, first)]


def test_one_person_comes_for_all_that_a_home_is_owed_and_for_its_chores(session: Session, calendar: Calendar) -> None:
    now, people = at(1, 10), home(session, calendar, ELDER, WIFE)
    early, late = voucher(session, calendar, people[0], now=now), people[1]
    second = calendar.helpers[1].id
    pairing = care.EnrolmentDraft("pairing", household_id=late.household_id)
    made = care.enrol(session, pairing, actor=calendar.planner, now=now)
    care.pair(session, made.id, second, kind="party_member", actor=calendar.planner, now=now)
    voucher(session, calendar, late, now=now)
    assert set(session.scalars(select(DutyPeriod.helper_id))) == {second}

    chore = care.VisitDraft(
        late.id, at(1, 11, 15), "FREQ=WEEKLY", 60, service_code="care_visit", performer_id=second, note="帮忙买菜"
    )
    care.plan_visits(session, chore, actor=calendar.planner, now=now)
    days_ahead = [at(1, day).astimezone(SHANGHAI).date() for day in range(10, 32)]
    stops = [one for day in days_ahead for one in days.day_of(session, second, day, actor=calendar.planner)]
    assert {one.home.household_id for one in stops} == {late.household_id}
    assert [one.chores for one in stops if one.chores] == [("帮忙买菜",)]
    care.end_enrolment(session, early.id, code="ended", reason="不要了", actor=calendar.planner, now=now)
    assert care.find_enrolment(session, made.id, actor=calendar.planner).ends_on is None


def test_a_helper_records_in_nobody_else_s_name(session: Session, calendar: Calendar) -> None:
    now, people = at(1, 10), home(session, calendar, ELDER)
    paired(session, calendar, people, now=now)
    first, second = calendar.helpers
    helper = Actor(ActorKind.PERFORMER, performer_id=first.id, narrowed=True, scope=calendar.planner.scope)
    came = care.Record(people[0].household_id or 0, "visit", now, performer_id=second.id, mood="good")
    with pytest.raises(Invalid) as refused:
        care.record_contact(session, came, actor=helper, now=now)
    assert refused.value.field == "performer_id"
    made = care.record_contact(session, replace(came, performer_id=None), actor=helper, now=now)
    assert made.performer_id == first.id
