"""Building a grid: organisations, areas, buildings with their names, stairwells; each with its principle."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import insert, select, text
from sqlalchemy.orm import Session

from dispatch.db import Base
from dispatch.errors import Invalid, NotFound
from dispatch.models.access import Organisation
from dispatch.models.grid import Area, Building, PlaceName, Stairwell
from dispatch.rules.access.roles import Actor
from dispatch.services.access import audit

LONGEST_NAME = 60
BUMP = text("UPDATE organisations SET grid_version = grid_version + 1 WHERE id = :id")


class Principle(StrEnum):
    """Why a grid is cut as it is. Source: rules.md §2, the four principles."""

    NEAR = "near"
    KINDRED = "kindred"
    ADJACENT = "adjacent"
    MANAGEABLE = "manageable"


PRINCIPLE_NAMES: Mapping[Principle, str] = {
    Principle.NEAR: "地缘相近",
    Principle.KINDRED: "人文相联",
    Principle.ADJACENT: "居住相邻",
    Principle.MANAGEABLE: "便于管理",
}


@dataclass(frozen=True, slots=True)
class AreaDraft:
    """A 片区 to be made; coordinates are those of its middle."""

    number: int
    name: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class BuildingDraft:
    """A 楼幢 to be made. `estate`, `road` and `nicknames` become names of places by themselves."""

    area_id: int
    number: str
    address: str
    latitude: float
    longitude: float
    estate: str | None = None
    road: str | None = None
    road_number: str | None = None
    nicknames: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StairwellDraft:
    """A 楼道 to be made; `code` is its own within the community."""

    building_id: int
    number: str
    code: str


@dataclass(frozen=True, slots=True)
class PlaceNameDraft:
    """A name of a place: estate, road or nickname, of a building or an area where it stands for one."""

    name: str
    kind: str
    area_id: int | None = None
    building_id: int | None = None


def create_organisation(
    session: Session,
    *,
    kind: str,
    code: str,
    name: str,
    parent_id: int | None = None,
    is_hidden: bool = False,
    actor: Actor,
    now: datetime,
) -> Organisation:
    """Make a node of the organisation tree, with its path from the root; audited.

    Raises NotFound for a parent out of reach, Invalid for a root that somebody within the tree would make.
    """
    above: list[int] = []
    if parent_id is not None:
        above = list(_parent_path(session, parent_id, actor))
    elif not actor.scope.everything:
        raise Invalid("parent_id", "请选择上级单位")
    made = Organisation(
        parent_id=parent_id, kind=kind, code=code, name=name, path=[], is_hidden=is_hidden, created_at=now
    )
    session.add(made)
    session.flush()
    made.path = [*above, made.id]
    session.flush()
    audit.record(session, "grid.create_organisation", "organisations", made.id, actor=actor, organisation_id=made.id)
    return made


def create_areas(
    session: Session, community_id: int, drafts: Sequence[AreaDraft], *, principle: Principle, actor: Actor
) -> list[int]:
    """Make areas and return their ids in the order given; audited once, with the principle."""
    demand_community(actor, community_id)
    rows = [
        {
            "community_id": community_id,
            "number": one.number,
            "name": one.name,
            "latitude": one.latitude,
            "longitude": one.longitude,
        }
        for one in drafts
    ]
    ids = insert_all(session, Area, rows)
    _changed(session, "grid.create_areas", "areas", community_id, number=len(ids), principle=principle, actor=actor)
    return ids


def create_buildings(
    session: Session,
    community_id: int,
    drafts: Sequence[BuildingDraft],
    *,
    principle: Principle,
    actor: Actor,
) -> list[int]:
    """Make buildings and the names by which people call them; returns the ids in the order given; audited.

    An estate or road that the community has already is used again.
    """
    demand_community(actor, community_id)
    estates = _names(session, community_id, "estate", {one.estate for one in drafts if one.estate})
    _names(session, community_id, "road", {one.road for one in drafts if one.road})
    rows = [
        {
            "community_id": community_id,
            "area_id": one.area_id,
            "estate_id": estates[one.estate] if one.estate else None,
            "number": one.number,
            "road": one.road,
            "road_number": one.road_number,
            "address": one.address,
            "latitude": one.latitude,
            "longitude": one.longitude,
        }
        for one in drafts
    ]
    ids = insert_all(session, Building, rows)
    _insert_names(session, community_id, _nicknames(ids, drafts))
    action, subject = "grid.create_buildings", "buildings"
    _changed(session, action, subject, community_id, number=len(ids), principle=principle, actor=actor)
    return ids


def create_stairwells(
    session: Session,
    community_id: int,
    drafts: Sequence[StairwellDraft],
    *,
    principle: Principle,
    actor: Actor,
) -> list[int]:
    """Make stairwells and return their ids in the order given; audited once."""
    demand_community(actor, community_id)
    rows = [
        {
            "community_id": community_id,
            "building_id": one.building_id,
            "number": one.number,
            "code": one.code,
        }
        for one in drafts
    ]
    ids = insert_all(session, Stairwell, rows)
    _changed(
        session,
        "grid.create_stairwells",
        "stairwells",
        community_id,
        number=len(ids),
        principle=principle,
        actor=actor,
    )
    return ids


def create_place_names(
    session: Session, community_id: int, drafts: Sequence[PlaceNameDraft], *, actor: Actor
) -> list[int]:
    """Add names by which places are called; returns their ids; audited. Raises Invalid for an empty name."""
    demand_community(actor, community_id)
    if any(not one.name.strip() or len(one.name) > LONGEST_NAME for one in drafts):
        raise Invalid("name", "地名应为1到60个字")
    ids = _insert_names(session, community_id, drafts)
    _changed(
        session,
        "grid.create_place_names",
        "place_names",
        community_id,
        number=len(ids),
        principle=None,
        actor=actor,
    )
    return ids


def move_building(session: Session, building_id: int, area_id: int, *, principle: Principle, actor: Actor) -> None:
    """Give a building to another area of its community; the principle is kept in the audit.

    Raises NotFound for a building out of reach, Invalid("area_id", …) for an area of another community.
    """
    building = session.get(Building, building_id)
    if building is None:
        raise NotFound
    demand_community(actor, building.community_id)
    area = session.get(Area, area_id)
    if area is None or area.community_id != building.community_id:
        raise Invalid("area_id", "没有这个片区,请重新选择")
    building.area_id = area_id
    session.flush()
    _changed(
        session,
        "grid.move_building",
        "buildings",
        building.community_id,
        number=1,
        principle=principle,
        actor=actor,
        subject_id=building_id,
    )


def demand_community(actor: Actor, community_id: int) -> None:
    """Raise NotFound for a community out of the actor's reach."""
    if not actor.scope.everything and community_id not in actor.scope.communities:
        raise NotFound


def insert_all(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """Insert many rows in few statements and return their ids in the order given."""
    if not rows:
        return []
    column = model.__table__.c.id
    statement = insert(model).returning(column, sort_by_parameter_order=True)
    return [int(identity) for identity in session.scalars(statement, list(rows))]


def _parent_path(session: Session, parent_id: int, actor: Actor) -> Sequence[int]:
    parent = session.get(Organisation, parent_id)
    if parent is None or not (actor.scope.everything or parent.id in actor.scope.organisations):
        raise NotFound
    return parent.path


def _names(session: Session, community_id: int, kind: str, wanted: Iterable[str]) -> dict[str, int]:
    """The ids of these names of a kind, made where the community has not got them."""
    names = sorted(wanted)
    query = select(PlaceName.name, PlaceName.id).where(
        PlaceName.community_id == community_id, PlaceName.kind == kind, PlaceName.name.in_(names)
    )
    known = dict(session.execute(query).all())
    missing = [PlaceNameDraft(name, kind) for name in names if name not in known]
    made = _insert_names(session, community_id, missing)
    return known | dict(zip((one.name for one in missing), made, strict=True))


def _nicknames(building_ids: Sequence[int], drafts: Sequence[BuildingDraft]) -> list[PlaceNameDraft]:
    """The names by which people call these buildings."""
    return [
        PlaceNameDraft(name, "nickname", building_id=building_id)
        for building_id, one in zip(building_ids, drafts, strict=True)
        for name in one.nicknames
    ]


def _insert_names(session: Session, community_id: int, drafts: Sequence[PlaceNameDraft]) -> list[int]:
    rows = [
        {
            "community_id": community_id,
            "name": one.name.strip(),
            "kind": one.kind,
            "area_id": one.area_id,
            "building_id": one.building_id,
        }
        for one in drafts
    ]
    return insert_all(session, PlaceName, rows)


def _changed(
    session: Session,
    action: str,
    subject: str,
    community_id: int,
    *,
    number: int,
    principle: Principle | None,
    actor: Actor,
    subject_id: int | None = None,
) -> None:
    """Count the change of the grid and record it with its principle."""
    session.execute(BUMP, {"id": community_id})
    fields = {"rows": str(number)} | ({"principle": str(principle)} if principle else {})
    audit.record(session, action, subject, subject_id, actor=actor, community_id=community_id, fields=fields)
