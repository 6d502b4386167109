"""What is due becomes an order when its day comes; duties of one home that fall together share one."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import DispatchError, Invalid
from dispatch.models.care import DutyOrder, DutyPeriod
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.care.sharing import walking_order
from dispatch.rules.care.terms import DUTY_LABELS, IN_PERSON, DutyKind
from dispatch.rules.orders.states import AFTER_WORK, OPEN, OrderState
from dispatch.services import notify, orders
from dispatch.services.access import policies
from dispatch.services.care.cases import Case
from dispatch.services.care.checks import desk_of
from dispatch.services.care.helping import SERVICE_OF, Bench
from dispatch.services.care.periods import subject_of, touch
from dispatch.services.care.placing import phone_of

ORIGIN = "care.duty"
AHEAD = "care.place_days_ahead"
MINUTES = "care.visit_minutes"
UNPLACED, NOBODY = "duty_unplaced", "duty_nobody"
MOST_TRIES = 6

log = structlog.get_logger()

Owed = tuple[Case, DutyPeriod]


class NobodyCanCome(Invalid):
    """这几天没有人能去,请调整帮扶人"""


@dataclass(frozen=True, slots=True)
class Errand:
    """Periods of one home that one order works for; the first of them ends first."""

    parts: tuple[Owed, ...]

    @property
    def case(self) -> Case:
        """The case of the part that ends first."""
        return self.parts[0][0]

    @property
    def main(self) -> DutyPeriod:
        """The period that ends first."""
        return self.parts[0][1]

    @property
    def kind(self) -> DutyKind:
        """What the order is of."""
        return self.case.kind_of(self.main)


def place_due(session: Session, cases: Sequence[Case], bench: Bench, *, now: datetime) -> int:
    """Place the orders of what is due in the coming days and has none; how many were placed.

    One that cannot be placed raises its alarm and stops no other; it is tried again with the next run.
    """
    if not cases:
        return 0
    community_id = cases[0].enrolment.community_id
    values = policies.policies(session, community_id, (AHEAD, MINUTES))
    errands = on_the_way(errands_of(session, cases, ahead=timedelta(days=int(values[AHEAD])), now=now), bench)
    tries = tries_of(session, [errand.main.id for errand in errands])
    return sum(
        place_alone(session, errand, bench, tries[errand.main.id], int(values[MINUTES]), now=now) for errand in errands
    )


def on_the_way(errands: Sequence[Errand], bench: Bench) -> list[Errand]:
    """The errands of each helper in walking order from their home, so that their times rise along the way."""
    of_helper: dict[int, list[Errand]] = defaultdict(list)
    for errand in errands:
        of_helper[errand.main.helper_id or 0].append(errand)
    ordered = []
    for helper_id, own in sorted(of_helper.items()):
        helper, points = bench.helpers.get(helper_id), [one.case.home.point for one in own if one.case.home is not None]
        if helper is None or len(points) < len(own):
            ordered += own
        else:
            ordered += [own[place] for place in walking_order((helper.latitude, helper.longitude), points)]
    return ordered


def errands_of(session: Session, cases: Sequence[Case], *, ahead: timedelta, now: datetime) -> list[Errand]:
    """What is to be placed now, by home: calls on their day, visits some days ahead and several in one."""
    today, busy = clock.today(now), under_way(session, cases)
    due: dict[tuple[int, bool], list[Owed]] = defaultdict(list)
    for case in cases:
        if case.home is None or case.enrolment.ends_on is not None:
            continue
        for kind, period in case.due():
            if period.id not in busy and period.starts_on <= today + ahead and not case.is_away(today):
                due[case.home.household_id, kind in IN_PERSON].append((case, period))
    errands = []
    for (_, in_person), parts in sorted(due.items()):
        parts.sort(key=lambda part: (part[1].until, part[1].id))
        soon = [part for part in parts if part[1].planned_on <= today + (ahead if in_person else timedelta())]
        if in_person and soon:
            errands.append(
                Errand((*soon, *[part for part in parts if part not in soon and part[1].starts_on <= today]))
            )
        elif soon:
            errands += [Errand((part,)) for part in soon]
    return errands


def under_way(session: Session, cases: Iterable[Case]) -> frozenset[int]:
    """The periods for which somebody is sent already."""
    ids = [period.id for case in cases for _, period in case.due()]
    query = select(DutyOrder.period_id).where(DutyOrder.period_id.in_(ids), DutyOrder.outcome == "under_way")
    return frozenset(session.scalars(query))


def sent_for(session: Session, cases: Iterable[Case]) -> list[DutyPeriod]:
    """The periods for which somebody is sent, also those that are over."""
    ids = [duty_id for case in cases for duty_id in case.duties]
    query = select(DutyPeriod).join(DutyOrder, DutyOrder.period_id == DutyPeriod.id)
    return list(session.scalars(query.where(DutyPeriod.duty_id.in_(ids), DutyOrder.outcome == "under_way")))


def tries_of(session: Session, period_ids: Sequence[int]) -> Counter[int]:
    """How many orders a period has had."""
    query = select(DutyOrder.period_id, func.count()).where(DutyOrder.period_id.in_(period_ids))
    return Counter(dict(session.execute(query.group_by(DutyOrder.period_id)).all()))


def place_alone(session: Session, errand: Errand, bench: Bench, tries: int, minutes: int, *, now: datetime) -> int:
    """Place one order under a savepoint; a failure becomes an alarm that stays until it is cured."""
    if tries >= MOST_TRIES:
        return 0
    try:
        with session.begin_nested():
            place_one(session, errand, bench, tries, minutes, now=now)
    except NobodyCanCome:
        alarm(session, NOBODY, errand, {"duty": str(errand.kind)})
        return 0
    except (DispatchError, IntegrityError, DataError) as error:
        log.warning("duty_not_placed", period_id=errand.main.id, error=type(error).__name__)
        alarm(session, UNPLACED, errand, {"error": type(error).__name__})
        return 0
    notify.clear_alarms(session, subject=subject_of(errand.main), kinds=(UNPLACED, NOBODY), now=now)
    return 1


def alarm(session: Session, kind: str, errand: Errand, facts: dict[str, str | int]) -> None:
    """Say that nobody is on the way for a period."""
    community_id, facts = errand.case.enrolment.community_id, facts | {"enrolment": errand.case.enrolment.id}
    subject = subject_of(errand.main)
    notify.raise_alarm(session, kind=kind, subject=subject, level="warning", community_id=community_id, facts=facts)


def place_one(session: Session, errand: Errand, bench: Bench, tries: int, minutes: int, *, now: datetime) -> int:
    """Place the order of an errand for its helper, else for another who can come; returns its id."""
    helper_id, window = who_and_when(errand, bench, minutes, now=now)
    case, home = errand.case, errand.case.home
    person = case.people[0] if case.people else None
    if home is None or person is None:
        raise Invalid("household_id", "没有登记住址或住的人,请先在居民台账里补上")
    labels = dict.fromkeys(DUTY_LABELS[one.kind_of(period)] for one, period in errand.parts)
    draft = orders.OrderDraft(
        description="、".join(labels),
        service_code=SERVICE_OF[errand.kind],
        stairwell_id=home.stairwell_id,
        room=home.room,
        caller_name=person.name,
        caller_phone=phone_of(person),
        caller_resident_id=person.id,
        wanted_from=window[0],
        wanted_until=window[1],
        source="programme",
        origin=ORIGIN,
        origin_id=errand.main.id,
        occasion=str(tries + 1),
        organisation_id=desk_of(session, case.enrolment.community_id),
        named_performer_id=helper_id,
    )
    order_id = orders.receive(session, draft, actor=SYSTEM, now=now).id
    for one, period in errand.parts:
        period.helper_id = helper_id
        touch(period, now=now)
        session.add(DutyOrder(order_id=order_id, period_id=period.id, community_id=one.enrolment.community_id))
    session.flush()
    return order_id


def who_and_when(errand: Errand, bench: Bench, minutes: int, *, now: datetime) -> tuple[int, tuple[datetime, datetime]]:
    """The helper and the window: who is asked already when they can, else the next best; raises NobodyCanCome."""
    today = clock.today(now)
    tried: set[int] = set()
    helper_id = errand.main.helper_id
    if helper_id is None or not bench.can(helper_id, max(today, errand.main.planned_on)):
        helper_id = bench.choose(errand.case, errand.kind, max(today, errand.main.planned_on))
    while helper_id is not None:
        window = bench.window(helper_id, errand.main, minutes, now=now, today=today)
        if window is not None:
            return helper_id, window
        tried.add(helper_id)
        helper_id = bench.choose(errand.case, errand.kind, errand.main.until, tried)
    raise NobodyCanCome("helper_id")


def withdraw(session: Session, periods: Iterable[DutyPeriod], *, reason: str, now: datetime) -> int:
    """Withdraw the orders that work for nothing but these periods, unless the work is done; how many."""
    of_id = {period.id: period for period in periods}
    rows = session.scalars(
        select(DutyOrder).where(DutyOrder.period_id.in_(of_id), DutyOrder.outcome == "under_way").with_for_update()
    ).all()
    order_ids = {one.order_id for one in rows}
    others = select(DutyOrder.order_id, DutyOrder.period_id).where(DutyOrder.order_id.in_(order_ids))
    shared = {order_id for order_id, period_id in session.execute(others) if period_id not in of_id}
    for one in rows:
        one.outcome = "failed"
        touch(of_id[one.period_id], now=now)
    withdrawn = 0
    for order_id in sorted(order_ids - shared):
        order: Order = orders.lock(session, order_id)
        if OrderState(order.state) in OPEN - AFTER_WORK:
            orders.void(session, order, reason=reason, actor=SYSTEM, now=now)
            withdrawn += 1
    session.flush()
    return withdrawn
