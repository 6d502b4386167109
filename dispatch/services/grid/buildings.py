"""Buildings with their stairwells, as places are found among them: one by its id, or those of whole communities."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from dispatch.models.grid import Building, Stairwell


@dataclass(frozen=True, slots=True)
class KnownBuilding:
    """A building with its stairwells as (id, number)."""

    id: int
    community_id: int
    area_id: int
    estate_id: int | None
    number: str
    road: str | None
    road_number: str | None
    address: str
    latitude: float
    longitude: float
    stairwells: tuple[tuple[int, str], ...]

    def roads(self) -> Iterator[str]:
        """The names of roads by which it is meant: the road's own, and with its number (大洋路66号)."""
        if self.road is not None:
            yield self.road
        yield f"{self.road or ''}{self.road_number or ''}号"


@dataclass(frozen=True, slots=True)
class Buildings:
    """The buildings of one community, found as people say them; each list by id."""

    by_id: Mapping[int, KnownBuilding]
    by_estate: Mapping[int, Sequence[KnownBuilding]]
    by_road: Mapping[str, Sequence[KnownBuilding]]
    by_number: Mapping[str, Sequence[KnownBuilding]]

    @classmethod
    def of(cls, buildings: Iterable[KnownBuilding]) -> Self:
        """Index the buildings of a community."""
        by_estate: defaultdict[int, list[KnownBuilding]] = defaultdict(list)
        by_road: defaultdict[str, list[KnownBuilding]] = defaultdict(list)
        by_number: defaultdict[str, list[KnownBuilding]] = defaultdict(list)
        by_id = {building.id: building for building in sorted(buildings, key=lambda one: one.id)}
        for building in by_id.values():
            if building.estate_id is not None:
                by_estate[building.estate_id].append(building)
            for road in building.roads():
                by_road[road].append(building)
            by_number[building.number].append(building)
        return cls(by_id, dict(by_estate), dict(by_road), dict(by_number))


_STAIRWELLS = (
    select(func.jsonb_agg(func.jsonb_build_array(Stairwell.id, Stairwell.number)))
    .where(Stairwell.building_id == Building.id)
    .correlate(Building)
    .scalar_subquery()
    .label("stairwells")
)
_BUILDINGS = select(
    Building.id,
    Building.community_id,
    Building.area_id,
    Building.estate_id,
    Building.number,
    Building.road,
    Building.road_number,
    Building.address,
    Building.latitude,
    Building.longitude,
    _STAIRWELLS,
)


def read_building(session: Session, *conditions: ColumnElement[bool]) -> KnownBuilding | None:
    """The one building that these conditions describe."""
    row = session.execute(_BUILDINGS.where(*conditions)).one_or_none()
    return None if row is None else known(row)


def read_buildings(session: Session, *conditions: ColumnElement[bool]) -> list[KnownBuilding]:
    """The buildings that these conditions describe."""
    return [known(row) for row in session.execute(_BUILDINGS.where(*conditions))]


def read_communities(session: Session, communities: Sequence[int]) -> dict[int, Buildings]:
    """The buildings of each of these communities, in one query."""
    found: dict[int, list[KnownBuilding]] = {community_id: [] for community_id in communities}
    for building in read_buildings(session, Building.community_id.in_(communities)):
        found[building.community_id].append(building)
    return {community_id: Buildings.of(buildings) for community_id, buildings in found.items()}


def known(row: Any) -> KnownBuilding:
    """A row as it is kept."""
    stairwells = tuple(sorted((identity, number) for identity, number in row.stairwells or ()))
    return KnownBuilding(*row[:-1], stairwells)  # type: ignore[call-arg]
