"""The performers of a community as a process has read them, kept until its catalogue changes."""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from threading import Lock
from typing import Any, ClassVar
from weakref import WeakKeyDictionary

from sqlalchemy import text
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from dispatch.rules.catalogue.calendar import WeeklyPeriods, on_shift
from dispatch.rules.catalogue.papers import NEVER, valid_until
from dispatch.rules.orders.decision import PerformerClass
from dispatch.rules.orders.panel import Standing, known_failures, standing
from dispatch.rules.orders.routing import travel_minutes
from dispatch.services.catalogue.shifts import weekly
from dispatch.services.catalogue.versions import Token

MOST_DAYS = 400
MOST_PLACES = 1_000
MOST_ROSTERS = 64
"""Communities whose performers are kept per database; the longest unused goes first."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One performer with all that does not change from order to order.

    `papers` are (kind, first day, last day); `cover` are (area or None for all, service or None for all).
    """

    id: int
    version: int
    kind: str
    team_id: int | None
    latitude: float
    longitude: float
    capacity: int
    satisfaction_permille: int
    suspended_until: datetime | None
    shifts: WeeklyPeriods
    services: frozenset[int]
    cover: frozenset[tuple[int | None, int | None]]
    papers: tuple[tuple[str, date, date], ...]

    def covers(self, area_id: int, service_id: int) -> bool:
        """Whether the performer is admitted to this area for this kind."""
        return not self.cover.isdisjoint(((None, None), (area_id, None), (None, service_id), (area_id, service_id)))

    def papers_valid_until(self, needed: frozenset[str], day: date) -> date | None:
        """The last day until which every paper held or needed is valid from `day` on; a firm without any: never."""
        until = valid_until(self.papers, needed, day)
        return NEVER if until is None and self.kind == PerformerClass.FIRM else until


@dataclass(frozen=True, eq=False, slots=True)
class Able:
    """Those of a community who may do a kind in an area; what follows from them alone is worked out once and kept.

    `serves` and `covers` are true of everybody but a named performer; `out` are the others of the class.
    """

    candidates: tuple[Candidate, ...]
    serves: tuple[bool, ...]
    covers: tuple[bool, ...]
    out: int = 0
    standings: dict[tuple[frozenset[str], date], Standing] = field(default_factory=dict)
    ways: dict[tuple[float, float, int], tuple[int, ...]] = field(default_factory=dict)

    def standing_on(self, needed: frozenset[str], day: date) -> Standing:
        """Their lasting facts, the papers held and needed as seen from a day."""
        known = self.standings.get((needed, day))
        if known is None:
            known = standing(
                [one.id for one in self.candidates],
                [one.version for one in self.candidates],
                [one.papers_valid_until(needed, day) for one in self.candidates],
                [one.satisfaction_permille for one in self.candidates],
                [one.capacity for one in self.candidates],
            )
            if len(self.standings) >= MOST_DAYS:
                self.standings.clear()
            self.standings[needed, day] = known
        return known

    def failures_at(self, wanted: datetime) -> int:
        """Which filters fail at a time whatever the order: shift and suspension, and a named one's kind and cover."""
        return known_failures(
            self.serves,
            self.covers,
            (on_shift(one.shifts, wanted) for one in self.candidates),
            (one.suspended_until is not None and one.suspended_until > wanted for one in self.candidates),
        )

    def ways_to(self, latitude: float | None, longitude: float | None, metres_per_minute: int) -> tuple[int, ...]:
        """The minutes of each one's way to a place; no way to a place without coordinates."""
        if latitude is None or longitude is None:
            return (0,) * len(self.candidates)
        key = (latitude, longitude, metres_per_minute)
        known = self.ways.get(key)
        if known is None:
            place = (latitude, longitude)
            known = tuple(
                [travel_minutes((one.latitude, one.longitude), place, metres_per_minute) for one in self.candidates]
            )
            if len(self.ways) >= MOST_PLACES:
                self.ways.clear()
            self.ways[key] = known
        return known


@dataclass(slots=True)
class Roster:
    """The performers admitted to a community, parted by who is able to do what where."""

    candidates: tuple[Candidate, ...]
    parted: dict[tuple[object, ...], Able] = field(default_factory=dict)

    @property
    def ids(self) -> tuple[int, ...]:
        """The ids of all."""
        return tuple(candidate.id for candidate in self.candidates)

    def able(self, performer_class: PerformerClass, service_id: int, area_id: int, team_ids: frozenset[int]) -> Able:
        """Those of a class who serve the kind in the area."""
        key = (performer_class, service_id, area_id, team_ids)
        if key not in self.parted:
            of_class = [one for one in self.candidates if one.kind == performer_class]
            able = tuple(
                one
                for one in of_class
                if service_id in one.services and one.covers(area_id, service_id) and self.is_of_team(one, team_ids)
            )
            everybody = (True,) * len(able)
            self.parted[key] = Able(able, everybody, everybody, len(of_class) - len(able))
        return self.parted[key]

    def named(self, performer_id: int | None, service_id: int, area_id: int) -> Able:
        """One performer alone, whatever the kind and the area."""
        found = tuple(one for one in self.candidates if one.id == performer_id)
        serves = tuple(service_id in one.services for one in found)
        return Able(found, serves, tuple(one.covers(area_id, service_id) for one in found))

    @staticmethod
    def is_of_team(one: Candidate, team_ids: frozenset[int]) -> bool:
        """A team's worker works for its team: the block team of the place or the line team of the kind."""
        return one.kind != "team_worker" or one.team_id is None or not team_ids or one.team_id in team_ids


class Kept:
    """What this process keeps, per database."""

    rosters: ClassVar[WeakKeyDictionary[Engine, OrderedDict[tuple[int, Token], Roster]]] = WeakKeyDictionary()
    lock: ClassVar[Lock] = Lock()


READ = text(
    "SELECT admitted.community_id, performers.id, version, kind, team_id, latitude, longitude, capacity, "
    "satisfaction_permille, suspended_until, shifts, admitted.cover, "
    "served.services, held.paper_kinds, held.first_days, held.last_days FROM performers "
    "LEFT JOIN LATERAL (SELECT array_agg(service_id) AS services FROM performer_services "
    "WHERE performer_id = performers.id) AS served ON true "
    "LEFT JOIN LATERAL (SELECT array_agg(papers.kind ORDER BY id) AS paper_kinds, "
    "array_agg(valid_from ORDER BY id) AS first_days, array_agg(valid_until ORDER BY id) AS last_days "
    "FROM papers WHERE performer_id = performers.id AND given_up_at IS NULL) AS held ON true "
    "JOIN (SELECT community_id, performer_id, "
    "jsonb_agg(jsonb_build_array(area_id, service_id)) AS cover FROM coverages "
    "WHERE community_id = ANY (:communities) GROUP BY community_id, performer_id) AS admitted "
    "ON admitted.performer_id = performers.id WHERE performers.is_active ORDER BY performers.id"
)


def rosters(session: Session, tokens: dict[int, Token]) -> dict[int, Roster]:
    """The performers of each of these communities; no query while catalogues stay, else one."""
    engine = session.connection().engine
    with Kept.lock:
        kept = Kept.rosters.setdefault(engine, OrderedDict())
        found = {community: kept[community, token] for community, token in tokens.items() if (community, token) in kept}
        for community in found:
            kept.move_to_end((community, tokens[community]))
    missing = tokens.keys() - found.keys()
    if missing:
        fresh = read(session, missing)
        with Kept.lock:
            for community, roster in fresh.items():
                kept[community, tokens[community]] = roster
            while len(kept) > MOST_ROSTERS:
                kept.popitem(last=False)
        found |= fresh
    return found


def read(session: Session, communities: Iterable[int]) -> dict[int, Roster]:
    """Read the performers admitted to these communities."""
    wanted = sorted(communities)
    candidates: dict[int, list[Candidate]] = {community: [] for community in wanted}
    for row in session.execute(READ, {"communities": wanted}):
        candidates[row.community_id].append(candidate(row))
    return {community: Roster(tuple(found)) for community, found in candidates.items()}


def candidate(row: Any) -> Candidate:
    """A row of READ as a value."""
    return Candidate(
        id=row.id,
        version=row.version,
        kind=row.kind,
        team_id=row.team_id,
        latitude=row.latitude,
        longitude=row.longitude,
        capacity=row.capacity,
        satisfaction_permille=row.satisfaction_permille,
        suspended_until=row.suspended_until,
        shifts=weekly(row.shifts),
        services=frozenset(row.services or ()),
        cover=frozenset((area, service) for area, service in row.cover),
        papers=tuple(zip(row.paper_kinds or (), row.first_days or (), row.last_days or (), strict=True)),
    )
