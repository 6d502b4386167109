"""The groups for whom 三访 holds: who belongs to them, a switch per group and trigger."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, union
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from config.seed import care_groups
from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.care import CareGroup, Enrolment, GroupMember, GroupSwitch
from dispatch.models.grid import Post, Resident, WorkResource
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.events import Trigger
from dispatch.services.access import audit, reach
from dispatch.services.care.checks import resident_in_reach
from dispatch.services.grid.build import demand_community

LONGEST_NAME = 60
LISTED = "listed"


class AlreadyMember(Conflict):
    """这位居民已经在这一类人里"""


class NotListed(Conflict):
    """这一类人由台账、岗位或关爱项目得出,不用手工登记"""


@dataclass(slots=True)
class GroupView:
    """A group with its switches and how many people belong to it today."""

    group: CareGroup
    on: set[Trigger] = field(default_factory=set)
    members: int = 0


def begin_groups(session: Session, community_id: int, *, actor: Actor) -> int:
    """Give a community the seeded groups that it has not yet; how many were new."""
    demand_community(actor, community_id)
    known = set(session.scalars(select(CareGroup.code).where(CareGroup.community_id == community_id)))
    fresh = [one for one in care_groups() if one.code not in known]
    for one in fresh:
        made = CareGroup(community_id=community_id, code=one.code, name=one.name, members=one.members)
        session.add(made)
        session.flush()
        for trigger in one.triggers:
            is_on = {"group_id": made.id, "trigger": trigger, "community_id": community_id, "is_on": True}
            session.execute(insert(GroupSwitch).values(is_on))
        record(session, "begin_group", made, actor=actor)
    return len(fresh)


def record(session: Session, deed: str, group: CareGroup, *, actor: Actor, **fields: str) -> None:
    """The audit entry of what was done with a group."""
    audit.record(
        session, f"care.{deed}", "care_groups", group.id, actor=actor, community_id=group.community_id, fields=fields
    )


def members_of(today: date) -> Select[Any]:
    """Who of those who live here belongs to which group on a day: (group, resident), by list, register, enrolment."""
    lasting = or_(GroupMember.until.is_(None), GroupMember.until > today)
    listed = select(GroupMember.group_id, GroupMember.resident_id).where(GroupMember.since <= today, lasting)
    party = (
        select(CareGroup.id, WorkResource.resident_id)
        .join(WorkResource, WorkResource.community_id == CareGroup.community_id)
        .where(CareGroup.members == "party_members", WorkResource.kind == "party_member")
        .where(WorkResource.resident_id.is_not(None))
    )
    liaisons = (
        select(CareGroup.id, Post.resident_id)
        .join(Post, Post.community_id == CareGroup.community_id)
        .where(CareGroup.members == "liaisons", Post.resident_id.is_not(None), holds(today))
    )
    enrolled = (
        select(CareGroup.id, Resident.id)
        .join(Resident, Resident.community_id == CareGroup.community_id)
        .where(CareGroup.members == "enrolled", is_enrolled(today))
    )
    found = union(listed, party, liaisons, enrolled).subquery()
    here = select(found.c.group_id, found.c.resident_id).join(Resident, Resident.id == found.c.resident_id)
    return here.where(Resident.left_at.is_(None))


def holds(today: date) -> ColumnElement[bool]:
    """Whether a post is that of a 楼道联络员 on a day."""
    valid = and_(Post.valid_from <= today, or_(Post.valid_until.is_(None), Post.valid_until > today))
    return and_(Post.kind == "stairwell_liaison", valid)


def is_enrolled(today: date) -> ColumnElement[bool]:
    """Whether a resident, or the home, is in a programme of care on a day."""
    own = or_(Enrolment.resident_id == Resident.id, Enrolment.household_id == Resident.household_id)
    lasting = or_(Enrolment.ends_on.is_(None), Enrolment.ends_on > today)
    return exists().where(own, Enrolment.starts_on <= today, lasting)


def groups_about(session: Session, resident_ids: Collection[int], today: date) -> set[int]:
    """The groups to which anybody of these belongs."""
    members = members_of(today).subquery()
    query = select(members.c.group_id).where(members.c.resident_id.in_(resident_ids)).distinct()
    return set(session.scalars(query))


def switched_on(session: Session, community_id: int) -> set[tuple[int, Trigger]]:
    """The switches of a community that are on."""
    query = select(GroupSwitch.group_id, GroupSwitch.trigger).where(
        GroupSwitch.community_id == community_id, GroupSwitch.is_on
    )
    return {(group_id, Trigger(trigger)) for group_id, trigger in session.execute(query)}


def list_groups(session: Session, *, actor: Actor, now: datetime) -> list[GroupView]:
    """The groups in reach with switches and counts; three queries."""
    rows = session.scalars(
        select(CareGroup).where(reach.visible(CareGroup, actor)).order_by(CareGroup.community_id, CareGroup.id)
    )
    views = {group.id: GroupView(group) for group in rows}
    switches = select(GroupSwitch.group_id, GroupSwitch.trigger).where(
        GroupSwitch.group_id.in_(views), GroupSwitch.is_on
    )
    for group_id, trigger in session.execute(switches):
        views[group_id].on.add(Trigger(trigger))
    members = members_of(clock.today(now)).subquery()
    counts = select(members.c.group_id, func.count()).where(members.c.group_id.in_(views)).group_by(members.c.group_id)
    for group_id, count in session.execute(counts):
        views[group_id].members = count
    return list(views.values())


def find_group(session: Session, group_id: int, *, actor: Actor) -> CareGroup:
    """A group in reach; raises NotFound."""
    found = session.scalars(
        select(CareGroup).where(CareGroup.id == group_id, reach.visible(CareGroup, actor))
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def add_group(session: Session, community_id: int, name: str, *, actor: Actor) -> CareGroup:
    """A further group (“等”), whose members are listed by hand; raises Invalid("name"), NotFound."""
    demand_community(actor, community_id)
    words = name.strip()
    if not words or len(words) > LONGEST_NAME:
        raise Invalid("name", "请写明名称，不超过60字")
    if session.scalars(
        select(CareGroup.id).where(CareGroup.community_id == community_id, CareGroup.name == words)
    ).first():
        raise Invalid("name", "已经有这一类人")
    made = CareGroup(community_id=community_id, code=words, name=words, members=LISTED)
    session.add(made)
    session.flush()
    record(session, "add_group", made, actor=actor)
    return made


def switch(session: Session, group_id: int, trigger: Trigger, *, is_on: bool, actor: Actor) -> CareGroup:
    """Let a trigger hold for a group, or not; raises NotFound."""
    group = find_group(session, group_id, actor=actor)
    values = {"group_id": group.id, "trigger": str(trigger), "community_id": group.community_id, "is_on": is_on}
    statement = insert(GroupSwitch).values(values)
    session.execute(statement.on_conflict_do_update(index_elements=["group_id", "trigger"], set_={"is_on": is_on}))
    record(session, "switch_group", group, actor=actor, trigger=str(trigger), on=str(is_on))
    return group


def add_member(session: Session, group_id: int, resident_id: int, *, actor: Actor, now: datetime) -> GroupMember:
    """Enter a resident in a listed group from today; raises NotFound, Invalid, NotListed, AlreadyMember."""
    group = find_group(session, group_id, actor=actor)
    if group.members != LISTED:
        raise NotListed
    resident = resident_in_reach(session, resident_id, actor=actor)
    if resident.community_id != group.community_id:
        raise Invalid("resident_id", "居民台账里没有这个人,请重新选择")
    made = GroupMember(
        community_id=group.community_id,
        group_id=group.id,
        resident_id=resident.id,
        since=clock.today(now),
        added_by=actor.user_id,
        added_at=now,
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError as error:
        raise AlreadyMember from error
    record(session, "add_member", group, actor=actor, resident=str(resident.id))
    return made


def end_member(session: Session, group_id: int, resident_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a resident out of a listed group from today on; raises NotFound."""
    group = find_group(session, group_id, actor=actor)
    member = session.scalars(
        select(GroupMember).where(
            GroupMember.group_id == group.id, GroupMember.resident_id == resident_id, GroupMember.until.is_(None)
        )
    ).one_or_none()
    if member is None:
        raise NotFound
    member.until = clock.today(now)
    session.flush()
    record(session, "end_member", group, actor=actor, resident=str(resident_id))


def listed_members(session: Session, group_id: int, *, actor: Actor, limit: int = 200) -> Sequence[Resident]:
    """Who is listed in a group, by name."""
    query = (
        select(Resident)
        .join(GroupMember, GroupMember.resident_id == Resident.id)
        .where(GroupMember.group_id == group_id, GroupMember.until.is_(None), reach.visible(GroupMember, actor))
        .order_by(Resident.name_key, Resident.id)
        .limit(limit)
    )
    return session.scalars(query).all()
