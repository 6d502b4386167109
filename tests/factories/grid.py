"""A small grid for tests: a district with two communities that both have a 3幢."""

from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex

from sqlalchemy.orm import Session

from dispatch.rules.access.roles import SYSTEM, Actor, ActorKind, Scope
from dispatch.services import grid
from dispatch.services.access import policies

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
POLICIES = {
    "calendar.working_periods": ["08:30-12:00", "14:00-17:30"],
    "calendar.working_weekdays": [1, 2, 3, 4, 5],
    "calendar.missing_year_warning_days": 60,
    "firms.papers_warning_days": 30,
    "routing.metres_per_minute": 250,
    "routing.minutes_per_job": 60,
}


@dataclass(frozen=True, slots=True)
class SmallCommunity:
    """Ids of a community: 后庆小区 with 3幢 (two units) and 5幢 (one), 大洋路128号, two areas."""

    district: int
    id: int
    areas: tuple[int, ...]
    buildings: tuple[int, ...]
    stairwells: tuple[int, ...]


def make_district(session: Session) -> int:
    """A district with the policies that the grid and the catalogue read."""
    district = grid.create_organisation(
        session, kind="district", code=f"d{token_hex(4)}", name="莲都区", actor=SYSTEM, now=NOW
    )
    policies.seed(session, district.id, POLICIES, NOW)
    return district.id


def make_community(
    session: Session, district: int | None = None, *, estate: str = "后庆小区", road: str = "大洋路"
) -> SmallCommunity:
    """A community with two areas, three buildings and four stairwells."""
    above = district if district is not None else make_district(session)
    code = f"c{token_hex(4)}"
    made = grid.create_organisation(
        session, kind="community", code=code, name="后庆社区", parent_id=above, actor=SYSTEM, now=NOW
    )
    areas = grid.create_areas(
        session,
        made.id,
        [grid.AreaDraft(1, "后庆片区", 28.45, 119.91), grid.AreaDraft(2, "大洋片区", 28.46, 119.92)],
        principle=grid.Principle.NEAR,
        actor=SYSTEM,
    )
    buildings = grid.create_buildings(
        session,
        made.id,
        [
            building(areas[0], "3", estate, road, road_number="128", latitude=28.4501, nicknames=("老供销社",)),
            building(areas[0], "5", estate, road, road_number="128", latitude=28.4502),
            building(areas[1], "66", None, road, road_number="66", latitude=28.4603),
        ],
        principle=grid.Principle.ADJACENT,
        actor=SYSTEM,
    )
    stairwells = grid.create_stairwells(
        session,
        made.id,
        [
            grid.StairwellDraft(buildings[0], "1", "S001"),
            grid.StairwellDraft(buildings[0], "2", "S002"),
            grid.StairwellDraft(buildings[1], "1", "S003"),
            grid.StairwellDraft(buildings[2], "1", "S004"),
        ],
        principle=grid.Principle.MANAGEABLE,
        actor=SYSTEM,
    )
    return SmallCommunity(above, made.id, tuple(areas), tuple(buildings), tuple(stairwells))


def building(
    area: int,
    number: str,
    estate: str | None,
    road: str,
    *,
    road_number: str,
    latitude: float,
    nicknames: tuple[str, ...] = (),
) -> grid.BuildingDraft:
    """A building of an estate at its gate number, or a house of its own."""
    inside = f"{estate}{number}幢" if estate else ""
    return grid.BuildingDraft(
        area_id=area,
        number=number,
        address=f"{road}{road_number}号{inside}",
        latitude=latitude,
        longitude=119.91,
        estate=estate,
        road=road,
        road_number=road_number,
        nicknames=nicknames,
    )


def actor_of(*communities: SmallCommunity) -> Actor:
    """Somebody who reaches these communities and nothing else."""
    scope = Scope(
        organisations=frozenset({one.district for one in communities} | {one.id for one in communities}),
        communities=frozenset(one.id for one in communities),
    )
    return Actor(kind=ActorKind.OPERATOR, scope=scope)
