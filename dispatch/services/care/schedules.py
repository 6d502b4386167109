"""Schedules of visits: planned, changed, ended, found; placed orders follow them."""

import base64
import binascii
from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.care import VisitOccurrence, VisitSchedule
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Actor
from dispatch.rules.care.recurrence import parse_rule
from dispatch.rules.care.sharing import Leave
from dispatch.rules.orders.intake import check_text
from dispatch.rules.orders.states import AFTER_WORK, OPEN, OrderState
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import catalogue, orders
from dispatch.services.access import audit
from dispatch.services.care import part
from dispatch.services.care.checks import (
    LONGEST_NOTE,
    Visitors,
    check_rule,
    check_visitors,
    check_window,
    desk_of,
    resident_in_reach,
    visit_kind,
)
from dispatch.services.care.placing import CHANGED, lock_schedule, place_alone, place_schedule, record_misses
from dispatch.services.care.unmade import UNACCEPTED, end_missed

MOST_PER_PAGE = 100
ENDED = "schedule_ended"


class ScheduleEnded(Conflict):
    """这个探访计划已经结束,不能再改"""


class StaleSchedule(Conflict):
    """别人刚刚改过这个探访计划,请刷新后再操作"""


@dataclass(frozen=True, slots=True)
class VisitDraft:
    """A schedule to be: `starts_at` (DTSTART) without zone is local in Shanghai, `rule` is an RRULE."""

    resident_id: int
    starts_at: datetime
    rule: str
    window_minutes: int
    service_id: int | None = None
    service_code: str | None = None
    until: date | None = None
    performer_id: int | None = None
    team_id: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class VisitChange:
    """What is to change of a schedule; `changes` holds only the fields that were said, `reason` why."""

    reason: str
    changes: dict[str, Any]
    version: int | None = None


@dataclass(frozen=True, slots=True)
class ScheduleFilters:
    """What a list of schedules is narrowed to; empty means all."""

    resident_id: int | None = None
    performer_id: int | None = None
    team_id: int | None = None
    only_open: bool = True


@dataclass(frozen=True, slots=True)
class SchedulePage:
    """One page of schedules, newest first, and the cursor of the next (None: this was the last)."""

    items: Sequence[VisitSchedule]
    next: str | None


CHANGEABLE = frozenset({"starts_at", "rule", "window_minutes", "until", "performer_id", "team_id", "note"})


def plan_visits(session: Session, draft: VisitDraft, *, actor: Actor, now: datetime) -> VisitSchedule:
    """Keep a schedule and place at once what falls into the coming days.

    Raises Invalid naming the field, or the part of the rule: FREQ, INTERVAL, BYHOUR, DTSTART, UNTIL, RRULE …
    """
    resident = resident_in_reach(session, draft.resident_id, actor=actor)
    community_id = resident.community_id
    service = visit_kind(session, desk_of(session, community_id), draft.service_id, draft.service_code)
    check_window(draft.window_minutes)
    rule = check_rule(draft.starts_at, draft.rule, draft.until, draft.window_minutes, now=now)
    check_visitors(session, community_id, service, Visitors(draft.performer_id, draft.team_id), now=now)
    schedule = VisitSchedule(
        community_id=community_id,
        resident_id=resident.id,
        service_id=service.id,
        starts_at=rule.starts_at,
        rule=rule.text,
        window_minutes=draft.window_minutes,
        until=draft.until,
        performer_id=draft.performer_id,
        team_id=draft.team_id,
        note=check_text("note", draft.note, LONGEST_NOTE),
        created_by=actor.user_id,
        created_at=now,
        version=1,
    )
    session.add(schedule)
    session.flush()
    record(session, "care.plan_visits", schedule, actor=actor)
    place_schedule(session, schedule, now=now)
    return schedule


def record(session: Session, action: str, schedule: VisitSchedule, *, actor: Actor, **fields: str) -> None:
    """The audit entry of what was done with a schedule."""
    audit.record(
        session,
        action,
        "visit_schedules",
        schedule.id,
        actor=actor,
        community_id=schedule.community_id,
        fields=fields,
    )


def find(session: Session, schedule_id: int, *, actor: Actor, locked: bool = False) -> VisitSchedule:
    """The schedule, if the actor may see it; others are NotFound like missing ones."""
    query = select(VisitSchedule).where(VisitSchedule.id == schedule_id, part.visible(VisitSchedule, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    schedule = session.scalars(query).one_or_none()
    if schedule is None:
        raise NotFound
    return schedule


def change_schedule(
    session: Session, schedule_id: int, change: VisitChange, *, actor: Actor, now: datetime
) -> VisitSchedule:
    """Change a schedule: placed but unaccepted orders are cancelled with the reason, the new plan is placed.

    Visits that somebody has accepted stay as they are. Raises ScheduleEnded, StaleSchedule, Invalid.
    """
    schedule = open_schedule(session, schedule_id, change.version, actor=actor)
    reason = need_reason(change.reason)
    unknown = change.changes.keys() - CHANGEABLE
    if unknown:
        raise Invalid(min(unknown), "这一项不能修改")
    record_misses(session, schedule, now=now)
    apply(session, schedule, change.changes, now=now)
    cancel_unaccepted(session, schedule, code=CHANGED, reason=reason, now=now)
    schedule.version += 1
    schedule.placed_through = now - timedelta(minutes=schedule.window_minutes)
    session.flush()
    fields = {"version": str(schedule.version), "changed": ",".join(sorted(change.changes))}
    record(session, "care.change_schedule", schedule, actor=actor, **fields)
    place_schedule(session, schedule, now=now)
    return schedule


def open_schedule(session: Session, schedule_id: int, version: int | None, *, actor: Actor) -> VisitSchedule:
    """The schedule, locked; raises NotFound, ScheduleEnded, StaleSchedule."""
    schedule = find(session, schedule_id, actor=actor, locked=True)
    if schedule.ended_at is not None:
        raise ScheduleEnded
    if version is not None and version != schedule.version:
        raise StaleSchedule
    return schedule


def need_reason(reason: str) -> str:
    """Whoever changes or ends a plan says why."""
    said = check_text("reason", reason, LONGEST_NOTE)
    if not said:
        raise Invalid("reason", "请写明原因")
    return said


def apply(session: Session, schedule: VisitSchedule, changes: dict[str, Any], *, now: datetime) -> None:
    """Check the schedule as it would be and set it; naming a performer takes the team off, and the reverse."""
    performer_id = changes.get("performer_id", None if changes.get("team_id") else schedule.performer_id)
    team_id = changes.get("team_id", None if changes.get("performer_id") else schedule.team_id)
    window = check_window(changes.get("window_minutes", schedule.window_minutes))
    text, until = changes.get("rule", schedule.rule), changes.get("until", schedule.until)
    if "starts_at" in changes:
        rule = check_rule(changes["starts_at"], text, until, window, now=now)
    else:
        rule = parse_rule(schedule.starts_at.astimezone(SHANGHAI), text, until)
    organisation_id = desk_of(session, schedule.community_id)
    service = catalogue.find_service(session, organisation_id, service_id=schedule.service_id)
    check_visitors(session, schedule.community_id, service, Visitors(performer_id, team_id), now=now)
    schedule.starts_at, schedule.rule, schedule.until = rule.starts_at, rule.text, until
    schedule.window_minutes, schedule.performer_id, schedule.team_id = window, performer_id, team_id
    schedule.note = check_text("note", changes.get("note", schedule.note), LONGEST_NOTE)


def end_schedule(
    session: Session,
    schedule_id: int,
    *,
    reason: str,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> VisitSchedule:
    """End a schedule: placed but unaccepted orders are cancelled with the reason. Said twice is said once."""
    schedule = find(session, schedule_id, actor=actor, locked=True)
    if schedule.ended_at is not None:
        return schedule
    if version is not None and version != schedule.version:
        raise StaleSchedule
    said = need_reason(reason)
    record_misses(session, schedule, now=now)
    schedule.ended_at, schedule.end_reason = now, said
    schedule.version += 1
    cancel_unaccepted(session, schedule, code=ENDED, reason=said, now=now)
    end_missed(session, schedule, now=now)
    record(session, "care.end_schedule", schedule, actor=actor)
    return schedule


def resume_schedule(session: Session, schedule_id: int, *, actor: Actor, now: datetime) -> VisitSchedule:
    """Let a schedule that was ended wrongly go on from now: what its end cancelled is placed again. Raises NotFound."""
    schedule = find(session, schedule_id, actor=actor, locked=True)
    again = update(VisitOccurrence).where(
        VisitOccurrence.schedule_id == schedule.id,
        VisitOccurrence.state == "cancelled",
        VisitOccurrence.reason == ENDED,
        VisitOccurrence.window_until > now,
    )
    session.execute(again.values(reason=CHANGED))
    schedule.ended_at = schedule.end_reason = None
    schedule.version += 1
    schedule.placed_through = now - timedelta(minutes=schedule.window_minutes)
    session.flush()
    record(session, "care.resume_schedule", schedule, actor=actor)
    place_schedule(session, schedule, now=now)
    return schedule


def give_to_others(session: Session, performer_id: int, leave: Leave, *, reason: str, now: datetime) -> int:
    """Place the visits of a helper's leave again, for somebody else; how many schedules. Accepted ones too.

    Where nobody else can come the schedule raises its alarm.
    """
    rows = session.execute(
        select(VisitOccurrence.schedule_id, VisitOccurrence.id, VisitOccurrence.occurs_at)
        .join(Order, Order.id == VisitOccurrence.order_id)
        .where(VisitOccurrence.state == "placed", Order.named_performer_id == performer_id)
    )
    meant: dict[int, set[int]] = defaultdict(set)
    for schedule_id, occurrence_id, at in rows:
        if leave.covers(at.astimezone(SHANGHAI).date()):
            meant[schedule_id].add(occurrence_id)
    for schedule_id, ids in sorted(meant.items()):
        schedule = lock_schedule(session, schedule_id)
        cancel_placed(session, schedule, OPEN - AFTER_WORK, code=CHANGED, reason=reason, now=now, only=ids)
        schedule.version += 1
        schedule.placed_through = now - timedelta(minutes=schedule.window_minutes)
        session.flush()
        place_alone(session, schedule_id, now=now)
    return len(meant)


def cancel_unaccepted(session: Session, schedule: VisitSchedule, *, code: str, reason: str, now: datetime) -> int:
    """Cancel the placed visits that nobody has accepted: their orders end as void; returns how many."""
    return cancel_placed(session, schedule, UNACCEPTED, code=code, reason=reason, now=now)


def cancel_placed(
    session: Session,
    schedule: VisitSchedule,
    among: Collection[OrderState],
    *,
    code: str,
    reason: str,
    now: datetime,
    only: Collection[int] | None = None,
) -> int:
    """Cancel the placed visits, or only some of them, whose orders stand in these states; returns how many."""
    query = (
        select(VisitOccurrence)
        .where(VisitOccurrence.schedule_id == schedule.id, VisitOccurrence.state == "placed")
        .order_by(VisitOccurrence.occurs_at)
        .with_for_update()
    )
    cancelled = 0
    for occurrence in session.scalars(query).all():
        if occurrence.order_id is None or (only is not None and occurrence.id not in only):
            continue
        order: Order = orders.lock(session, occurrence.order_id)
        if OrderState(order.state) not in among:
            continue
        orders.void(session, order, reason=reason, actor=SYSTEM, now=now)
        occurrence.state, occurrence.reason = "cancelled", code
        occurrence.order_version = order.version
        cancelled += 1
    session.flush()
    return cancelled


def list_schedules(
    session: Session, *, actor: Actor, filters: ScheduleFilters, cursor: str | None, limit: int
) -> SchedulePage:
    """One page of the schedules the actor may see, newest first; `limit` 1..100."""
    if not 1 <= limit <= MOST_PER_PAGE:
        raise Invalid("limit", "每页 1 到 100 条")
    query = select(VisitSchedule).where(part.visible(VisitSchedule, actor))
    for column in ("resident_id", "performer_id", "team_id"):
        wanted = getattr(filters, column)
        if wanted is not None:
            query = query.where(getattr(VisitSchedule, column) == wanted)
    if filters.only_open:
        query = query.where(VisitSchedule.ended_at.is_(None))
    if cursor:
        query = query.where(VisitSchedule.id < read_cursor(cursor))
    rows = session.scalars(query.order_by(VisitSchedule.id.desc()).limit(limit + 1)).all()
    following = write_cursor(rows[limit - 1].id) if len(rows) > limit else None
    return SchedulePage(rows[:limit], following)


def write_cursor(last: int) -> str:
    """An opaque mark of where the next page begins."""
    return base64.urlsafe_b64encode(f"visits/{last}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> int:
    """Where a page begins; raises Invalid for what we did not write."""
    try:
        plain = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        word, last = plain.split("/")
        if word != "visits":
            raise Invalid("cursor", "翻页标记无效,请从第一页开始")
        return int(last)
    except (ValueError, binascii.Error) as error:
        raise Invalid("cursor", "翻页标记无效,请从第一页开始") from error


def occurrences_of(
    session: Session, schedule: VisitSchedule, *, limit: int = MOST_PER_PAGE
) -> Sequence[tuple[VisitOccurrence, str | None]]:
    """The newest visits of a schedule with the number of their order, newest first."""
    rows = session.execute(
        select(VisitOccurrence, Order.number)
        .outerjoin(Order, Order.id == VisitOccurrence.order_id)
        .where(VisitOccurrence.schedule_id == schedule.id)
        .order_by(VisitOccurrence.occurs_at.desc())
        .limit(limit)
    )
    return [(occurrence, number) for occurrence, number in rows]
