"""What a page shows of one stairwell, and the lists of organisations, areas and buildings."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.errors import NotFound
from dispatch.models.access import Organisation
from dispatch.models.grid import Area, Building, Household, Post, Resident, Stairwell
from dispatch.rules.access.roles import Actor
from dispatch.services.access.reach import visible
from dispatch.services.grid.posts import PostKind

MOST_AT_ONCE = 101
"""A page of a hundred, and one more to see whether another follows."""
NAMED = (PostKind.AREA_CHIEF, PostKind.GROUP_LEADER, PostKind.STAIRWELL_LEADER)


@dataclass(frozen=True, slots=True)
class StairwellCard:
    """A stairwell at a glance: where it is, how many live there, and who stands for it by kind of post."""

    id: int
    label: str
    area_id: int
    building_id: int
    households: int
    residents: int
    living_alone: int
    posts: dict[str, str]


def stairwell_card(session: Session, stairwell_id: int, *, day: date, actor: Actor) -> StairwellCard:
    """The card of a stairwell on a day; three queries. Raises NotFound out of reach."""
    row: Any = session.execute(
        select(Stairwell, Building)
        .join(Building, Building.id == Stairwell.building_id)
        .where(Stairwell.id == stairwell_id, visible(Stairwell, actor))
    ).one_or_none()
    if row is None:
        raise NotFound
    stairwell, building = row
    counts = session.execute(
        select(
            func.count(Household.id.distinct()),
            func.count(Resident.id),
            func.count(Resident.id).filter(Resident.lives_alone),
        )
        .select_from(Household)
        .outerjoin(Resident, Resident.household_id == Household.id)
        .where(Household.stairwell_id == stairwell_id)
    ).one()
    posts = session.execute(
        select(Post.kind, Post.holder_name).where(
            Post.community_id == stairwell.community_id,
            Post.kind.in_(NAMED),
            (Post.stairwell_id == stairwell_id)
            | (Post.building_id == building.id)
            | (Post.area_id == building.area_id),
            Post.valid_from <= day,
            Post.valid_until.is_(None) | (Post.valid_until > day),
        )
    ).all()
    label = f"{building.address}{stairwell.number}单元"
    return StairwellCard(stairwell_id, label, building.area_id, building.id, *counts, posts=dict(iter(posts)))


def list_areas(session: Session, *, actor: Actor, after: int = 0, limit: int = 50) -> Sequence[Area]:
    """The areas in reach by id, after an id; at most 101."""
    query = select(Area).where(visible(Area, actor), Area.id > after).order_by(Area.id)
    return session.scalars(query.limit(min(limit, MOST_AT_ONCE))).all()


def list_buildings(
    session: Session, *, actor: Actor, area_id: int | None = None, after: int = 0, limit: int = 50
) -> Sequence[Building]:
    """The buildings in reach by id, after an id, of one area or of all; at most 101."""
    query = select(Building).where(visible(Building, actor), Building.id > after).order_by(Building.id)
    if area_id is not None:
        query = query.where(Building.area_id == area_id)
    return session.scalars(query.limit(min(limit, MOST_AT_ONCE))).all()


def roots(session: Session) -> list[int]:
    """The organisations without one above them: those that keep the calendar and the policies for all below."""
    query = select(Organisation.id).where(Organisation.parent_id.is_(None), ~Organisation.is_hidden)
    return [*session.scalars(query.order_by(Organisation.id))]


def communities(session: Session) -> list[int]:
    """The communities that are not hidden."""
    query = select(Organisation.id).where(Organisation.kind == "community", ~Organisation.is_hidden)
    return [*session.scalars(query.order_by(Organisation.id))]
