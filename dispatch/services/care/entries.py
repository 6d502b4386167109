"""What a calendar that leaves the house shows: a helper's visits and calls, an elder's monthly visits.

Words are neutral: 上门探访, 电话问候; no name, no room, no illness, no reason. Counselling never stands there.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import CareFeed, Duty, DutyHandover, DutyOrder, DutyPeriod, Enrolment
from dispatch.models.grid import Building, Stairwell
from dispatch.models.orders import Order
from dispatch.rules.care.terms import DutyKind, PeriodState
from dispatch.rules.orders.states import OrderState
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services.care import cases
from dispatch.services.care.placing import ORIGIN as PLANNED

BEHIND, AHEAD = timedelta(days=60), timedelta(days=100)
MOST_EVENTS = 500
VISIT, CALL, DONE = "上门探访", "电话问候", "上门探访(已完成)"
OFF = frozenset({PeriodState.EXCUSED, PeriodState.MISSED})
CALLED_OFF = frozenset({OrderState.VOIDED, OrderState.MERGED, OrderState.ANSWERED})

Window = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Entry:
    """A visit of a calendar: its name never changes, its number grows with every change; all day without a window."""

    uid: str
    words: str
    day: date
    window: Window | None
    sequence: int
    changed_at: datetime
    is_off: bool
    where: str = ""


def of_helper(session: Session, performer_id: int, today: date) -> list[Entry]:
    """What a helper is asked for, and what has been called off or given to others, by day."""
    entries = [*duties_of(session, performer_id, today), *planned_of(session, performer_id, today)]
    return sorted(entries, key=lambda one: (one.day, one.uid))[:MOST_EVENTS]


def duties_of(session: Session, performer_id: int, today: date) -> list[Entry]:
    """The periods for which a helper is or was asked; those that share an order are one visit."""
    handed = select(DutyHandover.period_id).where(DutyHandover.from_id == performer_id)
    newest = (
        select(DutyOrder.period_id, func.max(DutyOrder.order_id).label("order_id"))
        .where(DutyOrder.outcome != "failed")
        .group_by(DutyOrder.period_id)
        .subquery()
    )
    rows = session.execute(
        select(DutyPeriod, Duty.kind, Duty.enrolment_id, Order.id, Order.wanted_from, Order.wanted_until)
        .join(Duty, Duty.id == DutyPeriod.duty_id)
        .outerjoin(newest, newest.c.period_id == DutyPeriod.id)
        .outerjoin(Order, Order.id == newest.c.order_id)
        .where(
            or_(DutyPeriod.helper_id == performer_id, DutyPeriod.id.in_(handed)),
            DutyPeriod.planned_on.between(today - BEHIND, today + AHEAD),
        )
        .order_by(DutyPeriod.planned_on, DutyPeriod.id)
        .limit(MOST_EVENTS)
    ).all()
    places = places_of(session, {row.enrolment_id for row in rows})
    found: dict[object, Entry] = {}
    for period, kind, enrolment_id, order_id, begins, ends in rows:
        own = period.helper_id == performer_id
        entry = entry_of(
            period,
            CALL if kind == DutyKind.GREETING else VISIT,
            window=(begins, ends) if own and begins is not None and ends is not None else None,
            is_off=not own or PeriodState(period.state) in OFF,
            where=places.get(enrolment_id, ""),
        )
        found.setdefault(period.uid if entry.is_off or order_id is None else order_id, entry)
    return list(found.values())


def places_of(session: Session, enrolment_ids: set[int]) -> dict[int, str]:
    """The building and entrance of each enrolment's home; the room is told by the page of the day."""
    return {
        case.enrolment.id: case.home.address.removesuffix(case.home.room)
        for case in cases.load(session, enrolment_ids)
        if case.home is not None
    }


def planned_of(session: Session, performer_id: int, today: date) -> list[Entry]:
    """The orders of planned visits and chores for which a helper is named."""
    first = datetime.combine(today - BEHIND, time(), SHANGHAI)
    rows = session.execute(
        select(Order, Building.address, Stairwell.number)
        .outerjoin(Building, Building.id == Order.building_id)
        .outerjoin(Stairwell, Stairwell.id == Order.stairwell_id)
        .where(
            Order.named_performer_id == performer_id,
            Order.origin == PLANNED,
            Order.wanted_from.between(first, first + BEHIND + AHEAD),
        )
        .order_by(Order.wanted_from, Order.id)
        .limit(MOST_EVENTS)
    ).all()
    return [
        planned_entry(order, order.wanted_from, f"{address or ''}{number}单元" if number else address or "")
        for order, address, number in rows
        if order.wanted_from is not None
    ]


def planned_entry(order: Order, begins: datetime, where: str) -> Entry:
    """The order of a planned visit as a calendar's entry."""
    return Entry(
        uid=f"order-{order.id}@care.houqing",
        words=VISIT,
        day=clock.today(begins),
        window=(begins, order.wanted_until) if order.wanted_until is not None else None,
        sequence=order.version,
        changed_at=order.updated_at,
        is_off=OrderState(order.state) in CALLED_OFF,
        where=where,
    )


def of_family(session: Session, feed: CareFeed, today: date) -> list[Entry]:
    """The monthly visits of an elder since the consent: the day planned, or the day on which somebody came."""
    rows = session.scalars(
        select(DutyPeriod)
        .join(Duty, Duty.id == DutyPeriod.duty_id)
        .join(Enrolment, Enrolment.id == Duty.enrolment_id)
        .where(
            Enrolment.resident_id == feed.resident_id,
            Duty.kind == DutyKind.MONTHLY_VISIT,
            DutyPeriod.until >= today - BEHIND,
            DutyPeriod.until >= feed.consented_on,
        )
        .order_by(DutyPeriod.planned_on, DutyPeriod.id)
        .limit(MOST_EVENTS)
    )
    return [family_entry(period) for period in rows]


def family_entry(period: DutyPeriod) -> Entry:
    """A monthly visit as a family sees it."""
    state = PeriodState(period.state)
    day = period.settled_on if state is PeriodState.MET else None
    return entry_of(period, DONE if day else VISIT, day=day, is_off=state in OFF)


def entry_of(
    period: DutyPeriod,
    words: str,
    *,
    day: date | None = None,
    window: Window | None = None,
    is_off: bool,
    where: str = "",
) -> Entry:
    """A period as a calendar's entry."""
    return Entry(
        uid=f"{period.uid}@care.houqing",
        words=words,
        day=day or period.planned_on,
        window=window,
        sequence=period.version,
        changed_at=period.changed_at,
        is_off=is_off,
        where=where,
    )
