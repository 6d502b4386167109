"""Visits become orders: each occurrence once, a few days ahead; a window that is past is missed, never an order."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.errors import Conflict, DispatchError, Invalid
from dispatch.models.care import VisitOccurrence, VisitSchedule
from dispatch.models.catalogue import Service
from dispatch.models.grid import Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.care.recurrence import VisitRule, occurrences, parse_rule
from dispatch.rules.care.sharing import choose
from dispatch.rules.queue import Lane
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import catalogue, notify, orders
from dispatch.services.access import policies, vault
from dispatch.services.care import cases, helping
from dispatch.services.care.checks import desk_of, members_for, resident_in_reach
from dispatch.services.care.unmade import alarm_missed, miss_unattended

BATCH = 100
AHEAD_POLICY = "care.place_days_ahead"
ORIGIN = "care.visit"
CHANGED = "schedule_changed"

log = structlog.get_logger()


class VisitTaken(Conflict):
    """这次上门已经登记过"""


def place_visits(session: Session, period: str) -> int:
    """Enqueue the placing of every open schedule, a hundred to a job; returns the number of jobs.

    Each job has its own transaction, so that one batch does not stop the others.
    """
    ids = session.scalars(
        select(VisitSchedule.id).where(VisitSchedule.ended_at.is_(None)).order_by(VisitSchedule.id)
    ).all()
    batches = [ids[first : first + BATCH] for first in range(0, len(ids), BATCH)]
    for batch in batches:
        queue.enqueue(
            session,
            "care.place_batch",
            lane=Lane.PERIODIC,
            dedupe=f"care.place_batch:{period}:{batch[0]}",
            first=batch[0],
            last=batch[-1],
        )
    return len(batches)


def place_batch(session: Session, first: int, last: int, *, now: datetime) -> int:
    """Place what is owed of the open schedules first … last; returns how many orders were placed.

    A schedule that cannot be placed raises its alarm and stops no other: its own part is undone alone, and it
    is tried again with the next run.
    """
    ids = session.scalars(
        select(VisitSchedule.id)
        .where(VisitSchedule.id.between(first, last), VisitSchedule.ended_at.is_(None))
        .order_by(VisitSchedule.id)
    ).all()
    return sum(place_alone(session, schedule_id, now=now) for schedule_id in ids)


def place_alone(session: Session, schedule_id: int, *, now: datetime) -> int:
    """Place one schedule's visits under a savepoint; a failure becomes an alarm that stays until it is cured."""
    subject = f"schedule:{schedule_id}"
    try:
        with session.begin_nested():
            schedule = lock_schedule(session, schedule_id)
            placed = 0 if schedule.ended_at is not None else place_schedule(session, schedule, now=now)
    except (DispatchError, IntegrityError, DataError) as error:
        log.warning("visits_not_placed", schedule_id=schedule_id, error=type(error).__name__)
        schedule = session.get_one(VisitSchedule, schedule_id, populate_existing=True)
        notify.raise_alarm(
            session,
            kind="visit_unplaced",
            subject=subject,
            level="warning",
            community_id=schedule.community_id,
            facts={"error": type(error).__name__, "field": error.field if isinstance(error, Invalid) else ""},
        )
        return 0
    notify.clear_alarms(session, subject=subject, kinds=("visit_unplaced",), now=now)
    return placed


def lock_schedule(session: Session, schedule_id: int) -> VisitSchedule:
    """The schedule, locked until the end of the transaction and read fresh."""
    return session.get_one(VisitSchedule, schedule_id, with_for_update=True, populate_existing=True)


def place_schedule(session: Session, schedule: VisitSchedule, *, now: datetime) -> int:
    """Place what a locked schedule owes up to the horizon (policy, 3 days); returns the orders placed.

    From where the last run came to, so that a missed run catches up and no visit is passed over.
    """
    days = int(policies.policy(session, schedule.community_id, AHEAD_POLICY))
    horizon = now + timedelta(days=days)
    record_misses(session, schedule, now=now)
    placed = 0
    for occurs_at in owed_until(session, schedule, horizon):
        window_until = occurs_at + timedelta(minutes=schedule.window_minutes)
        order_id = place_order(session, schedule, occurs_at, window_until, now=now)
        keep(session, schedule, occurs_at, window_until, state="placed", order_id=order_id)
        placed += 1
    if schedule.placed_through is None or horizon > schedule.placed_through:
        schedule.placed_through = horizon
    session.flush()
    return placed


def record_misses(session: Session, schedule: VisitSchedule, *, now: datetime) -> int:
    """Record the visits whose window is past and that nobody went to, each with an alarm; how many.

    Those that never became an order, and those whose order nobody took.
    """
    window = timedelta(minutes=schedule.window_minutes)
    missed = [one for one in owed_until(session, schedule, now) if one + window <= now]
    for occurs_at in missed:
        keep(session, schedule, occurs_at, occurs_at + window, state="missed", order_id=None)
        alarm_missed(session, schedule, occurs_at, reason="window_past")
    return len(missed) + miss_unattended(session, schedule, now=now)


def owed_until(session: Session, schedule: VisitSchedule, until: datetime) -> list[datetime]:
    """The visits that the rule has before `until` and that are not known yet, in order."""
    begin = schedule.placed_through or min(schedule.starts_at, schedule.created_at)
    found = occurrences(rule_of(schedule), begin, until)
    known = known_occurrences(session, schedule, found)
    return [occurs_at for occurs_at in found if occurs_at not in known]


def rule_of(schedule: VisitSchedule) -> VisitRule:
    """The rule of a stored schedule."""
    return parse_rule(schedule.starts_at.astimezone(SHANGHAI), schedule.rule, schedule.until)


def known_occurrences(session: Session, schedule: VisitSchedule, found: Sequence[datetime]) -> frozenset[datetime]:
    """Which of these visits are kept already, but for those that a change of the schedule itself has cancelled."""
    rows = session.scalars(
        select(VisitOccurrence.occurs_at).where(
            VisitOccurrence.schedule_id == schedule.id,
            VisitOccurrence.occurs_at.in_(found),
            (VisitOccurrence.state != "cancelled") | (VisitOccurrence.reason != CHANGED),
        )
    )
    return frozenset(rows)


def keep(
    session: Session,
    schedule: VisitSchedule,
    occurs_at: datetime,
    window_until: datetime,
    *,
    state: str,
    order_id: int | None,
) -> None:
    """Keep a visit, once: UNIQUE(schedule, occurrence). One that a change of plan cancelled may come again."""
    values = {
        "community_id": schedule.community_id,
        "schedule_id": schedule.id,
        "occurs_at": occurs_at,
        "window_until": window_until,
        "state": state,
        "order_id": order_id,
        "order_version": 0,
        "reason": None,
    }
    renewed = {name: values[name] for name in ("window_until", "state", "order_id", "order_version", "reason")}
    kept = session.execute(
        upsert(VisitOccurrence)
        .values(values)
        .on_conflict_do_update(
            index_elements=["schedule_id", "occurs_at"],
            set_=renewed,
            where=(VisitOccurrence.state == "cancelled") & (VisitOccurrence.reason == CHANGED),
        )
        .returning(VisitOccurrence.id)
    ).one_or_none()
    if kept is None:
        raise VisitTaken


def place_order(
    session: Session, schedule: VisitSchedule, occurs_at: datetime, window_until: datetime, *, now: datetime
) -> int:
    """Place the order of one visit for the resident at home; returns its id."""
    organisation_id = desk_of(session, schedule.community_id)
    service = catalogue.find_service(session, organisation_id, service_id=schedule.service_id)
    resident = resident_in_reach(session, schedule.resident_id, actor=SYSTEM)
    draft = orders.OrderDraft(
        description=schedule.note or service.name,
        service_id=service.id,
        caller_name=resident.name,
        caller_phone=phone_of(resident),
        caller_resident_id=resident.id,
        wanted_from=max(occurs_at, now),
        wanted_until=window_until,
        source="programme",
        origin=ORIGIN,
        origin_id=schedule.id,
        occasion=occasion_of(schedule, occurs_at),
        organisation_id=organisation_id,
        named_performer_id=visitor_of(session, schedule, service, resident, clock.today(occurs_at)),
    )
    return orders.receive(session, draft, actor=SYSTEM, now=now).id


def phone_of(resident: Resident) -> str | None:
    """The resident's telephone, so that the visitor can call at the door."""
    if resident.phone is None:
        return None
    return vault.open_sealed(f"residents.phone.{resident.uid}", resident.phone)


def occasion_of(schedule: VisitSchedule, occurs_at: datetime) -> str:
    """The name of one visit: its instant; after a change of the schedule also the version that placed it."""
    instant = occurs_at.astimezone(SHANGHAI).isoformat()
    return instant if schedule.version == 1 else f"{instant}#{schedule.version}"


def visitor_of(
    session: Session, schedule: VisitSchedule, service: Service, resident: Resident, day: date
) -> int | None:
    """Who is named for the visit: the schedule's performer, else the one of its team whose turn it is.

    In place of one who is on leave that day somebody else goes; raises Invalid where nobody can.
    """
    if schedule.performer_id is not None:
        away = helping.away_on(session, [schedule.performer_id], day)
        return stand_in(session, service, resident, day) if away else schedule.performer_id
    if schedule.team_id is None:
        return None
    members = members_for(session, schedule.team_id, service)
    away = helping.away_on(session, members, day)
    present = [member for member in members if member not in away]
    if not present:
        raise Invalid("team_id", "这个团队里没有人做这项服务,请换一个团队或指定执行人")
    return turn_of(session, schedule, present)


def stand_in(session: Session, service: Service, resident: Resident, day: date) -> int:
    """Who goes in place of a helper on leave: who knows the home, has least to do, is nearest; raises Invalid."""
    bench = helping.bench_of(session, resident.community_id, today=day, codes=frozenset({service.code}))
    home = cases.homes_of(session, [resident.household_id or 0]).get(resident.household_id or 0)
    chosen = None
    if home is not None:
        able = [bench.candidate(one, home.household_id, ()) for one in bench.able(service.code, home.area_id)]
        chosen = choose(able, day, home.point)
    if chosen is None:
        raise Invalid("performer_id", "这几天没有人能去,请调整帮扶人")
    return chosen


def turn_of(session: Session, schedule: VisitSchedule, members: Sequence[int]) -> int:
    """The member after the one who was named last for this schedule; `members` by rising id."""
    last = session.execute(
        select(Order.named_performer_id)
        .join(VisitOccurrence, VisitOccurrence.order_id == Order.id)
        .where(VisitOccurrence.schedule_id == schedule.id)
        .order_by(VisitOccurrence.occurs_at.desc())
        .limit(1)
    ).scalar_one_or_none()
    return next((member for member in members if last is not None and member > last), members[0])
