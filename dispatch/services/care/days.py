"""A helper's day in walking order, and the helpers of a community with their leaves and what they have to do."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from dispatch.errors import NotFound
from dispatch.models.care import Duty, DutyOrder, DutyPeriod, Enrolment, HelperLeave, PairedHelper
from dispatch.models.catalogue import Performer
from dispatch.models.grid import Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.sharing import day_order, metres
from dispatch.rules.care.terms import DutyKind, PeriodState
from dispatch.rules.orders.states import AFTER_WORK, OPEN
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services.access import reach
from dispatch.services.care import cases, part
from dispatch.services.care.cases import Case, Home
from dispatch.services.care.handing import helper_seen
from dispatch.services.care.helping import SERVICE_OF, bench_of
from dispatch.services.care.placing import ORIGIN as PLANNED


@dataclass(frozen=True, slots=True)
class Stop:
    """A home of a day: who lives there, what is owed or planned there, when, and how far from the stop before."""

    home: Home
    people: Sequence[Resident]
    kinds: tuple[DutyKind, ...]
    wanted_from: datetime | None
    wanted_until: datetime | None
    order: str | None
    metres: int
    chores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """The order of a day for a period: its number and its window."""

    order: str
    wanted_from: datetime | None
    wanted_until: datetime | None


@dataclass(frozen=True, slots=True)
class HelperRow:
    """A helper, who it is in the register, how many are paired with them, what is due, and when they are on leave."""

    helper: Performer
    resident: str | None
    paired: int
    due: int
    leaves: Sequence[HelperLeave]


def day_of(session: Session, performer_id: int, day: date, *, actor: Actor) -> list[Stop]:
    """The homes to which a helper is to go on a day, by their times, else in walking order; raises NotFound.

    A performer sees their own day only.
    """
    if actor.narrowed and actor.performer_id != performer_id:
        raise NotFound
    helper = helper_seen(session, performer_id, actor=actor)
    asked = asked_on(session, performer_id, day)
    found = cases.load(session, owners(session, performer_id, day, asked))
    stops = with_chores(homes_of_day(found, performer_id, day, asked), chores_on(session, performer_id, day))
    here, ordered = (helper.latitude, helper.longitude), []
    for place in day_order(here, [(stop.home.point, stop.wanted_from) for stop in stops]):
        ordered.append(replace(stops[place], metres=metres(here, stops[place].home.point)))
        here = stops[place].home.point
    return ordered


def next_day_of(session: Session, performer_id: int, after: date) -> date | None:
    """The next day for which a helper has something planned: a duty, or a planned visit or chore."""
    planned = (DutyPeriod.helper_id == performer_id, DutyPeriod.planned_on > after)
    duty = select(func.min(DutyPeriod.planned_on)).where(DutyPeriod.state == PeriodState.DUE, *planned)
    ends = datetime.combine(after, time(), SHANGHAI) + timedelta(days=1)
    named = (Order.origin == PLANNED, Order.named_performer_id == performer_id, Order.state.in_(OPEN - AFTER_WORK))
    chore = session.scalars(select(func.min(Order.wanted_from)).where(*named, Order.wanted_from >= ends)).one()
    days = (session.scalars(duty).one(), chore.astimezone(SHANGHAI).date() if chore is not None else None)
    return min((day for day in days if day is not None), default=None)


@dataclass(frozen=True, slots=True)
class Chore:
    """A planned visit of a day: where, for whom, what, when, by which order."""

    home: Home
    person: Resident
    words: str
    asked: Asked


def chores_on(session: Session, performer_id: int, day: date) -> list[Chore]:
    """The planned visits and chores of a day for which a helper is named, by time."""
    begins = datetime.combine(day, time(), SHANGHAI)
    rows = session.execute(
        select(Order, Resident)
        .join(Resident, Resident.id == Order.caller_resident_id)
        .where(
            Order.origin == PLANNED,
            Order.named_performer_id == performer_id,
            Order.state.in_(OPEN - AFTER_WORK),
            Order.wanted_from >= begins,
            Order.wanted_from < begins + timedelta(days=1),
        )
        .order_by(Order.wanted_from, Order.id)
    ).all()
    homes = cases.homes_of(session, {person.household_id or 0 for _, person in rows})
    return [
        Chore(home, person, order.description, Asked(order.number, order.wanted_from, order.wanted_until))
        for order, person in rows
        if (home := homes.get(person.household_id or 0)) is not None
    ]


def with_chores(stops: Sequence[Stop], chores: Sequence[Chore]) -> list[Stop]:
    """The stops of a day with the chores at their homes; a home with nothing but chores is a stop of its own."""
    found = {stop.home.household_id: stop for stop in stops}
    for chore in chores:
        known = found.get(chore.home.household_id)
        if known is None:
            asked = chore.asked
            known = Stop(chore.home, (chore.person,), (), asked.wanted_from, asked.wanted_until, asked.order, 0)
        found[chore.home.household_id] = replace(known, chores=(*known.chores, chore.words))
    return list(found.values())


def asked_on(session: Session, performer_id: int, day: date) -> dict[int, Asked]:
    """The periods for which a helper has an order of that day."""
    begins = datetime.combine(day, time(), SHANGHAI)
    rows = session.execute(
        select(DutyOrder.period_id, Order.number, Order.wanted_from, Order.wanted_until)
        .join(Order, Order.id == DutyOrder.order_id)
        .where(
            DutyOrder.outcome == "under_way",
            Order.named_performer_id == performer_id,
            Order.wanted_from >= begins,
            Order.wanted_from < begins + timedelta(days=1),
        )
    )
    return {row[0]: Asked(row[1], row[2], row[3]) for row in rows}


def owners(session: Session, performer_id: int, day: date, asked: Collection[int]) -> list[int]:
    """The enrolments to which a day's work belongs: what has an order of that day, or is planned for it."""
    query = (
        select(Duty.enrolment_id)
        .join(DutyPeriod, DutyPeriod.duty_id == Duty.id)
        .where(
            DutyPeriod.state == PeriodState.DUE,
            or_(
                DutyPeriod.id.in_(asked),
                (DutyPeriod.helper_id == performer_id) & (DutyPeriod.planned_on == day),
            ),
        )
        .distinct()
    )
    return sorted(session.scalars(query))


def homes_of_day(found: Sequence[Case], performer_id: int, day: date, asked: Mapping[int, Asked]) -> list[Stop]:
    """The homes of a day, each once with all that is due there."""
    parts: dict[int, list[tuple[Case, DutyKind, DutyPeriod]]] = defaultdict(list)
    for case in found:
        for kind, period in case.due():
            planned = period.helper_id == performer_id and period.planned_on == day
            if case.home is not None and (period.id in asked or planned):
                parts[case.home.household_id].append((case, kind, period))
    return [stop_of(rows, asked) for rows in parts.values()]


def stop_of(rows: Sequence[tuple[Case, DutyKind, DutyPeriod]], asked: Mapping[int, Asked]) -> Stop:
    """A home with all that is due there."""
    home = rows[0][0].home
    if home is None:
        raise ValueError("a stop needs a home")
    order = next((asked[period.id] for _, _, period in rows if period.id in asked), None)
    people = {person.id: person for case, _, _ in rows for person in case.people}
    return Stop(
        home=home,
        people=tuple(people.values()),
        kinds=tuple(dict.fromkeys(kind for _, kind, _ in rows)),
        wanted_from=order.wanted_from if order else None,
        wanted_until=order.wanted_until if order else None,
        order=order.order if order else None,
        metres=0,
    )


def list_helpers(session: Session, *, actor: Actor, today: date) -> list[HelperRow]:
    """The helpers in reach who are paired with somebody, asked for something or on leave, by name."""
    paired = dict(
        session.execute(
            select(PairedHelper.performer_id, func.count())
            .join(Enrolment, Enrolment.id == PairedHelper.enrolment_id)
            .where(part.visible(PairedHelper, actor), PairedHelper.ends_on.is_(None), Enrolment.ends_on.is_(None))
            .group_by(PairedHelper.performer_id)
        ).all()
    )
    due = dict(
        session.execute(
            select(DutyPeriod.helper_id, func.count())
            .where(
                part.visible(DutyPeriod, actor),
                DutyPeriod.state == PeriodState.DUE,
                DutyPeriod.helper_id.is_not(None),
            )
            .group_by(DutyPeriod.helper_id)
        ).all()
    )
    leaves: dict[int, list[HelperLeave]] = defaultdict(list)
    current = select(HelperLeave).where(
        reach.visible(HelperLeave, actor), or_(HelperLeave.until.is_(None), HelperLeave.until >= today)
    )
    for leave in session.scalars(current.order_by(HelperLeave.starts_on)):
        leaves[leave.performer_id].append(leave)
    helpers = session.execute(
        select(Performer, Resident.name)
        .outerjoin(Resident, Resident.id == Performer.resident_id)
        .where(Performer.id.in_({*paired, *due, *leaves}))
        .order_by(Performer.name, Performer.id)
    )
    return [
        HelperRow(one, resident, paired.get(one.id, 0), due.get(one.id, 0), leaves[one.id]) for one, resident in helpers
    ]


def able_helpers(session: Session, community_id: int) -> list[Performer]:
    """The helpers and workers of a community in use, by name."""
    query = select(Performer).where(
        Performer.community_id == community_id, Performer.kind != "firm", Performer.is_active
    )
    return list(session.scalars(query.order_by(Performer.name, Performer.id)))


def able_at(session: Session, case: Case, *, today: date) -> dict[DutyKind, list[Performer]]:
    """Who may be asked for each duty of a case: who makes it in that area and is there today, by name."""
    if case.home is None:
        return {}
    bench, area_id = bench_of(session, case.enrolment.community_id, today=today), case.home.area_id
    return {
        DutyKind(duty.kind): sorted(
            (one for one in bench.able(SERVICE_OF[DutyKind(duty.kind)], area_id) if bench.can(one.id, today)),
            key=lambda one: (one.name, one.id),
        )
        for duty in case.duties.values()
    }


@dataclass(frozen=True, slots=True)
class HomePage:
    """A home to be recorded at: who lives there, what is due, and one of its enrolments."""

    home: Home
    people: Sequence[Resident]
    kinds: tuple[DutyKind, ...]
    community_id: int
    enrolment_id: int


def home_page(session: Session, household_id: int, *, actor: Actor) -> HomePage:
    """A home with somebody enrolled; raises NotFound out of reach, and for one that is no part of the actor's."""
    ids = cases.enrolments_at(session, household_id)
    found = [case for case in cases.load(session, ids) if is_seen(case, actor)]
    home = found[0].home if found else None
    if home is None:
        raise NotFound
    people = {person.id: person for case in found for person in case.people}
    kinds = tuple(dict.fromkeys(kind for case in found for kind, _ in case.due()))
    return HomePage(home, tuple(people.values()), kinds, found[0].enrolment.community_id, found[0].enrolment.id)


def is_seen(case: Case, actor: Actor) -> bool:
    """Whether a case is in reach: of a performer those paired with them or for which they are asked."""
    if not actor.scope.everything and case.enrolment.community_id not in actor.scope.communities:
        return False
    if not actor.narrowed:
        return True
    if case.home is not None and case.home.area_id in actor.areas:
        return True
    own = actor.performer_id
    asked = any(period.helper_id == own for _, period in case.due())
    return own is not None and (asked or any(one.performer_id == own for one in case.paired))
