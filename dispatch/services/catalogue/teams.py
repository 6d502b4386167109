"""Block teams with their territory and line teams with their speciality."""

from collections.abc import Iterable
from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.catalogue import Team, Territory


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
        select(Team.id).where(
            Team.community_id == community_id, Team.kind == "line", Team.speciality == speciality
        )
    ).scalar_one_or_none()
