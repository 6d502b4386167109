"""The visits of 三访: raised by an event, given to a named person, heard of, repeated while somebody is in hospital."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.errors import Conflict, DispatchError, Invalid, NotFound
from dispatch.models.care import Condolence, LifeEvent
from dispatch.models.grid import Household, Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Actor
from dispatch.rules.care.events import Due, Event, Terms, first_visit, next_visit
from dispatch.rules.orders.states import AFTER_WORK, ENDED, OPEN, OrderState
from dispatch.rules.queue import Lane
from dispatch.services import funds, notify, orders
from dispatch.services.access import audit, policies, reach
from dispatch.services.care.checks import desk_of
from dispatch.services.care.visiting import AHEAD, KIND, appoint, visitors_of

ORIGIN = "care.condolence"
LATE, UNPLACED = "condolence_late", "condolence_unplaced"
WORDS = "登门慰问：去之前请先向社区了解情况"
FAMILY, BY_ANOTHER = "家属", "改由别人登门"
TERMS = {
    "hospital_first_days": "care.hospital_first_visit_days",
    "hospital_repeat_days": "care.hospital_repeat_days",
    "discharge_days": "care.discharge_visit_days",
    "disaster_hours": "care.disaster_visit_hours",
    "death_hours": "care.death_visit_hours",
}
UNPAID = ("waiting", "placed", "failed")
WITHOUT_WORK = frozenset({OrderState.VOIDED, OrderState.MERGED, OrderState.ANSWERED})

log = structlog.get_logger()


class VisitPaid(Conflict):
    """这次慰问已经做过或者不用再做"""


def terms_of(session: Session, community_id: int) -> Terms:
    """Within how many days or hours somebody is visited here."""
    values = policies.policies(session, community_id, TERMS.values())
    return Terms(**{name: int(values[key]) for name, key in TERMS.items()})


def raise_first(session: Session, event: LifeEvent, *, performer_id: int | None = None, now: datetime) -> Condolence:
    """The first visit that an event owes, placed at once for the named person, else for who knows the home best."""
    due = first_visit(Event(event.kind), now, terms_of(session, event.community_id))
    return keep(session, event, due, performer_id, now=now)


def keep(session: Session, event: LifeEvent, due: Due, performer_id: int | None, *, now: datetime) -> Condolence:
    """Keep a visit that is owed, place its order, and look at its due time whether it was paid."""
    visit = Condolence(
        community_id=event.community_id,
        event_id=event.id,
        occasion=due.occasion,
        due_at=due.until,
        state="waiting",
        tries=0,
        performer_id=performer_id,
        created_at=now,
    )
    session.add(visit)
    session.flush()
    queue.enqueue(
        session,
        "care.condolence_due",
        lane=Lane.DEADLINE,
        reference=visit.id,
        run_at=due.until,
        dedupe=f"care.condolence_due:{visit.id}",
    )
    send(session, visit, event, now=now)
    return visit


def send(session: Session, visit: Condolence, event: LifeEvent, *, now: datetime) -> bool:
    """Place the order of a visit; one that cannot be placed is alarmed until somebody is named."""
    try:
        with session.begin_nested():
            place(session, visit, event, now=now)
    except (DispatchError, IntegrityError) as error:
        log.warning("condolence_not_placed", condolence_id=visit.id, error=type(error).__name__)
        alarm(session, UNPLACED, visit)
        return False
    notify.clear_alarms(session, kinds=(UNPLACED,), subject=subject_of(visit), now=now)
    return True


def place(session: Session, visit: Condolence, event: LifeEvent, *, now: datetime) -> None:
    """Place the order: in person, by name, at the home; what happened stands nowhere on it."""
    home, resident = home_of(session, event)
    performer_id, (begins, ends) = appoint(session, visit, home.id, now=now)
    visit.tries += 1
    visit.performer_id = performer_id
    draft = orders.OrderDraft(
        description=WORDS,
        service_code=KIND,
        stairwell_id=home.stairwell_id,
        room=home.room,
        caller_name=FAMILY if resident is None or event.kind == Event.DEATH else resident.name,
        wanted_from=begins,
        wanted_until=ends,
        source="programme",
        origin=ORIGIN,
        origin_id=visit.id,
        occasion=str(visit.tries),
        organisation_id=desk_of(session, visit.community_id),
        named_performer_id=performer_id,
    )
    visit.order_id = orders.receive(session, draft, actor=SYSTEM, now=now).id
    visit.state, visit.order_version = "placed", 0
    session.flush()


def home_of(session: Session, event: LifeEvent) -> tuple[Household, Resident | None]:
    """The home where an event is visited, and whom it is about; raises Invalid without a home."""
    resident = None if event.resident_id is None else session.get_one(Resident, event.resident_id)
    home_id = event.household_id or (None if resident is None else resident.household_id)
    if home_id is None:
        raise Invalid("resident_id", "这位居民没有登记住址,请先在台账里补上")
    return session.get_one(Household, home_id), resident


def subject_of(visit: Condolence) -> str:
    """What an alarm is about."""
    return f"condolences:{visit.id}"


def alarm(session: Session, kind: str, visit: Condolence) -> bool:
    """Say that a visit is late or that nobody is on the way."""
    return notify.raise_alarm(
        session, kind=kind, subject=subject_of(visit), level="warning", community_id=visit.community_id
    )


def condolence_due(session: Session, visit_id: int) -> bool:
    """Alarm a visit that was not paid until it was due; False when it was, or is not owed any more."""
    visit = session.get_one(Condolence, visit_id, populate_existing=True)
    return visit.state in UNPAID and alarm(session, LATE, visit)


def find_visit(session: Session, visit_id: int, *, actor: Actor, locked: bool = False) -> Condolence:
    """A visit in reach, locked when asked; raises NotFound."""
    query = select(Condolence).where(Condolence.id == visit_id, reach.visible(Condolence, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def name_visitor(session: Session, visit_id: int, performer_id: int, *, actor: Actor, now: datetime) -> Condolence:
    """Name who goes, in place of who was named or where nobody was; raises NotFound, Invalid, VisitPaid."""
    visit = find_visit(session, visit_id, actor=actor, locked=True)
    if visit.state not in UNPAID:
        raise VisitPaid
    if performer_id not in {one for one, _ in visitors_of(session, visit.community_id)}:
        raise Invalid("performer_id", "这位执行人不做登门慰问,请重新选择")
    withdraw(session, visit, reason=BY_ANOTHER, now=now)
    visit.performer_id = performer_id
    audit.record(session, "care.name_visitor", "condolences", visit.id, actor=actor, community_id=visit.community_id)
    send(session, visit, session.get_one(LifeEvent, visit.event_id), now=now)
    return visit


def name_others(session: Session, performer_id: int, *, now: datetime) -> None:
    """Whoever was named for visits that are still owed comes no more: somebody else goes, or the desk is told."""
    query = select(Condolence).where(Condolence.performer_id == performer_id, Condolence.state.in_(UNPAID))
    for visit in session.scalars(query.order_by(Condolence.id).with_for_update()).all():
        withdraw(session, visit, reason=BY_ANOTHER, now=now)
        visit.performer_id = None
        send(session, visit, session.get_one(LifeEvent, visit.event_id), now=now)


def withdraw(session: Session, visit: Condolence, *, reason: str, now: datetime) -> None:
    """Call back the order of a visit, unless it has ended or its work is done."""
    if visit.state == "placed" and visit.order_id is not None:
        order: Order = orders.lock(session, visit.order_id)
        if OrderState(order.state) in OPEN - AFTER_WORK:
            orders.void(session, order, reason=reason, actor=SYSTEM, now=now)
    visit.state, visit.order_version = "waiting", 0
    session.flush()


def end_visits(session: Session, event: LifeEvent, *, reason: str, now: datetime) -> Sequence[Condolence]:
    """What an event still owes is owed no more: orders and money are called back, alarms cleared; the visits."""
    query = select(Condolence).where(Condolence.event_id == event.id, Condolence.state.in_(UNPAID)).with_for_update()
    found = session.scalars(query).all()
    for visit in found:
        withdraw(session, visit, reason=reason, now=now)
        visit.state = "ended"
        if visit.spending_id is not None:
            funds.call_off_spending(session, visit.spending_id, now=now)
        notify.clear_alarms(session, kinds=(LATE, UNPLACED), subject=subject_of(visit), now=now)
    session.flush()
    return found


def owe_again(session: Session, visit_id: int, *, now: datetime) -> bool:
    """A visit that had ended with something that was wrong is owed after all; False where nobody can be sent."""
    visit = session.get_one(Condolence, visit_id, with_for_update=True, populate_existing=True)
    visit.state = "waiting"
    return send(session, visit, session.get_one(LifeEvent, visit.event_id), now=now)


def hear_of_condolence(session: Session, order: Order, version: int, now: datetime) -> bool:
    """A visit of 三访 was paid, or came to nothing; False when that, or something newer, is known already."""
    visit = session.scalars(
        select(Condolence)
        .where(Condolence.order_id == order.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if visit is None or visit.order_version >= version or visit.state not in {"placed", "failed", "done"}:
        return False
    visit.order_version = order.version
    state = OrderState(order.state)
    if state in AFTER_WORK | ENDED and state not in WITHOUT_WORK and order.result != "not_done":
        visit.state, visit.done_at = "done", order.finished_at or now
        notify.clear_alarms(session, kinds=(LATE, UNPLACED), subject=subject_of(visit), now=now)
    elif state in AFTER_WORK | ENDED:
        visit.state, visit.done_at = "failed", None
        alarm(session, UNPLACED, visit)
    else:
        visit.state, visit.done_at = "placed", None
    session.flush()
    return True


def visit_again(session: Session, *, now: datetime) -> int:
    """The next visit to everybody who is in hospital, some days before it is due; how many were placed."""
    newest = (
        select(func.max(Condolence.id).label("id"), func.count().label("made")).group_by(Condolence.event_id).subquery()
    )
    rows = session.execute(
        select(LifeEvent, Condolence, newest.c.made)
        .join(Condolence, Condolence.event_id == LifeEvent.id)
        .join(newest, newest.c.id == Condolence.id)
        .where(
            LifeEvent.kind == str(Event.HOSPITAL),
            LifeEvent.until.is_(None),
            LifeEvent.withdrawn_at.is_(None),
            or_(Condolence.state == "done", Condolence.due_at <= now),
        )
        .order_by(LifeEvent.id)
    ).all()
    placed = 0
    for event, last, made in rows:
        due = next_visit(made, last.due_at, last.done_at, terms_of(session, event.community_id))
        days = int(policies.policy(session, event.community_id, AHEAD))
        if due.until - timedelta(days=days + 1) <= now:
            keep(session, event, due, None, now=now)
            placed += 1
    return placed
