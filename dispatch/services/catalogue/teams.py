"""Block teams with their territory and line teams with their speciality."""

from collections.abc import Iterable, Sequence
from datetime import date

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.catalogue import Team, Territory
from dispatch.models.grid import Building
from dispatch.rules.access.roles import Actor
from dispatch.services.access import audit
from dispatch.services.access.reach import visible
from dispatch.services.catalogue.versions import bump

MOST_AT_ONCE = 101
"""A page of a hundred, and one more to see whether another follows."""


class TerritoryTaken(Conflict):
    """这幢楼在这段时间已经属于另一个块状团队"""


def block_team(session: Session, building_id: int, day: date) -> int | None:
    """The block team to which a building belongs on a day, None where it has none."""
    return block_teams(session, (building_id,), day).get(building_id)


def block_teams(session: Session, building_ids: Iterable[int], day: date) -> dict[int, int]:
    """The block team of each of these buildings on a day (buildings without one are left out); one query."""
    rows = session.execute(
        select(Territory.building_id, Territory.team_id).where(
            Territory.building_id.in_(sorted(building_ids)), Territory.days.contains(day)
        )
    )
    return dict(rows.all())


def line_team(session: Session, community_id: int, speciality: str) -> int | None:
    """The line team of a community for a speciality, None where it has none."""
    return session.execute(
        select(Team.id).where(Team.community_id == community_id, Team.kind == "line", Team.speciality == speciality)
    ).scalar_one_or_none()


def set_territory(session: Session, building_id: int, team_id: int, since: date, *, actor: Actor) -> None:
    """Give a building to a block team from a day on; the team it had until then keeps the days before.

    Raises NotFound for a building out of reach, Invalid("team_id", …) for what is no block team of its
    community, TerritoryTaken when the building is promised to somebody from that day or a later one on.
    """
    building = session.scalars(
        select(Building).where(Building.id == building_id, visible(Building, actor))
    ).one_or_none()
    if building is None:
        raise NotFound
    team = session.get(Team, team_id)
    if team is None or team.kind != "block" or team.community_id != building.community_id:
        raise Invalid("team_id", "请选择本社区的块状团队")
    before = held_on(session, building_id, since)
    days = Range(since, None)
    try:
        with session.begin_nested():
            if before is not None:
                before.days = Range(before.days.lower, since)
                session.flush()
            made = Territory(community_id=building.community_id, team_id=team_id, building_id=building_id, days=days)
            session.add(made)
    except IntegrityError as error:
        raise TerritoryTaken from error
    bump(session, building.community_id)
    audit.record(
        session,
        "catalogue.set_territory",
        "territories",
        made.id,
        actor=actor,
        community_id=building.community_id,
        fields={"since": since.isoformat()},
    )


def held_on(session: Session, building_id: int, day: date) -> Territory | None:
    """The territory, locked, in which a building stands on a day and was before, until somebody ends it."""
    return session.scalars(
        select(Territory)
        .where(
            Territory.building_id == building_id,
            Territory.days.contains(day),
            func.upper_inf(Territory.days),
            func.lower(Territory.days) < day,
        )
        .with_for_update()
    ).one_or_none()


def list_teams(
    session: Session, *, actor: Actor, kind: str | None = None, after: int = 0, limit: int = 50
) -> Sequence[Team]:
    """The teams in reach by id, after an id, of one kind (block, line) or both; at most 101."""
    query = select(Team).where(visible(Team, actor), Team.id > after).order_by(Team.id)
    if kind is not None:
        query = query.where(Team.kind == kind)
    return session.scalars(query.limit(min(limit, MOST_AT_ONCE))).all()
