"""What routing must know of performers: the facts of hard filters and score, for many orders at once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.rules.catalogue.papers import days_wanted
from dispatch.rules.orders.decision import PerformerClass, RoutingRequest
from dispatch.rules.orders.panel import Panel
from dispatch.services.access import policies
from dispatch.services.catalogue.roster import Able, Roster, rosters
from dispatch.services.catalogue.versions import Token, tokens

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


Wanted = tuple[Able, datetime | None, datetime | None]
"""Orders alike but for their place: who is able, and the window wanted."""


@dataclass(slots=True)
class Run:
    """What is the same for all orders of one call: the instant, the work of performers, panels of orders alike."""

    now: datetime
    loads: dict[int, Load]
    panels: dict[Wanted, Panel] = field(default_factory=dict)


NO_LOAD = Load()


def performer_panels(
    session: Session,
    requests: Sequence[RoutingRequest],
    *,
    now: datetime,
    pace: Pace | None = None,
    seen: Mapping[int, Token] | None = None,
) -> dict[int, Panel]:
    """For each order (by id) the performers of its class admitted to its community, side by side with their facts.

    At most three queries, whatever the number of orders and performers: versions, what has changed, work; one
    more for the policies of the pace when it is not given and was not read in the last seconds; one less when the
    versions have been read (`seen`). Those out by
    kind or cover are counted only. A named performer is told of whatever they do. Work is seen within the reach
    of the session: the router sees all of it. Source: hotline.md §2 steps 3 and 4.
    """
    communities = {request.community_id for request in requests}
    if seen is None:
        seen = tokens(session, communities)
    known = rosters(session, {community: seen[community] for community in communities if community in seen})
    paces = {community: pace or pace_of(session, community) for community in known}
    run = Run(now, loads_of(session, {one for roster in known.values() for one in roster.ids}, now))
    return {
        request.order_id: panel_for(request, known[request.community_id], run, paces[request.community_id])
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


def panel_for(request: RoutingRequest, roster: Roster, run: Run, pace: Pace) -> Panel:
    """The performers for one order; what orders of the same kind, area and time share is put together once."""
    able = able_for(request, roster)
    alike = (able, request.wanted_from, request.wanted_until)
    panel = run.panels.get(alike)
    if panel is None:
        panel = run.panels[alike] = panel_at_no_place(request, able, run, pace)
    ways = able.ways_to(request.latitude, request.longitude, pace.metres_per_minute)
    return panel._replace(travel_minutes=ways)


def able_for(request: RoutingRequest, roster: Roster) -> Able:
    """Who may do what the order asks for."""
    if request.performer_class is PerformerClass.NAMED:
        return roster.named(request.named_performer_id, request.kind_id, request.area_id)
    teams = frozenset(one for one in (request.speciality_team_id, request.block_team_id) if one is not None)
    return roster.able(request.performer_class, request.kind_id, request.area_id, teams)


def panel_at_no_place(request: RoutingRequest, able: Able, run: Run, pace: Pace) -> Panel:
    """The performers at the time for which the work is wanted, but for their ways."""
    wanted = max(request.wanted_from or run.now, run.now)
    loads = [run.loads.get(one.id, NO_LOAD) for one in able.candidates]
    work = [load.at(request, run.now, pace.minutes_per_job) for load in loads]
    return Panel(
        standing=able.standing_on(request.papers, first_day(request, run.now)),
        failed=able.failures_at(wanted),
        queue_minutes=tuple([minutes for _, minutes in work]),
        travel_minutes=(),
        open_work=tuple([pieces for pieces, _ in work]),
        last_offered=tuple([load.minutes_since_offer for load in loads]),
        out=able.out,
    )


def first_day(request: RoutingRequest, now: datetime) -> date:
    """The first day on which the work may be done: papers must be valid from it to the last."""
    return days_wanted(request.wanted_from, request.wanted_until, now)[0]
