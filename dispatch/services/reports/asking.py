"""What a report is asked for: days, by whom it is grouped, narrowed to what, and whose rows its reader may see."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, false, or_
from sqlalchemy.orm import Session

from dispatch.db import Base
from dispatch.errors import Invalid
from dispatch.models.reports import FigureTotal, HeatTotal, OrderCount
from dispatch.rules.access.roles import Actor
from dispatch.rules.reports.keeping import kept_for
from dispatch.rules.reports.periods import Cells
from dispatch.services.access import policies, reach

MOST_DAYS: Final = 1_100
FIRST_YEAR: Final = 2000
LAST_YEAR: Final = 2199
OF_TEAMS: Final = ("lead_team_id", "accountable_team_id", "performer_id")
"""Columns that a sheet has twice: whose the order is today, and whose it was first."""
ASSIGNED_POLICY: Final = "figures.assigned_by"


class Grouping(StrEnum):
    """By whom or what a report has its rows."""

    TEAM = "team"
    AREA = "area"
    KIND = "kind"
    FIRM = "firm"


def nameless(by: Grouping) -> str:
    """What the row without an id gathers: what has no team, area or firm yet; of kinds all that is confidential."""
    return "保密" if by is Grouping.KIND else "未定"


class AssignedBy(StrEnum):
    """Which team an order is counted for: who leads it, or the block team that is accountable for it."""

    LEAD = "lead"
    ACCOUNTABLE = "accountable"


@dataclass(frozen=True, slots=True)
class ReportQuery:
    """A report: first and last day (of Shanghai), grouping, filters; None is all."""

    begin: date
    end: date
    by: Grouping = Grouping.TEAM
    assigned_by: AssignedBy = AssignedBy.LEAD
    community_id: int | None = None
    area_id: int | None = None
    service_id: int | None = None
    team_id: int | None = None
    performer_id: int | None = None

    @property
    def narrowing(self) -> dict[str, int]:
        """The columns of the totals that the query narrows, beside the community, each with its value."""
        wanted = {
            "area_id": self.area_id,
            "service_id": self.service_id,
            self.team_column: self.team_id,
            "performer_id": self.performer_id,
        }
        return {name: value for name, value in wanted.items() if value is not None}

    @property
    def team_column(self) -> str:
        """The column of the team that orders are counted for."""
        return f"{self.assigned_by}_team_id"

    @property
    def key_column(self) -> str:
        """The column by which the rows are grouped."""
        columns = {Grouping.AREA: "area_id", Grouping.KIND: "service_id", Grouping.FIRM: "performer_id"}
        return columns.get(self.by, self.team_column)

    def within(self, begin: date, end: date) -> "ReportQuery":
        """The same for other days."""
        return replace(self, begin=begin, end=end)


def check_days(query: ReportQuery) -> None:
    """Refuse days the wrong way round, of another century, and more than three years; raises Invalid."""
    if query.begin > query.end:
        raise Invalid("until", "结束日期不能早于开始日期")
    if not FIRST_YEAR <= query.begin.year <= query.end.year <= LAST_YEAR:
        raise Invalid("from", "日期不在合理范围内")
    if query.end - query.begin >= timedelta(days=MOST_DAYS):
        raise Invalid("until", "一次最多统计三年，请缩短日期范围")


def assigned_by(session: Session, actor: Actor) -> AssignedBy:
    """For which team orders are counted where nobody says (policy figures.assigned_by)."""
    if actor.organisation_id is None:
        return AssignedBy.LEAD
    return AssignedBy(policies.policy(session, actor.organisation_id, ASSIGNED_POLICY))


def of_cells(table: type[FigureTotal | HeatTotal], runs: Sequence[Cells]) -> ColumnElement[bool]:
    """The rows of the totals that make up some days."""
    return or_(
        false(), *(and_(table.grain == str(run.grain), table.first_day.between(run.first, run.last)) for run in runs)
    )


def kept_by(query: ReportQuery, actor: Actor, columns: Iterable[str]) -> ColumnElement[bool]:
    """The fewest rows of the totals that know what is asked for, narrowed by the query, and seen by its reader."""
    own: list[str] = []
    if actor.narrowed:
        own.extend(["area_id"] if actor.areas else [])
        own.extend(f"{part}_team_id" for part in AssignedBy if actor.teams)
        own.extend([] if actor.performer_id is None else ["performer_id"])
    return FigureTotal.kept_by == str(kept_for({*columns, *query.narrowing, *own}))


def narrowed_to(query: ReportQuery, table: type[FigureTotal | OrderCount], teams_of: str = "") -> ColumnElement[bool]:
    """The filters of a query on a table; `teams_of` is the prefix of the columns of teams and performer."""
    columns = table.__table__.c
    own = {f"{teams_of}{name}" if name in OF_TEAMS else name: value for name, value in query.narrowing.items()}
    if query.community_id is not None:
        own["community_id"] = query.community_id
    return and_(True, *(columns[name] == value for name, value in own.items()))  # noqa: FBT003 - SQLAlchemy's empty and_


def in_reach(table: type[Base], actor: Actor, teams_of: str = "") -> ColumnElement[bool]:
    """The rows of totals or sheets that the actor may see: all of the reach, or a narrowed actor's own part.

    Own are the areas, and where the table knows them the teams that lead or are accountable, and the performer.
    """
    reached = reach.visible(table, actor)
    if not actor.narrowed:
        return reached
    columns = table.__table__.c
    parts: list[ColumnElement[Any]] = []
    if actor.areas:
        parts.append(reach.among(columns.area_id, actor.areas))
    if actor.teams and f"{teams_of}lead_team_id" in columns:
        parts.extend(reach.among(columns[f"{teams_of}{part}_team_id"], actor.teams) for part in AssignedBy)
    if actor.performer_id is not None and f"{teams_of}performer_id" in columns:
        parts.append(columns[f"{teams_of}performer_id"] == actor.performer_id)
    return and_(reached, or_(false(), *parts))
