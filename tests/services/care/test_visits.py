"""Schedules of visits: planned, placed once each, changed, ended, caught up, heard of."""

from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.care import VisitOccurrence, VisitSchedule
from dispatch.models.notify import Alarm, Notice
from dispatch.models.orders import Order
from dispatch.queue import Job
from dispatch.rules.access.roles import Role
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import care, notify, orders
from dispatch.services.care import VisitChange, VisitDraft
from tests.factories.visits import helper, resident
from tests.factories.world import make_world, staff, team
from tests.services.care.conftest import Care

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
TOMORROW_AT_NINE = datetime(2026, 11, 24, 9, 0)  # noqa: DTZ001 - local in Shanghai, as a caller says it


def draft(world: Care, **changes: object) -> VisitDraft:
    """A daily visit from tomorrow at nine, two hours long."""
    values: dict[str, object] = {
        "resident_id": world.resident.id,
        "service_id": world.service.id,
        "starts_at": TOMORROW_AT_NINE,
        "rule": "FREQ=DAILY",
        "window_minutes": 120,
        "performer_id": world.helper.id,
    }
    return VisitDraft(**(values | changes))  # type: ignore[arg-type]


def planned(session: Session, world: Care, **changes: object) -> VisitSchedule:
    """A schedule planned by a dispatcher of the district."""
    actor = staff(session, world.world, Role.DISPATCHER)
    return care.plan_visits(session, draft(world, **changes), actor=actor, now=NOW)


def occurrences(session: Session, schedule: VisitSchedule) -> list[VisitOccurrence]:
    """The schedule's visits, oldest first."""
    query = select(VisitOccurrence).where(VisitOccurrence.schedule_id == schedule.id)
    return list(session.scalars(query.order_by(VisitOccurrence.occurs_at)))


def states(session: Session, schedule: VisitSchedule) -> list[tuple[int, str]]:
    """The visits as (day of the month in Shanghai, state)."""
    return [(one.occurs_at.astimezone(SHANGHAI).day, one.state) for one in occurrences(session, schedule)]


def order_of(session: Session, occurrence: VisitOccurrence) -> Order:
    """The order of a visit."""
    return session.get_one(Order, occurrence.order_id, populate_existing=True)


def run_daily(session: Session, now: datetime) -> int:
    """What the daily job and its batches do."""
    ids = session.scalars(select(VisitSchedule.id)).all()
    return care.place_batch(session, min(ids), max(ids), now=now)


def test_a_schedule_places_the_visits_of_the_coming_days_at_once(session: Session, care_world: Care) -> None:
    schedule = planned(session, care_world)
    assert states(session, schedule) == [(24, "placed"), (25, "placed"), (26, "placed")]
    order = order_of(session, occurrences(session, schedule)[0])
    assert order.caller_resident_id == care_world.resident.id
    assert order.stairwell_id == care_world.world.stairwells[0].id
    assert order.named_performer_id == care_world.helper.id
    assert order.wanted_from == datetime(2026, 11, 24, 1, 0, tzinfo=UTC)
    assert order.wanted_until == datetime(2026, 11, 24, 3, 0, tzinfo=UTC)
    assert (order.origin, order.origin_id, order.occasion) == (
        "care.visit",
        schedule.id,
        "2026-11-24T09:00:00+08:00",
    )


def test_a_placed_visit_is_offered_to_the_named_helper(session: Session, care_world: Care) -> None:
    order = order_of(session, occurrences(session, planned(session, care_world))[0])
    orders.route(session, order.id, now=NOW)
    session.refresh(order)
    assert order.state == "offered"
    assert [recipient.performer_id for _, recipient, _ in orders.offers_of(session, order)] == [care_world.helper.id]


def test_a_helper_who_takes_one_order_at_a_time_is_offered_each_days_visit(session: Session, care_world: Care) -> None:
    lone = helper(session, care_world.world, [care_world.service], capacity=1)
    schedule = planned(session, care_world, performer_id=lone.id)
    same_time = planned(session, care_world, performer_id=lone.id, rule="FREQ=DAILY;COUNT=1")
    placed = [order_of(session, one) for one in (*occurrences(session, schedule), *occurrences(session, same_time))]
    orders.route_many(session, [order.id for order in placed], now=NOW)
    assert [order_of(session, one).state for one in occurrences(session, schedule)] == ["offered"] * 3
    assert [order_of(session, one).state for one in occurrences(session, same_time)] == ["awaiting_human"]


def test_the_daily_job_places_each_visit_once_however_often_it_runs(session: Session, care_world: Care) -> None:
    schedule = planned(session, care_world)
    assert run_daily(session, NOW) == 0
    assert run_daily(session, NOW + timedelta(days=1)) == 1
    assert run_daily(session, NOW + timedelta(days=1)) == 0
    assert [day for day, _ in states(session, schedule)] == [24, 25, 26, 27]
    assert session.scalar(select(func.count()).where(Order.origin_id == schedule.id)) == 4


def test_missed_runs_catch_up_and_past_windows_are_missed_with_one_alarm_each(
    session: Session, care_world: Care
) -> None:
    schedule = planned(session, care_world)
    run_daily(session, NOW + timedelta(days=6))
    run_daily(session, NOW + timedelta(days=6))
    found = states(session, schedule)
    assert found[:6] == [*((day, "missed") for day in range(24, 29)), (29, "placed")]
    assert [day for day, _ in found[6:]] == [30, 1, 2]
    assert missed(session, schedule) == [True] * 5


def missed(session: Session, schedule: VisitSchedule) -> list[bool]:
    """The alarms about missed visits, oldest first, each with whether it still stands."""
    query = select(Alarm).where(Alarm.kind == "visit_missed", Alarm.subject.like(f"visit:{schedule.id}:%"))
    rows = session.scalars(query.order_by(Alarm.id).execution_options(populate_existing=True))
    return [one.cleared_at is None for one in rows]


def test_a_visit_that_nobody_took_is_missed_and_its_order_waits_for_some_days_only(
    session: Session, care_world: Care
) -> None:
    schedule = planned(session, care_world, rule="FREQ=WEEKLY")
    first = occurrences(session, schedule)[0]
    orders.route(session, first.order_id, now=NOW)
    run_daily(session, NOW + timedelta(days=2))
    assert (first.state, first.reason, missed(session, schedule)) == ("missed", "nobody", [True])
    assert order_of(session, first).state == "offered"
    for days in (7, 9):
        run_daily(session, NOW + timedelta(days=days))
    order = order_of(session, first)
    assert order.state == "voided"
    assert not care.order_changed(session, order.id, order.version, now=NOW)
    assert (first.state, missed(session, schedule)) == ("missed", [True, True])
    second = occurrences(session, schedule)[1]
    orders.route(session, second.order_id, now=NOW + timedelta(days=9))
    accept_by_hand(session, order_of(session, second), care_world)
    orders.finish(session, token_of(session, order_of(session, second)), orders.WorkReport(result="done"), now=NOW)
    order = order_of(session, second)
    assert care.order_changed(session, order.id, order.version, now=NOW)
    assert (second.state, missed(session, schedule)) == ("done", [False, False])


def test_the_end_of_a_schedule_ends_what_was_missed_too(session: Session, care_world: Care) -> None:
    schedule = planned(session, care_world, rule="FREQ=WEEKLY")
    run_daily(session, NOW + timedelta(days=2))
    actor = staff(session, care_world.world, Role.DISPATCHER)
    care.end_schedule(session, schedule.id, reason="不用了", actor=actor, now=NOW + timedelta(days=2))
    first = occurrences(session, schedule)[0]
    assert (first.state, order_of(session, first).state, missed(session, schedule)) == ("missed", "voided", [False])


def test_the_jobs_are_made_a_hundred_schedules_at_a_time_and_once_a_period(session: Session, care_world: Care) -> None:
    for _ in range(101):
        session.add(
            VisitSchedule(
                community_id=care_world.world.community.id,
                resident_id=care_world.resident.id,
                service_id=care_world.service.id,
                starts_at=NOW,
                rule="FREQ=YEARLY",
                window_minutes=60,
                performer_id=care_world.helper.id,
            )
        )
    session.flush()
    made = care.place_visits(session, "2026-11-24")
    assert made == 2
    care.place_visits(session, "2026-11-24")
    jobs = session.scalars(select(Job).where(Job.kind == "care.place_batch", Job.dedupe.like("%2026-11-24%"))).all()
    assert len(jobs) == 2
    assert sorted(jobs[0].arguments) == ["first", "last"]


def test_one_bad_schedule_is_alarmed_and_stops_no_other(session: Session, care_world: Care) -> None:
    other = helper(session, care_world.world, [care_world.service])
    bad = planned(session, care_world, rule="FREQ=DAILY;INTERVAL=4")
    good = planned(session, care_world, performer_id=other.id)
    care_world.resident.left_at = NOW
    gone = resident(session, care_world.world)
    good.resident_id = gone.id
    session.flush()
    run_daily(session, NOW + timedelta(days=4))
    assert [day for day, _ in states(session, bad)] == [24]
    assert [day for day, _ in states(session, good)] == [24, 25, 26, 27, 28, 29, 30]
    alarm = session.scalars(
        select(Alarm).where(Alarm.kind == "visit_unplaced", Alarm.subject == f"schedule:{bad.id}")
    ).one()
    assert alarm.facts["field"] == "resident_id"
    assert alarm.cleared_at is None
    care_world.resident.left_at = None
    session.flush()
    run_daily(session, NOW + timedelta(days=4))
    session.refresh(alarm)
    assert alarm.cleared_at is not None
    assert [day for day, _ in states(session, bad)] == [24, 28]


def test_the_end_of_a_schedule_cancels_what_nobody_has_accepted(session: Session, care_world: Care) -> None:
    schedule = planned(session, care_world)
    first, second, _ = [order_of(session, one) for one in occurrences(session, schedule)]
    orders.route(session, first.id, now=NOW)
    accept_by_hand(session, first, care_world)
    actor = staff(session, care_world.world, Role.DISPATCHER)
    care.end_schedule(session, schedule.id, reason="老人去儿子家住了", actor=actor, now=NOW)
    assert states(session, schedule) == [(24, "placed"), (25, "cancelled"), (26, "cancelled")]
    session.refresh(second)
    assert second.state == "voided"
    assert orders.time_line(session, second)[-1].reason == "老人去儿子家住了"
    assert run_daily(session, NOW + timedelta(days=5)) == 0
    again = care.end_schedule(session, schedule.id, reason="再说一次", actor=actor, now=NOW)
    assert again.end_reason == "老人去儿子家住了"


def accept_by_hand(session: Session, order: Order, world: Care) -> None:
    """The helper takes the order through the link of its notice."""
    token = token_of(session, order)
    orders.accept(session, token, now=NOW)
    session.refresh(order)
    assert order.performer_id == world.helper.id


def token_of(session: Session, order: Order) -> str:
    """The link's token of the order's newest notice."""
    notice = session.scalars(
        select(Notice).where(Notice.order_id == order.id).order_by(Notice.id.desc()).limit(1)
    ).one()
    token = notify.link_token(notice)
    assert token is not None
    return token


def test_a_change_cancels_unaccepted_visits_and_places_the_new_plan(session: Session, care_world: Care) -> None:
    schedule = planned(session, care_world)
    other = helper(session, care_world.world, [care_world.service])
    before = [order_of(session, one) for one in occurrences(session, schedule)]
    orders.route(session, before[0].id, now=NOW)
    accept_by_hand(session, before[0], care_world)
    actor = staff(session, care_world.world, Role.DISPATCHER)
    change = VisitChange(reason="志愿者换人", changes={"performer_id": other.id}, version=1)
    care.change_schedule(session, schedule.id, change, actor=actor, now=NOW)
    assert states(session, schedule) == [(24, "placed"), (25, "placed"), (26, "placed")]
    for old in before[1:]:
        session.refresh(old)
        assert old.state == "voided"
    now_placed = [order_of(session, one) for one in occurrences(session, schedule)]
    assert [order.named_performer_id for order in now_placed] == [care_world.helper.id, other.id, other.id]
    with pytest.raises(Conflict):
        care.change_schedule(session, schedule.id, change, actor=actor, now=NOW)


def test_what_becomes_of_an_order_is_heard_once_and_never_out_of_turn(session: Session, care_world: Care) -> None:
    schedule = planned(session, care_world)
    occurrence = occurrences(session, schedule)[0]
    order = order_of(session, occurrence)
    orders.route(session, order.id, now=NOW)
    accept_by_hand(session, order, care_world)
    token = token_of(session, order)
    orders.arrive(session, token, now=NOW)
    orders.finish(session, token, orders.WorkReport(result="done"), now=NOW)
    session.refresh(order)
    assert care.order_changed(session, order.id, order.version, now=NOW)
    assert (occurrence.state, occurrence.order_version) == ("done", order.version)
    assert not care.order_changed(session, order.id, order.version, now=NOW)
    assert not care.order_changed(session, order.id, 1, now=NOW)
    kinds = session.scalars(select(Job.kind).where(Job.reference == order.id))
    assert "care.order_changed" in set(kinds)


def test_a_visit_that_was_not_made_is_missed_with_an_alarm(session: Session, care_world: Care) -> None:
    schedule = planned(session, care_world)
    occurrence = occurrences(session, schedule)[0]
    order = order_of(session, occurrence)
    orders.route(session, order.id, now=NOW)
    accept_by_hand(session, order, care_world)
    report = orders.WorkReport(result="not_done", note="敲门没有人应")
    orders.finish(session, token_of(session, order), report, now=NOW)
    session.refresh(order)
    assert care.order_changed(session, order.id, order.version, now=NOW)
    assert (occurrence.state, occurrence.reason) == ("missed", "not_done")
    assert session.scalars(select(Alarm).where(Alarm.subject.like(f"visit:{schedule.id}:%"))).one()


def test_a_team_takes_turns(session: Session, care_world: Care) -> None:
    crew = team(session, care_world.world.community, "line", speciality="elder")
    members = [helper(session, care_world.world, [care_world.service], team_id=crew.id) for _ in range(2)]
    schedule = planned(session, care_world, performer_id=None, team_id=crew.id)
    named = [order_of(session, one).named_performer_id for one in occurrences(session, schedule)]
    assert named == [members[0].id, members[1].id, members[0].id]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"rule": "FREQ=SECONDLY"}, "FREQ"),
        ({"rule": "FREQ=DAILY;BYHOUR=1,2,3"}, "BYHOUR"),
        ({"rule": "FREQ=DAILY;COUNT=0"}, "COUNT"),
        ({"rule": "every day"}, "RRULE"),
        ({"rule": "FREQ=DAILY", "until": date(2026, 11, 1)}, "UNTIL"),
        ({"starts_at": datetime(2026, 11, 20, 9, 0)}, "DTSTART"),  # noqa: DTZ001 - local in Shanghai
        ({"window_minutes": 5}, "window_minutes"),
        ({"window_minutes": 1441}, "window_minutes"),
        ({"performer_id": None}, "performer_id"),
        ({"team_id": 1}, "performer_id"),
        ({"performer_id": 999_999_999}, "performer_id"),
        ({"performer_id": None, "team_id": 999_999_999}, "team_id"),
        ({"resident_id": 999_999_999}, "resident_id"),
        ({"service_id": 999_999_999}, "service_id"),
        ({"note": "长" * 501}, "note"),
    ],
)
def test_bad_schedules_are_refused_by_the_name_of_their_field(
    session: Session, care_world: Care, changes: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        planned(session, care_world, **changes)
    assert refused.value.field == field


def test_kinds_that_are_no_visits_are_refused(session: Session, care_world: Care) -> None:
    with pytest.raises(Invalid) as refused:
        planned(session, care_world, service_id=care_world.world.plumbing.id)
    assert refused.value.field == "service_id"


def test_a_helper_who_does_not_do_the_kind_and_a_resident_without_home_are_refused(
    session: Session, care_world: Care
) -> None:
    idle = helper(session, care_world.world, [])
    with pytest.raises(Invalid) as refused:
        planned(session, care_world, performer_id=idle.id)
    assert refused.value.field == "performer_id"
    homeless = resident(session, care_world.world, is_housed=False)
    with pytest.raises(Invalid) as refused:
        planned(session, care_world, resident_id=homeless.id)
    assert refused.value.field == "resident_id"


def test_schedules_of_others_are_not_found(session: Session, care_world: Care) -> None:
    schedule = planned(session, care_world)
    stranger = staff(session, make_world(session), Role.DISPATCHER)
    with pytest.raises(NotFound):
        care.find(session, schedule.id, actor=stranger)
    with pytest.raises(NotFound):
        care.end_schedule(session, schedule.id, reason="不关我事", actor=stranger, now=NOW)
    with pytest.raises(Invalid):
        care.plan_visits(session, draft(care_world), actor=stranger, now=NOW)
    page = care.list_schedules(session, actor=stranger, filters=care.ScheduleFilters(), cursor=None, limit=100)
    assert not page.items


def test_schedules_are_listed_page_by_page(session: Session, care_world: Care) -> None:
    made = [planned(session, care_world, rule="FREQ=YEARLY").id for _ in range(3)]
    actor = staff(session, care_world.world, Role.DISPATCHER)
    filters = care.ScheduleFilters(resident_id=care_world.resident.id)
    first = care.list_schedules(session, actor=actor, filters=filters, cursor=None, limit=2)
    second = care.list_schedules(session, actor=actor, filters=filters, cursor=first.next, limit=2)
    assert [one.id for one in (*first.items, *second.items)] == made[::-1]
    assert second.next is None
    with pytest.raises(Invalid) as refused:
        care.list_schedules(session, actor=actor, filters=filters, cursor="???", limit=2)
    assert refused.value.field == "cursor"
