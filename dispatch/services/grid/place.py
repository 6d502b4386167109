"""Address text, or an explicit id, to stairwell, building or area; candidates where it is not certain."""

import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, any_, literal, select, true
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.grid import Area, Building, Household, Resident, Stairwell
from dispatch.rules.grid.address import ParsedPlace, normalise, parse
from dispatch.services.grid.buildings import KnownBuilding, read_building, read_buildings
from dispatch.services.grid.names import NamedPlace, Names, names_of

MOST_CANDIDATES = 5

# An address that begins with the number of a building names no estate, not even an unknown one.
_BARE = re.compile(r"(?:我们?|家里?|住|在|是|这里|地址)*[0-9a-z]{1,5}幢")


@dataclass(frozen=True, slots=True)
class PlaceCandidate:
    """A place that a text may mean; `outcome` is how exact it is, `label` what people read."""

    outcome: str
    label: str
    community_id: int
    area_id: int
    building_id: int | None = None
    stairwell_id: int | None = None

    def as_fact(self) -> dict[str, Any]:
        """The candidate as it is stored with an order."""
        return {
            "outcome": self.outcome,
            "label": self.label,
            "community_id": self.community_id,
            "area_id": self.area_id,
            "building_id": self.building_id,
            "stairwell_id": self.stairwell_id,
        }


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is: `outcome` stairwell, building, area or unresolved; what lies above is set too.

    Coordinates are WGS84 degrees of the building, else of the area. `candidates` (at most 5, best first)
    stand where the outcome is unresolved or could be more exact.
    """

    outcome: str = "unresolved"
    community_id: int | None = None
    area_id: int | None = None
    building_id: int | None = None
    stairwell_id: int | None = None
    room: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    label: str = ""
    candidates: tuple[PlaceCandidate, ...] = ()


def resolve_place(
    session: Session,
    text: str,
    *,
    communities: frozenset[int] | None,
    stairwell_id: int | None = None,
    building_id: int | None = None,
    area_id: int | None = None,
    room: str | None = None,
) -> Place:
    """Find where a text or an explicit id is, within the communities in reach (None: all).

    A text costs one query while the grid has not changed, and one more for an area.

    A text that is not understood, or may mean several places, is `unresolved` with candidates: a call is
    never refused for its place and a place is never guessed. Raises Invalid naming the field for an explicit
    id that is unknown or out of reach. Source: hotline.md §2 step 1.
    """
    if stairwell_id is not None:
        return _of_stairwell(session, stairwell_id, communities, room)
    if building_id is not None:
        return _of_building(session, building_id, communities, room)
    if area_id is not None:
        return _of_area_id(session, area_id, communities, room)
    if not text.strip():
        return Place(room=room)
    names = names_of(session, communities)
    parsed = parse(text, names.index)
    place = _of_text(session, text, parsed, names)
    return replace(place, room=room or parsed.room)


def places_of(session: Session, stairwell_ids: Collection[int]) -> dict[int, Place]:
    """The places of these stairwells by their ids, in one query; one that there is not is left out."""
    asked = any_(literal(sorted(set(stairwell_ids)), ARRAY(BigInteger)))
    its = select(Stairwell.building_id).where(Stairwell.id == asked)
    return {
        stairwell[0]: _at(building, stairwell)
        for building in read_buildings(session, Building.id.in_(its))
        for stairwell in building.stairwells
        if stairwell[0] in stairwell_ids
    }


def home_stairwell(session: Session, resident_id: int) -> int | None:
    """The stairwell in which a resident of the register lives, None for one without a household."""
    return session.execute(
        select(Household.stairwell_id)
        .join(Resident, Resident.household_id == Household.id)
        .where(Resident.id == resident_id)
    ).scalar_one_or_none()


def _of_stairwell(session: Session, stairwell_id: int, communities: frozenset[int] | None, room: str | None) -> Place:
    its = select(Stairwell.building_id).where(Stairwell.id == stairwell_id).scalar_subquery()
    building = read_building(session, Building.id == its, _within(communities))
    if building is None:
        raise Invalid("stairwell_id", "没有这个楼道,请重新选择")
    number = dict(building.stairwells)[stairwell_id]
    return replace(_at(building, (stairwell_id, number)), room=room)


def _of_building(session: Session, building_id: int, communities: frozenset[int] | None, room: str | None) -> Place:
    building = read_building(session, Building.id == building_id, _within(communities))
    if building is None:
        raise Invalid("building_id", "没有这幢楼,请重新选择")
    return replace(_settled(building, None), room=room)


def _of_area_id(session: Session, area_id: int, communities: frozenset[int] | None, room: str | None) -> Place:
    query = select(Area).where(Area.id == area_id)
    if communities is not None:
        query = query.where(Area.community_id.in_(communities))
    area = session.scalars(query).one_or_none()
    if area is None:
        raise Invalid("area_id", "没有这个片区,请重新选择")
    return replace(_of_area(area), room=room)


def _of_text(session: Session, text: str, parsed: ParsedPlace, names: Names) -> Place:
    if parsed.name_id is not None:
        return _of_name(session, parsed, names.places[parsed.name_id], names)
    if parsed.candidates:
        places = [names.places[one] for one in parsed.candidates]
        return Place(candidates=_candidates(_search(names, parsed, places), parsed))
    if parsed.building is None:
        return Place()
    rows = names.with_number(parsed.building)
    if len(rows) == 1 and names.is_one_community and _BARE.match(normalise(text)):
        return _settled(rows[0], parsed.unit)
    return Place(candidates=_candidates(rows, parsed))


def _of_name(session: Session, parsed: ParsedPlace, named: NamedPlace, names: Names) -> Place:
    """A certain name: its building, or the area that all of it lies in; else a question."""
    rows = _search(names, parsed, [named])
    if not rows and named.area_id is not None and (parsed.building is None or named.kind == "nickname"):
        return _of_area(session.get_one(Area, named.area_id))
    if not rows and named.kind == "road" and parsed.road_number is not None and parsed.unit is None:
        parsed = replace(parsed, building=None, unit=parsed.building)
        rows = _only(_search(names, parsed, [named]))
    if not rows:
        others = _search(names, replace(parsed, building=None, road_number=None), [named])
        return Place(candidates=_candidates(others, replace(parsed, unit=None)))
    if len(rows) == 1:
        return _settled(rows[0], parsed.unit)
    if len({row.area_id for row in rows}) == 1 and parsed.building is None:
        place = _of_area(session.get_one(Area, rows[0].area_id))
        return replace(place, candidates=_candidates(rows, parsed))
    return Place(candidates=_candidates(rows, parsed))


def _only(rows: Sequence[KnownBuilding]) -> Sequence[KnownBuilding]:
    """The one house that a road number is (217号-3-502: its third unit), nothing where it is a gate of many."""
    return rows if len(rows) == 1 else []


def _search(names: Names, parsed: ParsedPlace, places: Sequence[NamedPlace]) -> Sequence[KnownBuilding]:
    """The buildings that these names stand for, with the number that was said."""
    found = {building.id: building for place in places for building in _meant(names, parsed, place)}
    return [found[identity] for identity in sorted(found)]


def _meant(names: Names, parsed: ParsedPlace, place: NamedPlace) -> Iterable[KnownBuilding]:
    """The buildings that are meant by one name and the numbers said with it."""
    here = names.buildings[place.community_id]
    if place.building_id is not None:
        return [here.by_id[place.building_id]] if place.building_id in here.by_id else []
    named: Sequence[KnownBuilding] = ()
    if place.kind == "estate":
        named = here.by_estate.get(place.id, ())
    elif place.kind == "road":
        named = here.by_road.get(place.name, ())
        if parsed.road_number is not None:
            named = [one for one in named if one.road_number == parsed.road_number]
    return [one for one in named if parsed.building is None or one.number == parsed.building]


def _within(communities: frozenset[int] | None) -> ColumnElement[bool]:
    return true() if communities is None else Building.community_id.in_(communities)


def _settled(row: KnownBuilding, unit: str | None) -> Place:
    """The stairwell of a building that was said or is its only one, else the building and its stairwells."""
    chosen = [one for one in row.stairwells if one[1] == unit]
    if not chosen and unit is None and len(row.stairwells) == 1:
        chosen = [*row.stairwells]
    if len(chosen) == 1:
        return _at(row, chosen[0])
    candidates = tuple(_candidate(row, one) for one in row.stairwells[:MOST_CANDIDATES])
    return replace(_at(row, None), candidates=candidates)


def _at(row: KnownBuilding, stairwell: tuple[int, str] | None) -> Place:
    candidate = _candidate(row, stairwell)
    return Place(
        outcome=candidate.outcome,
        community_id=row.community_id,
        area_id=row.area_id,
        building_id=row.id,
        stairwell_id=candidate.stairwell_id,
        latitude=row.latitude,
        longitude=row.longitude,
        label=candidate.label,
    )


def _of_area(area: Area) -> Place:
    return Place(
        outcome="area",
        community_id=area.community_id,
        area_id=area.id,
        latitude=area.latitude,
        longitude=area.longitude,
        label=area.name,
    )


def _candidates(rows: Iterable[KnownBuilding], parsed: ParsedPlace) -> tuple[PlaceCandidate, ...]:
    found = []
    for row in rows:
        unit = next((one for one in row.stairwells if one[1] == parsed.unit), None)
        found.append((parsed.unit is not None and unit is None, _candidate(row, unit)))
    found.sort(key=lambda one: one[0])
    return tuple(candidate for _, candidate in found[:MOST_CANDIDATES])


def _candidate(row: KnownBuilding, stairwell: tuple[int, str] | None) -> PlaceCandidate:
    if stairwell is None:
        return PlaceCandidate("building", row.address, row.community_id, row.area_id, row.id)
    label = f"{row.address}{stairwell[1]}单元"
    return PlaceCandidate("stairwell", label, row.community_id, row.area_id, row.id, stairwell[0])
