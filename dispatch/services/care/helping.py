"""Which helper is asked for what: who can do the kind there, who is on leave, who came before, what they have to do."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import func, or_, select, union, union_all
from sqlalchemy.orm import Session

from dispatch.models.care import Condolence, Contact, DutyOrder, DutyPeriod, HelperLeave
from dispatch.models.catalogue import Coverage, Performer, PerformerService, Service
from dispatch.models.orders import Order
from dispatch.rules.care.sharing import Candidate, Leave, choose
from dispatch.rules.care.terms import DutyKind, PeriodState
from dispatch.rules.care.windows import Window, days_by_preference, free_window
from dispatch.services import catalogue
from dispatch.services.care.cases import Case

SERVICE_OF: dict[DutyKind, str] = {
    DutyKind.VISIT: "care_visit",
    DutyKind.GREETING: "greeting_call",
    DutyKind.MONTHLY_VISIT: "return_visit",
    DutyKind.LIVE_TEST: "care_visit",
}
"""The kind of order that a duty becomes; whoever does it is asked: volunteers, party members, community workers."""
OF_DUTIES = frozenset(SERVICE_OF.values())
CONTINUITY = timedelta(days=365)


@dataclass(slots=True)
class Bench:
    """The helpers of a community: what they do where, when they cannot come, whom they know, what they have."""

    helpers: dict[int, Performer] = field(default_factory=dict)
    serving: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    areas: dict[int, set[int | None]] = field(default_factory=lambda: defaultdict(set))
    leaves: dict[int, list[Leave]] = field(default_factory=lambda: defaultdict(list))
    known: Counter[tuple[int, int]] = field(default_factory=Counter)
    load: Counter[int] = field(default_factory=Counter)
    taken: dict[int, list[Window]] = field(default_factory=lambda: defaultdict(list))

    def choose(self, case: Case, kind: DutyKind, day: date, but: Collection[int] = ()) -> int | None:
        """The helper for a duty of a case on a day, counted as having one more to do; None when nobody else can."""
        if case.home is None:
            return None
        home = case.home
        serving = [one for one in self.able(SERVICE_OF[kind], home.area_id) if one.id not in but]
        able = [self.candidate(helper, home.household_id, case.known) for helper in serving]
        chosen = choose(able, day, home.point)
        if chosen is not None:
            self.load[chosen] += 1
        return chosen

    def able(self, code: str, area_id: int) -> list[Performer]:
        """Who does a kind in an area."""
        return [
            helper
            for helper in self.helpers.values()
            if code in self.serving[helper.id] and self.areas[helper.id] & {None, area_id}
        ]

    def candidate(self, helper: Performer, household_id: int, paired: Collection[int]) -> Candidate:
        """A helper as the rule sees them for a home."""
        return Candidate(
            performer_id=helper.id,
            paired=helper.id in paired,
            contacts=self.known[helper.id, household_id],
            load=self.load[helper.id],
            home=(helper.latitude, helper.longitude),
            leaves=tuple(self.leaves[helper.id]),
        )

    def can(self, helper_id: int, day: date) -> bool:
        """Whether a helper is there on a day: in use, and not on leave."""
        return helper_id in self.helpers and not any(one.covers(day) for one in self.leaves[helper_id])

    def window(self, helper_id: int, period: DutyPeriod, minutes: int, *, now: datetime, today: date) -> Window | None:
        """When a helper can come for a period: nearest to the day planned."""
        days = days_by_preference(period.planned_on, max(today, period.starts_on), period.until)
        return self.free(helper_id, days, minutes, not_before=now)

    def free(
        self,
        helper_id: int,
        days: Iterable[date],
        minutes: int,
        *,
        not_before: datetime,
        until: datetime | None = None,
    ) -> Window | None:
        """When a helper can come on the first of these days that has room: in their hours, beside what they have."""
        shifts = catalogue.weekly(self.helpers[helper_id].shifts)
        for day in days:
            found = free_window(day, shifts, self.taken[helper_id], minutes, not_before=not_before)
            if found is not None and self.can(helper_id, day) and (until is None or found[1] <= until):
                self.taken[helper_id].append(found)
                return found
        return None


def bench_of(session: Session, community_id: int, *, today: date, codes: Collection[str] = OF_DUTIES) -> Bench:
    """Who does some of these kinds in a community, with their facts, in as many queries however many they are."""
    bench = Bench()
    rows = session.execute(
        select(Performer, Service.code)
        .join(PerformerService, PerformerService.performer_id == Performer.id)
        .join(Service, Service.id == PerformerService.service_id)
        .where(
            Performer.community_id == community_id,
            Performer.kind != "firm",
            Performer.is_active,
            Service.code.in_(codes),
        )
        .order_by(Performer.id)
    )
    for helper, code in rows:
        bench.helpers[helper.id] = helper
        bench.serving[helper.id].add(code)
    cover = select(Coverage.performer_id, Coverage.area_id).where(
        Coverage.community_id == community_id, Coverage.performer_id.in_(bench.helpers)
    )
    for performer_id, area_id in session.execute(cover):
        bench.areas[performer_id].add(area_id)
    add_times(session, bench, community_id, today=today)
    add_history(session, bench, community_id, today=today)
    return bench


def add_times(session: Session, bench: Bench, community_id: int, *, today: date) -> None:
    """When they are on leave, and when they are asked to be somewhere already."""
    leaves = select(HelperLeave).where(
        HelperLeave.community_id == community_id, or_(HelperLeave.until.is_(None), HelperLeave.until >= today)
    )
    for leave in session.scalars(leaves):
        bench.leaves[leave.performer_id].append(Leave(leave.starts_on, leave.until))
    window = select(Order.named_performer_id, Order.wanted_from, Order.wanted_until)
    of_duties = window.join(DutyOrder, DutyOrder.order_id == Order.id).where(
        DutyOrder.community_id == community_id, DutyOrder.outcome == "under_way"
    )
    of_events = window.join(Condolence, Condolence.order_id == Order.id).where(
        Condolence.community_id == community_id, Condolence.state == "placed"
    )
    for helper_id, begins, ends in session.execute(union(of_duties, of_events)):
        if helper_id is not None and begins is not None and ends is not None:
            bench.taken[helper_id].append((begins, ends))


def away_on(session: Session, performer_ids: Sequence[int], day: date) -> set[int]:
    """Those of some helpers who are on leave on a day, or out of use."""
    leaves = select(HelperLeave.performer_id).where(
        HelperLeave.performer_id.in_(performer_ids),
        HelperLeave.starts_on <= day,
        or_(HelperLeave.until.is_(None), HelperLeave.until >= day),
    )
    unused = select(Performer.id).where(Performer.id.in_(performer_ids), ~Performer.is_active)
    return set(session.scalars(union_all(leaves, unused)))


def add_history(session: Session, bench: Bench, community_id: int, *, today: date) -> None:
    """At which homes they have been in the last year, and what they are asked for."""
    contacts = (
        select(Contact.performer_id, Contact.household_id, func.count())
        .where(Contact.community_id == community_id, Contact.day > today - CONTINUITY, Contact.answered)
        .group_by(Contact.performer_id, Contact.household_id)
    )
    for helper_id, household_id, count in session.execute(contacts):
        if helper_id is not None:
            bench.known[helper_id, household_id] = count
    load = (
        select(DutyPeriod.helper_id, func.count())
        .where(DutyPeriod.community_id == community_id, DutyPeriod.state == PeriodState.DUE)
        .group_by(DutyPeriod.helper_id)
    )
    for helper_id, count in session.execute(load):
        if helper_id is not None:
            bench.load[helper_id] = count


def ask(bench: Bench, case: Case, periods: Sequence[DutyPeriod]) -> None:
    """Give periods without a helper the one who is to come."""
    for period in periods:
        if period.helper_id is None:
            period.helper_id = bench.choose(case, case.kind_of(period), period.planned_on)
