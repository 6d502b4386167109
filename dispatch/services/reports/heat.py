"""Heat grids: where and when orders come, by area and step of time, by area and hour, and by building."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import and_, func, select, true
from sqlalchemy.orm import Session

from dispatch.models.grid import Area, Building
from dispatch.models.reports import FigureTotal, HeatTotal
from dispatch.rules.access.roles import Actor
from dispatch.rules.reports.keeping import HeatKept
from dispatch.rules.reports.periods import COARSE_TO_FINE, cells, step_of_trend, steps_of
from dispatch.services.access import reach
from dispatch.services.reports.asking import ReportQuery, check_days, in_reach, kept_by, of_cells

HOURS = 24


@dataclass(frozen=True, slots=True)
class HeatArea:
    """An area with its orders placed in each step of the days and in each hour of the day."""

    id: int
    name: str
    steps: Sequence[int]
    hours: Sequence[int]


@dataclass(frozen=True, slots=True)
class HeatBuilding:
    """A building with its orders placed."""

    id: int
    area_id: int
    number: str
    address: str
    placed: int


@dataclass(frozen=True, slots=True)
class Heat:
    """The grids of some days: areas (also those with nothing), the steps' days, buildings by area and address."""

    steps: Sequence[tuple[date, date]]
    areas: Sequence[HeatArea]
    buildings: Sequence[HeatBuilding]


def heat(session: Session, query: ReportQuery, *, actor: Actor) -> Heat:
    """Where and when the orders of some days were placed, in four queries; by area and community only."""
    check_days(query)
    grain = step_of_trend(query.begin, query.end)
    steps = steps_of(query.begin, query.end, grain)
    by_step = placed_by_step(session, query, steps, actor=actor)
    by_hour = placed_by_hour(session, query, actor=actor)
    areas = areas_of(session, query, actor=actor)
    hot = [
        HeatArea(area, name, by_step.get(area, [0] * len(steps)), by_hour.get(area, [0] * HOURS))
        for area, name in areas
    ]
    return Heat(steps, hot, buildings_of(session, query, [area for area, _ in areas], actor=actor))


def areas_of(session: Session, query: ReportQuery, *, actor: Actor) -> list[tuple[int, str]]:
    """The areas of the query that the actor may see, in their order."""
    own = reach.among(Area.__table__.c.id, actor.areas) if actor.narrowed else true()
    wanted = and_(
        Area.community_id == query.community_id if query.community_id is not None else true(),
        Area.id == query.area_id if query.area_id is not None else true(),
    )
    asked = select(Area.id, Area.name).where(reach.visible(Area, actor), own, wanted)
    return [(identity, name) for identity, name in session.execute(asked.order_by(Area.community_id, Area.number))]


def placed_by_step(
    session: Session, query: ReportQuery, steps: Sequence[tuple[date, date]], *, actor: Actor
) -> dict[int, list[int]]:
    """Orders placed by area in each step."""
    grain = step_of_trend(query.begin, query.end)
    runs = cells(query.begin, query.end, COARSE_TO_FINE[COARSE_TO_FINE.index(grain) :])
    table = FigureTotal.__table__.c
    asked = (
        select(table.area_id, table.first_day, func.sum(table.placed))
        .where(
            in_reach(FigureTotal, actor),
            kept_by(ReportQuery(query.begin, query.end), actor, ["area_id"]),
            of_cells(FigureTotal, runs),
            table.area_id.is_not(None),
            table.placed > 0,
        )
        .group_by(table.area_id, table.first_day)
    )
    found: dict[int, list[int]] = {}
    for area, day, placed in session.execute(asked):
        row = found.setdefault(area, [0] * len(steps))
        row[step_with(steps, day)] += int(placed)
    return found


def step_with(steps: Sequence[tuple[date, date]], day: date) -> int:
    """In which step a day lies."""
    return next(index for index, (first, last) in enumerate(steps) if first <= day <= last)


def placed_by_hour(session: Session, query: ReportQuery, *, actor: Actor) -> dict[int, list[int]]:
    """Orders placed by area in each hour of the day."""
    table = HeatTotal.__table__.c
    found: dict[int, list[int]] = {}
    for area, hour, placed in session.execute(
        select(table.area_id, table.hour, func.sum(table.placed))
        .where(
            in_reach(HeatTotal, actor),
            table.kept_by == str(HeatKept.HOUR),
            of_cells(HeatTotal, cells(query.begin, query.end)),
        )
        .group_by(table.area_id, table.hour)
    ):
        found.setdefault(area, [0] * HOURS)[hour] += int(placed)
    return found


def buildings_of(session: Session, query: ReportQuery, areas: Sequence[int], *, actor: Actor) -> list[HeatBuilding]:
    """Every building of these areas with its orders placed, by area and address."""
    placed: Mapping[int | None, int] = {
        building: int(number)
        for building, number in session.execute(
            select(HeatTotal.building_id, func.sum(HeatTotal.placed))
            .where(
                in_reach(HeatTotal, actor),
                HeatTotal.kept_by == str(HeatKept.BUILDING),
                of_cells(HeatTotal, cells(query.begin, query.end)),
            )
            .group_by(HeatTotal.building_id)
        )
    }
    asked = (
        select(Building.id, Building.area_id, Building.number, Building.address)
        .where(Building.area_id.in_(areas))
        .order_by(Building.area_id, func.length(Building.address), Building.address)
    )
    return [
        HeatBuilding(identity, area, number, address, placed.get(identity, 0))
        for identity, area, number, address in session.execute(asked)
    ]
