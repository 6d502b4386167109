"""Links for family far away: made by the elder's consent, revoked at any time, each opening written down."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.care import AlarmDevice, AlarmEvent, Duty, DutyPeriod, Enrolment, FamilyLink
from dispatch.models.grid import Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Actor
from dispatch.rules.care.family import MOST_ALARMS, Month, Relation, check_link, is_alive, months_told
from dispatch.rules.care.signals import PRESSING
from dispatch.rules.care.terms import DutyKind
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services.access import audit, tokens
from dispatch.services.access.reach import visible
from dispatch.services.care.cases import homes_of

MOST_LISTED = 200


@dataclass(frozen=True, slots=True)
class NewLink:
    """What the elder agreed to: for whom, what may be seen, since when, until when."""

    resident_id: int
    relation: Relation
    sees_visits: bool
    sees_alarms: bool
    consented_on: date
    expires_on: date


@dataclass(frozen=True, slots=True)
class Resolved:
    """An alarm: its day, and whether somebody has resolved it."""

    day: date
    is_resolved: bool


@dataclass(frozen=True, slots=True)
class FamilyView:
    """All that a link shows; None is what the elder did not agree to."""

    months: Sequence[Month] | None
    alarms: Sequence[Resolved] | None


@dataclass(frozen=True, slots=True)
class LinkRow:
    """A link with the elder's name."""

    link: FamilyLink
    name: str


def make_link(session: Session, wanted: NewLink, *, actor: Actor, now: datetime) -> tuple[FamilyLink, str]:
    """Make a link; its token leaves here, this once. Raises Invalid naming the field."""
    query = select(Resident).where(
        Resident.id == wanted.resident_id, visible(Resident, actor), Resident.left_at.is_(None)
    )
    resident = session.scalars(query).one_or_none()
    if resident is None:
        raise Invalid("resident_id", "居民台账里没有这个人,请重新选择")
    sees = wanted.sees_visits or wanted.sees_alarms
    check_link(wanted.consented_on, wanted.expires_on, clock.today(now), sees_something=sees)
    token = tokens.new_token()
    made = FamilyLink(
        community_id=resident.community_id,
        resident_id=resident.id,
        relation=str(wanted.relation),
        sees_visits=wanted.sees_visits,
        sees_alarms=wanted.sees_alarms,
        consented_on=wanted.consented_on,
        expires_on=wanted.expires_on,
        token_hash=tokens.hash_of(token),
        made_by=actor.user_id,
        made_at=now,
    )
    session.add(made)
    session.flush()
    note(session, "make_family_link", made, actor=actor)
    return made, token


def revoke_link(session: Session, link_id: int, *, actor: Actor, now: datetime) -> FamilyLink:
    """The elder agrees no more: it opens nothing from now on; said twice is said once. Raises NotFound."""
    query = select(FamilyLink).where(FamilyLink.id == link_id, visible(FamilyLink, actor)).with_for_update()
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    if found.revoked_at is None:
        found.revoked_at, found.revoked_by = now, actor.user_id
        session.flush()
        note(session, "revoke_family_link", found, actor=actor)
    return found


def list_links(session: Session, *, actor: Actor, before: int | None = None, limit: int) -> list[LinkRow]:
    """The newest links in reach; one query."""
    query = (
        select(FamilyLink, Resident.name)
        .join(Resident, Resident.id == FamilyLink.resident_id)
        .where(visible(FamilyLink, actor))
        .order_by(FamilyLink.id.desc())
        .limit(limit)
    )
    if before is not None:
        query = query.where(FamilyLink.id < before)
    return [LinkRow(link, name) for link, name in session.execute(query)]


def elders(session: Session, *, actor: Actor) -> list[tuple[int, str]]:
    """Who is enrolled in a programme of persons, by name and home: a consent is written down for the right one."""
    rows = session.execute(
        select(Resident.id, Resident.name, Resident.name_key, Resident.household_id)
        .join(Enrolment, Enrolment.resident_id == Resident.id)
        .where(visible(Enrolment, actor), Enrolment.ends_on.is_(None), Resident.left_at.is_(None))
        .distinct()
        .order_by(Resident.name_key, Resident.id)
        .limit(MOST_LISTED)
    ).all()
    homes = homes_of(session, {row.household_id for row in rows if row.household_id is not None})
    return [
        (row.id, f"{row.name} · {homes[row.household_id].address}" if row.household_id in homes else row.name)
        for row in rows
    ]


def open_link(session: Session, token: str, *, now: datetime) -> FamilyView:
    """What a link shows; every opening is written down. Raises NotFound for one that is none or over.

    It is over with the consent, its last day, or when the elder has left the register.
    """
    query = select(FamilyLink).join(Resident, Resident.id == FamilyLink.resident_id)
    query = query.where(FamilyLink.token_hash == tokens.hash_of(token), Resident.left_at.is_(None))
    found = session.scalars(query).one_or_none()
    today = clock.today(now)
    if found is None or not is_alive(found.expires_on, today, is_revoked=found.revoked_at is not None):
        raise NotFound
    note(session, "family_reads", found, actor=SYSTEM)
    return FamilyView(
        months_told(states_of(session, found), found.consented_on, today) if found.sees_visits else None,
        alarms_of(session, found) if found.sees_alarms else None,
    )


def states_of(session: Session, link: FamilyLink) -> list[tuple[str, str]]:
    """The months of the elder's monthly visits and how each stands."""
    rows = session.execute(
        select(DutyPeriod.name, DutyPeriod.state)
        .join(Duty, Duty.id == DutyPeriod.duty_id)
        .join(Enrolment, Enrolment.id == Duty.enrolment_id)
        .where(Enrolment.resident_id == link.resident_id, Duty.kind == str(DutyKind.MONTHLY_VISIT))
    )
    return [(row.name, row.state) for row in rows]


def alarms_of(session: Session, link: FamilyLink) -> list[Resolved]:
    """The pressing alarms since the consent, the newest first: of each the day, and whether its order is finished."""
    rows = session.execute(
        select(AlarmEvent.received_at, Order.finished_at)
        .join(AlarmDevice, AlarmDevice.id == AlarmEvent.device_id)
        .join(Order, Order.id == AlarmEvent.order_id)
        .where(
            AlarmDevice.resident_id == link.resident_id,
            AlarmEvent.received_at >= datetime(*link.consented_on.timetuple()[:3], tzinfo=SHANGHAI),
            AlarmEvent.meaning.in_([str(one) for one in PRESSING]),
            ~AlarmEvent.is_test,
            ~AlarmEvent.joined,
        )
        .order_by(AlarmEvent.id.desc())
        .limit(MOST_ALARMS)
    )
    return [Resolved(clock.today(row.received_at), row.finished_at is not None) for row in rows]


def note(session: Session, deed: str, link: FamilyLink, *, actor: Actor) -> None:
    """The audit entry."""
    audit.record(session, f"care.{deed}", "family_links", link.id, actor=actor, community_id=link.community_id)
