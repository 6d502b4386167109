"""How far a year covered the groups of 三访三问: what was owed and paid, who was visited, who was not."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import CareGroup, Condolence, Contact, Enrolment, GroupMember, LifeEvent
from dispatch.models.grid import Post, Resident, WorkResource
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.events import TRIGGER_OF
from dispatch.services.access import reach
from dispatch.services.care.groups import find_group, members_of

MOST_MISSING = 200
TOLD_ON = func.date(func.timezone("Asia/Shanghai", LifeEvent.told_at))
Paid = tuple[int, str | None, datetime | None, datetime | None]
"""An event, the state of its visit, when it was paid and due; without a visit all of them None."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a year owed a group: visits that were due, of them in time, late, not yet paid; how many were visited."""

    group: CareGroup
    events: int
    owed: int
    in_time: int
    late: int
    waiting: int
    members: int
    visited: int


def coverage(session: Session, year: int, *, actor: Actor, now: datetime) -> list[Coverage]:
    """For each group, what the events told in a year owed its members of that day and what was paid; three queries."""
    groups = {one.id: one for one in session.scalars(select(CareGroup).where(reach.visible(CareGroup, actor)))}
    found: dict[int, list[Paid]] = defaultdict(list)
    for group_id, event_id, state, done_at, due_at in session.execute(owed_in(year, list(groups))):
        found[group_id].append((event_id, state, done_at, due_at))
    members = members_of(clock.today(now)).subquery()
    counts = (
        select(
            members.c.group_id, func.count().label("members"), func.count().filter(was_visited(year)).label("visited")
        )
        .join(Resident, Resident.id == members.c.resident_id)
        .where(members.c.group_id.in_(groups))
        .group_by(members.c.group_id)
    )
    reached = {row.group_id: (row.members, row.visited) for row in session.execute(counts)}
    return [covered(group, found[group.id], *reached.get(group.id, (0, 0))) for group in groups.values()]


def owed_in(year: int, group_ids: Sequence[int]) -> Select[int, int, str, datetime | None, datetime]:
    """The events told in a year with their visits, for each group to which somebody concerned belonged then."""
    concerned = or_(
        LifeEvent.resident_id == Resident.id,
        and_(LifeEvent.resident_id.is_(None), LifeEvent.household_id == Resident.household_id),
    )
    return (
        select(CareGroup.id, LifeEvent.id, Condolence.state, Condolence.done_at, Condolence.due_at)
        .join(LifeEvent, LifeEvent.community_id == CareGroup.community_id)
        .join(Resident, concerned)
        .outerjoin(Condolence, and_(Condolence.event_id == LifeEvent.id, Condolence.state != "ended"))
        .where(
            CareGroup.id.in_(group_ids),
            LifeEvent.withdrawn_at.is_(None),
            LifeEvent.kind.in_([str(kind) for kind in TRIGGER_OF]),
            func.date_part("year", TOLD_ON) == year,
            belonged(),
        )
        .distinct()
    )


def belonged() -> ColumnElement[bool]:
    """Whether a resident was of a group when an event was told: who died or left with it was of it until then."""
    until = LifeEvent.happened_on
    listed = exists().where(
        GroupMember.group_id == CareGroup.id,
        GroupMember.resident_id == Resident.id,
        GroupMember.since <= TOLD_ON,
        or_(GroupMember.until.is_(None), GroupMember.until >= until),
    )
    party = and_(
        CareGroup.members == "party_members",
        exists().where(WorkResource.resident_id == Resident.id, WorkResource.kind == "party_member"),
    )
    liaison = and_(
        CareGroup.members == "liaisons",
        exists().where(
            Post.resident_id == Resident.id,
            Post.kind == "stairwell_liaison",
            Post.valid_from <= TOLD_ON,
            or_(Post.valid_until.is_(None), Post.valid_until >= until),
        ),
    )
    homes = (Resident.household_id, LifeEvent.household_id)
    enrolled = and_(
        CareGroup.members == "enrolled",
        exists().where(
            or_(Enrolment.resident_id == Resident.id, Enrolment.household_id.in_(homes)),
            Enrolment.starts_on <= TOLD_ON,
            or_(Enrolment.ends_on.is_(None), Enrolment.ends_on >= until),
        ),
    )
    return or_(listed, party, liaison, enrolled)


def covered(group: CareGroup, rows: Sequence[Paid], members: int, visited: int) -> Coverage:
    """The figure of one group."""
    owed = [row for row in rows if row[1] is not None]
    paid = [(done, due) for _, _, done, due in owed if done is not None and due is not None]
    in_time = sum(done <= due for done, due in paid)
    events = len({event for event, *_ in rows})
    return Coverage(group, events, len(owed), in_time, len(paid) - in_time, len(owed) - len(paid), members, visited)


def was_visited(year: int) -> ColumnElement[bool]:
    """Whether somebody was at the home of a resident in person in a year: for 三访, or by a programme of care."""
    first, after = date(year, 1, 1), date(year + 1, 1, 1)
    condoled = exists().where(
        Condolence.event_id == LifeEvent.id,
        or_(LifeEvent.resident_id == Resident.id, LifeEvent.household_id == Resident.household_id),
        Condolence.state == "done",
        func.date_part("year", func.timezone("Asia/Shanghai", Condolence.done_at)) == year,
    )
    called_on = exists().where(
        Contact.household_id == Resident.household_id,
        Contact.kind == "visit",
        Contact.day >= first,
        Contact.day < after,
    )
    return or_(condoled, called_on)


def missing(session: Session, group_id: int, year: int, *, actor: Actor, now: datetime) -> Sequence[Resident]:
    """The members of a group at whose home nobody was in a year, by name; raises NotFound. Two queries."""
    group = find_group(session, group_id, actor=actor)
    members = members_of(clock.today(now)).subquery()
    query = (
        select(Resident)
        .join(members, members.c.resident_id == Resident.id)
        .where(members.c.group_id == group.id, ~was_visited(year), reach.visible(Resident, actor))
        .order_by(Resident.name_key, Resident.id)
        .limit(MOST_MISSING)
    )
    return session.scalars(query).all()
