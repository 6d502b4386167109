"""What routing must know of performers: the facts of hard filters and score, for many orders at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.catalogue.calendar import on_shift
from dispatch.rules.orders.decision import PerformerClass, PerformerFacts, RoutingRequest
from dispatch.services.access import policies
from dispatch.services.catalogue.roster import Candidate, Roster, rosters
from dispatch.services.catalogue.versions import tokens

PACE_POLICIES = ("routing.minutes_per_job", "routing.metres_per_minute")

NEVER_OFFERED_MINUTES = 525_600
"""What counts as the time since the last offer for a performer who never got one: a year."""

# Work that waits for its own later time is reserved: it does not make its performer busy now (hotline.md §1).
WORK = text(
    "SELECT performers.id, last_offered_at, work.begins, work.ends, coalesce(work.number, 0) FROM performers "
    "LEFT JOIN (SELECT performer_id, CASE WHEN wanted_from > :now THEN wanted_from END AS begins, "
    "CASE WHEN wanted_from > :now THEN wanted_until END AS ends, count(*) AS number FROM ("
    "SELECT performer_id, wanted_from, wanted_until FROM orders "
    "WHERE state IN ('accepted', 'arrived') AND performer_id = ANY (:ids) UNION ALL "
    "SELECT offer_recipients.performer_id, wanted_from, wanted_until FROM offers "
    "JOIN offer_recipients ON offer_recipients.offer_id = offers.id "
    "JOIN orders ON orders.id = offers.order_id "
    "WHERE offers.closed_at IS NULL AND offer_recipients.outcome = 'open' "
    "AND offers.mode IN ('offer_one', 'offer_first_three') AND offer_recipients.performer_id = ANY (:ids)"
    ") AS pieces GROUP BY 1, 2, 3) AS work ON work.performer_id = performers.id "
    "WHERE performers.id = ANY (:ids)"
)


@dataclass(slots=True)
class Load:
    """What a performer has to do: work of now, and work reserved for a later window."""

    minutes_since_offer: int = NEVER_OFFERED_MINUTES
    open_now: int = 0
    reserved: tuple[tuple[datetime, datetime, int], ...] = ()

    def at(self, request: RoutingRequest, now: datetime, minutes_per_job: int) -> tuple[int, int]:
        """The pieces of work open at the time wanted, and the minutes of queue before it can begin."""
        begins = request.wanted_from
        if begins is None or begins <= now:
            return self.open_now, self.open_now * minutes_per_job
        ends = request.wanted_until or begins + timedelta(minutes=minutes_per_job)
        overlapping = sum(number for first, last, number in self.reserved if first < ends and begins < last)
        busy_until = now + timedelta(minutes=self.open_now * minutes_per_job)
        left = max(0, -(-int((busy_until - begins).total_seconds()) // 60))
        return overlapping + (self.open_now if left else 0), left + overlapping * minutes_per_job


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast work and ways go: the policies routing.minutes_per_job and routing.metres_per_minute."""

    minutes_per_job: int
    metres_per_minute: int


@dataclass(slots=True)
class Run:
    """What is the same for all orders of one call: the instant, the work of performers, who is on shift when."""

    now: datetime
    loads: dict[int, Load]
    shifts: dict[datetime, dict[int, bool]] = field(default_factory=dict)


NO_LOAD = Load()


def performer_facts(
    session: Session, requests: Sequence[RoutingRequest], *, now: datetime, pace: Pace | None = None
) -> dict[int, list[PerformerFacts]]:
    """For each order (by id) the facts of every performer of its class admitted to its community.

    At most three queries, whatever the number of orders and performers: versions, what has changed, work; one
    more for the policies of the pace when it is not given and was not read in the last seconds. Of those out by
    kind or cover only these two facts are told (the decision counts them); all others of them are zero. A named
    performer is told of with all facts. Work is seen within the reach of the session: the router sees all of
    it. Source: hotline.md §2 steps 3 and 4.
    """
    known = rosters(session, tokens(session, {request.community_id for request in requests}))
    paces = {community: pace or pace_of(session, community) for community in known}
    run = Run(now, loads_of(session, {one for roster in known.values() for one in roster.ids}, now))
    return {
        request.order_id: facts_for(request, known[request.community_id], run, paces[request.community_id])
        for request in requests
        if request.community_id in known
    }


def pace_of(session: Session, organisation_id: int) -> Pace:
    """The pace that the policies of an organisation have."""
    values = policies.policies(session, organisation_id, PACE_POLICIES)
    return Pace(*(int(values[key]) for key in PACE_POLICIES))


def loads_of(session: Session, performer_ids: Iterable[int], now: datetime) -> dict[int, Load]:
    """The work of these performers; one query."""
    loads: dict[int, Load] = {}
    for performer_id, offered, begins, ends, number in session.execute(
        WORK, {"ids": sorted(performer_ids), "now": now}
    ).all():
        load = loads.setdefault(performer_id, Load())
        if offered is not None:
            load.minutes_since_offer = max(0, int((now - offered).total_seconds()) // 60)
        if begins is None:
            load.open_now += number
        else:
            load.reserved = (*load.reserved, (begins, ends, number))
    return loads


def facts_for(request: RoutingRequest, roster: Roster, run: Run, pace: Pace) -> list[PerformerFacts]:
    """The facts for one order."""
    told = Telling(request, roster, run, pace)
    if request.performer_class is PerformerClass.NAMED:
        return [
            told.of(
                one,
                serves=request.kind_id in one.services,
                covers=one.covers(request.area_id, request.kind_id),
            )
            for one in roster.candidates
            if one.id == request.named_performer_id
        ]
    teams = frozenset(one for one in (request.speciality_team_id, request.block_team_id) if one is not None)
    able, others = roster.split(request.performer_class, request.kind_id, request.area_id, teams)
    return [*map(told.of, able), *others]


class Telling:
    """Tells the facts of performers for one order, at the time for which the work is wanted."""

    __slots__ = ("on_shift", "pace", "papers", "request", "run", "wanted", "ways")

    def __init__(self, request: RoutingRequest, roster: Roster, run: Run, pace: Pace) -> None:
        """Look up once what is the same for every performer."""
        self.request = request
        self.run = run
        self.pace = pace
        self.wanted = max(request.wanted_from or run.now, run.now)
        self.on_shift = run.shifts.setdefault(self.wanted, {})
        self.papers = roster.papers_on(work_day(request, run.now))
        self.ways: dict[int, int] = {}
        if request.latitude is not None and request.longitude is not None:
            self.ways = roster.ways_to(request.latitude, request.longitude, pace.metres_per_minute)

    def of(self, one: Candidate, *, serves: bool = True, covers: bool = True) -> PerformerFacts:
        """The facts of one performer; no way to a place without coordinates."""
        if one.id not in self.on_shift:
            self.on_shift[one.id] = on_shift(one.shifts, self.wanted)
        load = self.run.loads.get(one.id, NO_LOAD)
        open_work, queue_minutes = load.at(self.request, self.run.now, self.pace.minutes_per_job)
        return PerformerFacts(
            performer_id=one.id,
            version=one.version,
            serves_kind=serves,
            covers_cell=covers,
            papers_valid_until=self.papers[one.id],
            on_shift=self.on_shift[one.id],
            suspended=one.suspended_until is not None and one.suspended_until > self.wanted,
            open_work=open_work,
            capacity=one.capacity,
            satisfaction_permille=one.satisfaction_permille,
            last_offered_minutes_ago=load.minutes_since_offer,
            queue_minutes=queue_minutes,
            travel_minutes=self.ways.get(one.id, 0),
        )


def work_day(request: RoutingRequest, now: datetime) -> date:
    """The last day on which the work is wanted: papers must be valid on it."""
    return clock.today(request.wanted_until or request.wanted_from or now)
