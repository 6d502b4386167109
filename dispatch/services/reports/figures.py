"""Reports over the maintained totals: a sum of few rows by group, with the period before, and trends."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.models.access import Organisation
from dispatch.models.catalogue import Coverage, Performer, PerformerService, Service, Team
from dispatch.models.grid import Area, Building, Household, Resident, Stairwell
from dispatch.models.reports import FigureTotal
from dispatch.rules.access.roles import Actor
from dispatch.rules.reports.counts import MEASURES, NOTHING_COUNTED, Counts
from dispatch.rules.reports.figures import PRACTICE, Figure, Value, Weights, fairness, figures_of, per_ten_thousand
from dispatch.rules.reports.keeping import KNOWN, Kept
from dispatch.rules.reports.periods import COARSE_TO_FINE, cells, period_before, step_of_trend, steps_of
from dispatch.services.access import policies, reach
from dispatch.services.reports.asking import Grouping, ReportQuery, check_days, in_reach, kept_by, narrowed_to, of_cells

WEIGHT_POLICIES: Final = (
    "figures.weight.response",
    "figures.weight.solved",
    "figures.weight.satisfied",
    "figures.basically_satisfied",
)
SUMS: Final = tuple(func.sum(FigureTotal.__table__.c[name]).label(name) for name in MEASURES)


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One team, area, kind or firm with its counts; id None gathers what has none (asking.nameless says what)."""

    id: int | None
    name: str
    counts: Counts


@dataclass(frozen=True, slots=True)
class Report:
    """A report: its rows, their sum, the same of the period before, and what the figures need beside counts."""

    query: ReportQuery
    rows: Sequence[ReportRow]
    total: Counts
    before_days: tuple[date, date]
    before: Counts
    weights: Weights
    residents: Mapping[int | None, int]
    evenness: Value

    def figures(self, row: ReportRow | None = None) -> dict[Figure, Value]:
        """Every figure of a row, or of the whole; 万人诉求比 of an area by its own residents."""
        counts = self.total if row is None else row.counts
        found = figures_of(counts, self.weights)
        if row is None:
            found[Figure.FAIRNESS] = self.evenness
            found[Figure.PER_TEN_THOUSAND] = per_ten_thousand(counts.placed, self.residents.get(None, 0))
        elif self.query.by is Grouping.AREA:
            found[Figure.PER_TEN_THOUSAND] = per_ten_thousand(counts.placed, self.residents.get(row.id or 0, 0))
        return found

    def figures_before(self) -> dict[Figure, Value]:
        """The figures of the period before."""
        return figures_of(self.before, self.weights) | {
            Figure.PER_TEN_THOUSAND: per_ten_thousand(self.before.placed, self.residents.get(None, 0))
        }


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a trend: its first and last day and its counts."""

    first: date
    last: date
    counts: Counts


def report(session: Session, query: ReportQuery, *, actor: Actor) -> Report:
    """The report of some days by group, in a fixed number of queries; raises Invalid for wrong days."""
    check_days(query)
    earlier = period_before(query.begin, query.end)
    counted, before = counts_by(session, query, earlier, actor=actor)
    names = names_of(session, query.by, counted)
    rows = [ReportRow(key, names.get(key or 0, ""), counts) for key, counts in counted.items()]
    return Report(
        query=query,
        rows=sorted(rows, key=lambda row: (row.id is None, -row.counts.placed, row.name, row.id or 0)),
        total=sum(counted.values(), NOTHING_COUNTED),
        before_days=earlier,
        before=before,
        weights=weights_of(session, actor),
        residents=residents_of(session, query, actor=actor),
        evenness=evenness_of(session, query, actor=actor),
    )


def counts_by(
    session: Session, query: ReportQuery, earlier: tuple[date, date], *, actor: Actor
) -> tuple[dict[int | None, Counts], Counts]:
    """The counts of each group, and of all groups in the days before, in one query over months, weeks, days."""
    key = FigureTotal.__table__.c[query.key_column].label("key")
    is_before = (FigureTotal.first_day < query.begin).label("is_before")
    asked = (
        select(key, is_before, *SUMS)
        .where(
            in_reach(FigureTotal, actor),
            kept_by(query, actor, [query.key_column]),
            narrowed_to(query, FigureTotal),
            of_cells(FigureTotal, [*cells(*earlier), *cells(query.begin, query.end)]),
        )
        .group_by(key, is_before)
    )
    found: dict[int | None, Counts] = {}
    before = NOTHING_COUNTED
    for row in session.execute(asked).mappings():
        counts = Counts.of(dict(row))
        if row["is_before"]:
            before += counts
        elif counts != NOTHING_COUNTED:
            found[row["key"]] = counts
    return found, before


def names_of(session: Session, by: Grouping, ids: Mapping[int | None, Counts]) -> dict[int, str]:
    """What the groups are called."""
    tables: dict[Grouping, type[Team | Area | Service | Performer]] = {
        Grouping.TEAM: Team,
        Grouping.AREA: Area,
        Grouping.KIND: Service,
        Grouping.FIRM: Performer,
    }
    table = tables[by]
    asked = select(table.id, table.name).where(table.id.in_([one for one in ids if one is not None]))
    return {identity: name for identity, name in session.execute(asked)}  # noqa: C416 - the types of a row


def weights_of(session: Session, actor: Actor) -> Weights:
    """The weights of the score as the reader's organisation has decided them."""
    if actor.organisation_id is None:
        return PRACTICE
    values = policies.policies(session, actor.organisation_id, WEIGHT_POLICIES)
    return Weights.of(*(values[key] for key in WEIGHT_POLICIES))


def residents_of(session: Session, query: ReportQuery, *, actor: Actor) -> dict[int | None, int]:
    """Registered residents by area, and of all that the query covers (None); only those that live here now."""
    asked = (
        select(Building.area_id, func.count())
        .select_from(Resident)
        .outerjoin(Household, Household.id == Resident.household_id)
        .outerjoin(Stairwell, Stairwell.id == Household.stairwell_id)
        .outerjoin(Building, Building.id == Stairwell.building_id)
        .where(reach.visible(Resident, actor), Resident.left_at.is_(None))
        .group_by(Building.area_id)
    )
    if query.community_id is not None:
        asked = asked.where(Resident.community_id == query.community_id)
    if query.area_id is not None:
        asked = asked.where(Building.area_id == query.area_id)
    if actor.narrowed:
        asked = asked.where(reach.among(Building.__table__.c.area_id, actor.areas))
    by_area = dict(session.execute(asked).all())
    known: dict[int | None, int] = {area: number for area, number in by_area.items() if area is not None}
    return known | {None: sum(by_area.values())}


def evenness_of(session: Session, query: ReportQuery, *, actor: Actor) -> Value:
    """How evenly finished work lies on the firms that may do it."""
    table = FigureTotal.__table__.c
    asked = (
        select(table.service_id, table.performer_id, func.sum(table.finished))
        .where(
            in_reach(FigureTotal, actor),
            kept_by(query, actor, KNOWN[Kept.WORK]),
            narrowed_to(query, FigureTotal),
            of_cells(FigureTotal, cells(query.begin, query.end)),
            table.performer_id.is_not(None),
            table.service_id.is_not(None),
            table.finished > 0,
        )
        .group_by(table.service_id, table.performer_id)
    )
    kept: dict[int, dict[int, int]] = {}
    for kind, firm, finished in session.execute(asked):
        kept.setdefault(kind, {})[firm] = int(finished)
    return fairness(kept, capacities(session, sorted(kept), query, actor=actor))


def capacities(
    session: Session, kinds: Sequence[int], query: ReportQuery, *, actor: Actor
) -> dict[int, dict[int, int]]:
    """The capacity of each firm by the kinds that it may do here today."""
    admitted = (
        select(Coverage.performer_id, Coverage.service_id)
        .where(reach.visible(Coverage, actor))
        .where(Coverage.community_id == query.community_id if query.community_id is not None else Coverage.id > 0)
        .distinct()
        .subquery()
    )
    asked = (
        select(PerformerService.service_id, Performer.id, Performer.capacity)
        .join(Performer, Performer.id == PerformerService.performer_id)
        .join(admitted, admitted.c.performer_id == Performer.id)
        .where(
            PerformerService.service_id.in_(kinds),
            Performer.kind == "firm",
            Performer.is_active,
            func.coalesce(admitted.c.service_id, PerformerService.service_id) == PerformerService.service_id,
        )
    )
    found: dict[int, dict[int, int]] = {}
    for kind, firm, capacity in session.execute(asked):
        found.setdefault(kind, {})[firm] = capacity
    return found


def trend(session: Session, query: ReportQuery, *, actor: Actor) -> list[Step]:
    """The counts of each step of the days, in one query: by day up to a month, by week up to half a year, by month."""
    check_days(query)
    grain = step_of_trend(query.begin, query.end)
    steps = steps_of(query.begin, query.end, grain)
    runs = cells(query.begin, query.end, COARSE_TO_FINE[COARSE_TO_FINE.index(grain) :])
    asked = (
        select(FigureTotal.first_day, *SUMS)
        .where(
            in_reach(FigureTotal, actor),
            kept_by(query, actor, []),
            narrowed_to(query, FigureTotal),
            of_cells(FigureTotal, runs),
        )
        .group_by(FigureTotal.first_day)
    )
    found = [(row["first_day"], Counts.of(dict(row))) for row in session.execute(asked).mappings()]
    return [
        Step(first, last, sum((counts for day, counts in found if first <= day <= last), NOTHING_COUNTED))
        for first, last in steps
    ]


def communities_of(session: Session, actor: Actor) -> list[tuple[int, str]]:
    """The communities that the actor may choose from."""
    asked = (
        select(Organisation.id, Organisation.name)
        .where(Organisation.kind == "community", ~Organisation.is_hidden)
        .order_by(Organisation.id)
    )
    if not actor.scope.everything:
        asked = asked.where(Organisation.id.in_(actor.scope.communities))
    return [(identity, name) for identity, name in session.execute(asked)]
