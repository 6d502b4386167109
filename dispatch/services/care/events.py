"""What life brings to somebody: told once, kept with its day, followed by absences and by the visits of 三访."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from uuid import uuid4

from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.care import Condolence, LifeEvent
from dispatch.models.catalogue import Performer
from dispatch.models.grid import Building, Household, Resident, Stairwell
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.care.events import Event, Source, check_event, is_triggered
from dispatch.rules.care.terms import AbsenceKind
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit, reach, vault
from dispatch.services.care import condoling, groups, part
from dispatch.services.care.absences import begin_absence, end_absence

LONGEST_WORDS = 500
MOST_FOUND = 50
ONE_DAY = timedelta(days=1)


class AlreadyTold(Conflict):
    """这件事已经登记过"""


class NotInHospital(Conflict):
    """这位居民没有登记住院"""


@dataclass(frozen=True, slots=True)
class EventDraft:
    """What happened to whom on which day, who told it, and who is named to visit (none: the house chooses)."""

    kind: Event
    happened_on: date
    resident_id: int | None = None
    household_id: int | None = None
    source: Source = Source.DESK
    order_id: int | None = None
    words: str = field(default="", repr=False)
    performer_id: int | None = None


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event in a list: whom it is about, where, and its newest visit."""

    event: LifeEvent
    resident: Resident | None
    visit: Condolence | None


def tell(session: Session, draft: EventDraft, *, actor: Actor, now: datetime) -> LifeEvent:
    """Keep what happened, and what follows from it within care; a death and a move are told to domain life.

    Raises Invalid naming the field, AlreadyTold, NotInHospital.
    """
    event = keep_event(session, draft, actor=actor, now=now)
    if draft.kind is Event.HOSPITAL and event.resident_id is not None:
        day = draft.happened_on
        begin_absence(session, event.resident_id, AbsenceKind.HOSPITAL, starts_on=day, actor=actor, now=now)
    if draft.kind is Event.DISCHARGE:
        end_stay(session, event, actor=actor, now=now)
    if draft.kind is Event.COME_HOME and event.resident_id is not None:
        end_absence(session, event.resident_id, AbsenceKind.AWAY, until=draft.happened_on - ONE_DAY, actor=actor)
    condole(session, event, draft.performer_id, now=now)
    return event


def keep_event(session: Session, draft: EventDraft, *, actor: Actor, now: datetime) -> LifeEvent:
    """The row of an event, checked and audited; raises Invalid naming the field, AlreadyTold."""
    about = {"person": draft.resident_id is not None, "household": draft.household_id is not None}
    check_event(draft.kind, draft.happened_on, clock.today(now), **about)
    check_text("words", draft.words, LONGEST_WORDS)
    community_id = community_of(session, draft, actor=actor)
    uid = uuid4()
    event = LifeEvent(
        uid=uid,
        community_id=community_id,
        kind=str(draft.kind),
        resident_id=draft.resident_id,
        household_id=draft.household_id,
        happened_on=draft.happened_on,
        source=str(draft.source),
        order_id=draft.order_id,
        words=vault.seal(f"life_events.words.{uid}", draft.words.strip()) if draft.words.strip() else None,
        told_by=actor.user_id,
        told_at=now,
    )
    try:
        with session.begin_nested():
            session.add(event)
    except IntegrityError as error:
        raise AlreadyTold from error
    audit.record(session, "care.tell_event", "life_events", event.id, actor=actor, community_id=community_id)
    return event


def community_of(session: Session, draft: EventDraft, *, actor: Actor) -> int:
    """The community of whom it is about, all of them in reach; raises Invalid naming the field."""
    found: set[int] = set()
    for field_name, table, row_id in (
        ("resident_id", Resident, draft.resident_id),
        ("household_id", Household, draft.household_id),
        ("order", Order, draft.order_id),
    ):
        if row_id is None:
            continue
        visible = reach.visible_orders(actor) if table is Order else reach.visible(table, actor)
        community_id = session.scalars(select(table.community_id).where(table.id == row_id, visible)).one_or_none()
        if community_id is None or (found and community_id not in found):
            raise Invalid(field_name, "居民台账里没有这个人,请重新选择")
        found.add(community_id)
    return found.pop()


def end_stay(session: Session, event: LifeEvent, *, actor: Actor, now: datetime) -> None:
    """Somebody left hospital: the stay ends, its visits are owed no more; raises NotInHospital."""
    stay = session.scalars(
        select(LifeEvent)
        .where(
            LifeEvent.resident_id == event.resident_id,
            LifeEvent.kind == str(Event.HOSPITAL),
            LifeEvent.until.is_(None),
            LifeEvent.withdrawn_at.is_(None),
        )
        .with_for_update()
    ).one_or_none()
    if stay is None or event.resident_id is None:
        raise NotInHospital
    if event.happened_on < stay.happened_on:
        raise Invalid("happened_on", "出院的日子不能早于住院")
    stay.until = event.happened_on
    condoling.end_visits(session, stay, reason="已经出院", now=now)
    end_absence(session, event.resident_id, AbsenceKind.HOSPITAL, until=event.happened_on, actor=actor)


def concerned(session: Session, event: LifeEvent) -> list[int]:
    """The residents that an event concerns: the person, else everybody of the household."""
    if event.resident_id is not None:
        return [event.resident_id]
    query = select(Resident.id).where(Resident.household_id == event.household_id, Resident.left_at.is_(None))
    return list(session.scalars(query))


def condole(session: Session, event: LifeEvent, performer_id: int | None, *, now: datetime) -> Condolence | None:
    """Raise the first visit where a switch of one of their groups is on; None where 三访 is not owed."""
    kind = Event(event.kind)
    about = groups.groups_about(session, concerned(session, event), clock.today(now))
    if not is_triggered(kind, about, groups.switched_on(session, event.community_id)):
        return None
    return condoling.raise_first(session, event, performer_id=performer_id, now=now)


def find_event(session: Session, event_id: int, *, actor: Actor, locked: bool = False) -> LifeEvent:
    """An event in reach, locked when asked; raises NotFound."""
    query = select(LifeEvent).where(LifeEvent.id == event_id, part.visible(LifeEvent, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def open_event(session: Session, event_id: int, *, actor: Actor) -> LifeEvent:
    """An event in reach to be read, which is recorded; raises NotFound."""
    found = find_event(session, event_id, actor=actor)
    audit.record(session, "care.read_event", "life_events", found.id, actor=actor, community_id=found.community_id)
    return found


def is_seen(session: Session, event: LifeEvent, *, actor: Actor) -> bool:
    """Whether the actor may read an event: who may only tell, and who told of another's area, may not."""
    query = select(LifeEvent.id).where(LifeEvent.id == event.id, part.visible(LifeEvent, actor))
    return actor.may(Right.LIFE_READ) and session.scalars(query).one_or_none() is not None


def list_events(
    session: Session, *, actor: Actor, before: int | None = None, limit: int = MOST_FOUND
) -> Sequence[EventRow]:
    """The events in reach, the newest first, each with its newest visit; one query."""
    newest = (
        select(Condolence.id)
        .where(Condolence.event_id == LifeEvent.id)
        .order_by(Condolence.id.desc())
        .limit(1)
        .correlate(LifeEvent)
        .scalar_subquery()
    )
    query = (
        select(LifeEvent, Resident, Condolence)
        .outerjoin(Resident, Resident.id == LifeEvent.resident_id)
        .outerjoin(Condolence, Condolence.id == newest)
        .where(part.visible(LifeEvent, actor))
        .order_by(LifeEvent.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(LifeEvent.id < before)
    return [EventRow(*row) for row in session.execute(query)]


def visits_of(session: Session, event: LifeEvent) -> Sequence[tuple[Condolence, str | None, str | None]]:
    """The visits of an event, the newest first, with the order's number and the visitor's name."""
    rows = session.execute(
        select(Condolence, Order.number, Performer.name)
        .outerjoin(Order, Order.id == Condolence.order_id)
        .outerjoin(Performer, Performer.id == Condolence.performer_id)
        .where(Condolence.event_id == event.id)
        .order_by(Condolence.id.desc())
    )
    return [(visit, number, name) for visit, number, name in rows]


def words_of(event: LifeEvent) -> str:
    """What was written about an event."""
    return vault.open_sealed(f"life_events.words.{event.uid}", event.words) if event.words else ""


def at_home(session: Session, order: Order, *, actor: Actor) -> Sequence[Resident]:
    """Who a call may have been about: the caller of the register and everybody of the home it came from."""
    home = select(Household.id).where(
        Household.stairwell_id == order.stairwell_id, Household.room == (order.room or "")
    )
    query = select(Resident).where(
        reach.visible(Resident, actor),
        Resident.left_at.is_(None),
        or_(Resident.id == order.caller_resident_id, Resident.household_id.in_(home)),
    )
    return session.scalars(query.order_by(Resident.id != (order.caller_resident_id or 0), Resident.id)).all()


def home_id_of(session: Session, resident_id: int, *, actor: Actor) -> int:
    """The home of a resident in reach; raises Invalid("resident_id") without one."""
    query = select(Resident.household_id).where(Resident.id == resident_id, reach.visible(Resident, actor))
    home_id = session.scalars(query).one_or_none()
    if home_id is None:
        raise Invalid("resident_id", "这位居民没有登记住址,请先在台账里补上")
    return home_id


def address_of(session: Session, event: LifeEvent) -> str:
    """Where an event is visited, to the room; empty without a home."""
    own = select(Resident.household_id).where(Resident.id == event.resident_id).scalar_subquery()
    row = session.execute(
        select(Building.address, Stairwell.number, Household.room)
        .join(Stairwell, Stairwell.building_id == Building.id)
        .join(Household, Household.stairwell_id == Stairwell.id)
        .where(Household.id == func.coalesce(event.household_id, own))
    ).one_or_none()
    return "" if row is None else f"{row.address}{row.number}单元{row.room}室"
