"""Festivals with the elders: planned by themselves, and everybody of the programmes invited once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from config.seed import festivals as seeded
from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.care import Enrolment, Festival, FestivalEvent, FestivalInvitation
from dispatch.models.grid import Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Actor
from dispatch.rules.care.festivals import Answer, Calendar, Guest, Yearly, check_yearly, guests, next_days
from dispatch.services import notify
from dispatch.services.access import audit, policies, reach
from dispatch.services.grid.build import demand_community

AHEAD = "care.festival_days_ahead"
PLANNED = "festival_planned"
LONGEST_NAME, LONGEST_PLACE = 60, 100


@dataclass(frozen=True, slots=True)
class EventSum:
    """A year's event with how many were invited, said that they come, and came."""

    event: FestivalEvent
    name: str
    invited: int
    coming: int
    came: int


@dataclass(frozen=True, slots=True)
class Invited:
    """An invitation with who it is for and the number of the order that fetches them."""

    invitation: FestivalInvitation
    name: str
    order_number: str | None


def begin_festivals(session: Session, community_id: int, *, actor: Actor) -> int:
    """Give a community the seeded festivals that it has not yet; how many were new."""
    demand_community(actor, community_id)
    known = set(session.scalars(select(Festival.code).where(Festival.community_id == community_id)))
    fresh = [one for one in seeded() if one.code not in known]
    for one in fresh:
        add(session, community_id, one.code, one.name, Yearly(Calendar(one.calendar), one.month, one.day), actor=actor)
    return len(fresh)


def add_festival(session: Session, community_id: int, name: str, yearly: Yearly, *, actor: Actor) -> Festival:
    """Another festival of a community; raises Invalid naming the field, NotFound."""
    demand_community(actor, community_id)
    words = name.strip()
    if not words or len(words) > LONGEST_NAME:
        raise Invalid("name", "请写明名称，不超过60字")
    same = select(Festival.id).where(Festival.community_id == community_id, Festival.name == words)
    if session.scalars(same).first() is not None:
        raise Invalid("name", "已经有这个节日")
    check_yearly(yearly)
    return add(session, community_id, words, words, yearly, actor=actor)


def add(session: Session, community_id: int, code: str, name: str, yearly: Yearly, *, actor: Actor) -> Festival:
    """The row of a festival, audited."""
    made = Festival(
        community_id=community_id,
        code=code,
        name=name,
        calendar=str(yearly.calendar),
        month=yearly.month,
        day=yearly.day,
        is_on=True,
    )
    session.add(made)
    session.flush()
    audit.record(session, "care.add_festival", "festivals", made.id, actor=actor, community_id=community_id)
    return made


def list_festivals(session: Session, *, actor: Actor) -> Sequence[Festival]:
    """The festivals in reach."""
    query = select(Festival).where(reach.visible(Festival, actor)).order_by(Festival.community_id, Festival.id)
    return session.scalars(query).all()


def switch_festival(session: Session, festival_id: int, *, is_on: bool, actor: Actor) -> Festival:
    """Celebrate a festival from now on, or not any more; raises NotFound."""
    found = session.scalars(
        select(Festival).where(Festival.id == festival_id, reach.visible(Festival, actor))
    ).one_or_none()
    if found is None:
        raise NotFound
    found.is_on = is_on
    session.flush()
    audit.record(session, "care.switch_festival", "festivals", found.id, actor=actor, community_id=found.community_id)
    return found


def plan_festivals(session: Session, *, community_id: int | None = None, now: datetime) -> int:
    """Plan what comes within the days of the policy, invite everybody to it, and tell the staff; how many were new."""
    today, planned = clock.today(now), 0
    query = select(Festival).where(Festival.is_on).order_by(Festival.id)
    if community_id is not None:
        query = query.where(Festival.community_id == community_id)
    for festival in session.scalars(query).all():
        days = int(policies.policy(session, festival.community_id, AHEAD))
        yearly = Yearly(Calendar(festival.calendar), festival.month, festival.day)
        for year, day in next_days(yearly, today, days):
            planned += plan(session, festival, year, day, now=now)
    return planned


def plan(session: Session, festival: Festival, year: int, day: date, *, now: datetime) -> bool:
    """Plan a year's event, once; who has joined a programme since is invited too. True for a new one."""
    values = {"community_id": festival.community_id, "festival_id": festival.id, "year": year, "held_on": day}
    fresh = session.scalars(
        insert(FestivalEvent).values(**values, created_at=now).on_conflict_do_nothing().returning(FestivalEvent.id)
    ).one_or_none()
    event = session.scalars(
        select(FestivalEvent).where(FestivalEvent.festival_id == festival.id, FestivalEvent.year == year)
    ).one()
    if event.state == "planned":
        invite(session, event, today=clock.today(now))
    if fresh is None:
        return False
    audit.record(
        session, "care.plan_festival", "festival_events", event.id, actor=SYSTEM, community_id=event.community_id
    )
    facts = {"day": day.isoformat()}
    subject, community_id = subject_of(event), event.community_id
    notify.raise_alarm(session, kind=PLANNED, subject=subject, level="notice", community_id=community_id, facts=facts)
    return True


def subject_of(event: FestivalEvent) -> str:
    """What an alarm is about."""
    return f"festival_events:{event.id}"


def invite(session: Session, event: FestivalEvent, *, today: date) -> int:
    """Invite the union of the programmes without doubles: two elders of one home are two people; how many were new."""
    own = or_(Enrolment.resident_id == Resident.id, Enrolment.household_id == Resident.household_id)
    rows = session.execute(
        select(Resident.id, Resident.household_id)
        .join(Enrolment, own)
        .where(
            Enrolment.community_id == event.community_id,
            Resident.left_at.is_(None),
            Enrolment.starts_on <= today,
            or_(Enrolment.ends_on.is_(None), Enrolment.ends_on > today),
        )
    )
    invited = guests([[Guest(row.id, row.household_id) for row in rows]])
    if not invited:
        return 0
    values = [
        {"community_id": event.community_id, "event_id": event.id, "resident_id": one.resident_id,
         "household_id": one.household_id}
        for one in invited
    ]  # fmt: skip
    statement = insert(FestivalInvitation).values(values).on_conflict_do_nothing().returning(FestivalInvitation.id)
    return len(session.scalars(statement).all())


def find_event(session: Session, event_id: int, *, actor: Actor, locked: bool = False) -> FestivalEvent:
    """A year's event in reach; raises NotFound."""
    query = select(FestivalEvent).where(FestivalEvent.id == event_id, reach.visible(FestivalEvent, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def list_events(session: Session, *, actor: Actor, event_id: int | None = None, limit: int = 50) -> list[EventSum]:
    """The events in reach, the newest day first, with their counts; one query."""
    invited = FestivalInvitation.answer != str(Answer.LAPSED)
    counts = (
        select(
            FestivalInvitation.event_id,
            func.count().filter(invited).label("invited"),
            func.count().filter(FestivalInvitation.answer == str(Answer.COMES)).label("coming"),
            func.count().filter(FestivalInvitation.attended.is_(True)).label("came"),
        )
        .group_by(FestivalInvitation.event_id)
        .subquery()
    )
    query = (
        select(
            FestivalEvent,
            Festival.name,
            func.coalesce(counts.c.invited, 0),
            func.coalesce(counts.c.coming, 0),
            func.coalesce(counts.c.came, 0),
        )
        .join(Festival, Festival.id == FestivalEvent.festival_id)
        .outerjoin(counts, counts.c.event_id == FestivalEvent.id)
        .where(reach.visible(FestivalEvent, actor))
        .order_by(FestivalEvent.held_on.desc(), FestivalEvent.id.desc())
        .limit(limit)
    )
    if event_id is not None:
        query = query.where(FestivalEvent.id == event_id)
    return [EventSum(*row) for row in session.execute(query)]


def invitations_of(session: Session, event_id: int, *, actor: Actor) -> list[Invited]:
    """Who is invited to an event, by name; one query."""
    query = (
        select(FestivalInvitation, Resident.name, Order.number)
        .join(Resident, Resident.id == FestivalInvitation.resident_id)
        .outerjoin(Order, Order.id == FestivalInvitation.order_id)
        .where(FestivalInvitation.event_id == event_id, reach.visible(FestivalInvitation, actor))
        .order_by(Resident.name_key, FestivalInvitation.id)
    )
    return [Invited(*row) for row in session.execute(query)]


def settle_event(
    session: Session, event_id: int, *, held_on: date, place: str, actor: Actor, now: datetime
) -> FestivalEvent:
    """Say on which day and where; the notice that it is planned goes. Raises NotFound, Invalid naming the field."""
    event = find_event(session, event_id, actor=actor, locked=True)
    words = place.strip()
    if not words or len(words) > LONGEST_PLACE:
        raise Invalid("place", "请写明在哪里,不超过100字")
    if held_on < clock.today(now):
        raise Invalid("held_on", "活动的日子不能早于今天")
    event.held_on, event.place = held_on, words
    session.flush()
    note(session, "settle_festival", event, actor=actor)
    notify.clear_alarms(session, kinds=(PLANNED,), subject=subject_of(event), now=now)
    return event


def note(session: Session, deed: str, event: FestivalEvent, *, actor: Actor) -> None:
    """The audit entry."""
    audit.record(session, f"care.{deed}", "festival_events", event.id, actor=actor, community_id=event.community_id)
