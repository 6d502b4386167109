"""An appointment after it was booked: found by its code, confirmed, cancelled, reminded of, kept or missed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import Session

from dispatch.errors import NotFound
from dispatch.models.care import Appointment, CounsellingSlot, Counsellor
from dispatch.models.catalogue import Service
from dispatch.rules.access.roles import Actor
from dispatch.rules.care import counselling as rule
from dispatch.rules.care.counselling import AppointmentState, EndedBy
from dispatch.rules.notify.texts import said
from dispatch.services import notify
from dispatch.services.access import reach, vault
from dispatch.services.care.counselling import booking, counsellors, offering

MOST_SHOWN = 100


@dataclass(frozen=True, slots=True)
class DeskLine:
    """All that the desk is shown of an appointment: a time, an alias, how it stands."""

    id: int
    alias: str
    begins: datetime | None
    ends: datetime | None
    state: str
    version: int


@dataclass(frozen=True, slots=True)
class OwnAppointment:
    """What a client is shown of their own appointment, by its code."""

    alias: str
    service: str
    state: str
    begins: datetime | None
    ends: datetime | None
    with_whom: str | None
    room: str | None
    offered_until: datetime | None
    may_cancel: bool
    version: int


@dataclass(frozen=True, slots=True)
class OfMine:
    """An appointment as its counsellor sees it."""

    appointment: Appointment
    service: str
    room: str
    missed: int


def locked(query: Select[Appointment]) -> Select[Appointment]:
    """The query, its row locked and read fresh."""
    return query.with_for_update().execution_options(populate_existing=True)


def of_desk(session: Session, appointment_id: int, *, actor: Actor) -> Appointment:
    """An appointment in the desk's reach, locked; raises NotFound."""
    query = select(Appointment).where(Appointment.id == appointment_id, reach.visible(Appointment, actor))
    return one_of(session, locked(query))


def of_counsellor(session: Session, appointment_id: int, *, actor: Actor) -> Appointment:
    """One of the counsellor's own appointments, locked; raises NotFound."""
    own = Appointment.counsellor_id.in_(counsellors.owned(actor))
    query = select(Appointment).where(Appointment.id == appointment_id, own)
    return one_of(session, locked(query))


def of_client(session: Session, community_id: int, code: str) -> Appointment:
    """The appointment of a code, locked; raises CodeUnknown."""
    query = select(Appointment).where(
        Appointment.community_id == community_id, Appointment.code_index == booking.index_of(code)
    )
    found = session.scalars(locked(query)).one_or_none()
    if found is None:
        raise rule.CodeUnknown
    return found


def one_of(session: Session, query: Select[Appointment]) -> Appointment:
    """The one row of a query; raises NotFound."""
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def check_version(appointment: Appointment, version: int | None) -> None:
    """Refuse what was decided on an older picture; None means that the caller does not say."""
    if version is not None and version != appointment.version:
        raise rule.AppointmentNotThere


def cancel(
    session: Session,
    appointment: Appointment,
    by: EndedBy,
    *,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> Appointment:
    """Cancel a locked appointment and let its time go to who is next; a client only until some hours before.

    Raises AppointmentNotThere, TooLateToCancel.
    """
    check_version(appointment, version)
    begins = appointment.during.lower if appointment.during is not None else None
    if by is EndedBy.CLIENT and begins is not None and appointment.state == AppointmentState.BOOKED:
        hours = offering.limits_of(session, appointment.community_id).cancel_hours
        rule.check_cancel(begins, now, hours)
    offering.end(appointment, AppointmentState.CANCELLED, by, now=now)
    session.flush()
    booking.note(session, "cancel_appointment", appointment, actor=actor)
    offering.free(session, appointment, now=now)
    if by is EndedBy.COUNSELLOR and begins is not None:
        facts = {"until": said(begins)}
        offering.tell(session, appointment, notify.APPOINTMENT_OVER, facts, now=now)
    return appointment


def confirm(session: Session, appointment: Appointment, *, actor: Actor, now: datetime) -> Appointment:
    """Take the time that was offered to a locked appointment; raises AppointmentNotThere, also when it is too late."""
    if appointment.offered_until is None or appointment.offered_until <= now:
        raise rule.AppointmentNotThere
    appointment.state = str(rule.step(appointment.state, AppointmentState.BOOKED))
    appointment.offered_until = None
    appointment.version += 1
    booking.remind_later(session, appointment, offering.limits_of(session, appointment.community_id), now=now)
    session.flush()
    booking.note(session, "confirm_appointment", appointment, actor=actor)
    return appointment


def note_outcome(session: Session, appointment: Appointment, *, came: bool, actor: Actor, now: datetime) -> Appointment:
    """Note whether who was expected came; raises AppointmentNotThere before it has begun."""
    begins = appointment.during.lower if appointment.during is not None else None
    if begins is None:
        raise rule.AppointmentNotThere
    rule.check_outcome(begins, now)
    outcome = AppointmentState.KEPT if came else AppointmentState.MISSED
    offering.end(appointment, outcome, EndedBy.COUNSELLOR, now=now)
    session.flush()
    booking.note(session, "keep_appointment" if came else "miss_appointment", appointment, actor=actor)
    return appointment


def remind(session: Session, appointment_id: int, *, now: datetime) -> bool:
    """Tell a client of their time by e-mail, once; without an address the counsellor sees that a call is due."""
    appointment = session.scalars(locked(select(Appointment).where(Appointment.id == appointment_id))).one_or_none()
    if appointment is None or appointment.state != AppointmentState.BOOKED or appointment.reminded_at is not None:
        return False
    begins = appointment.during.lower if appointment.during is not None else None
    if begins is None or begins <= now:
        return False
    if not offering.tell(session, appointment, notify.APPOINTMENT, {"until": said(begins)}, now=now):
        return False
    appointment.reminded_at = now
    return True


def note_reminded(session: Session, appointment: Appointment, *, actor: Actor, now: datetime) -> None:
    """The counsellor has called; said twice is said once."""
    if appointment.reminded_at is None:
        appointment.reminded_at = now
        booking.note(session, "remind_by_phone", appointment, actor=actor)


def desk_lines(session: Session, since: datetime, until: datetime, *, actor: Actor) -> list[DeskLine]:
    """The appointments of some days, and who waits without a time, as the desk may see them. One query."""
    begins = func.lower(Appointment.during)
    columns = (Appointment.id, Appointment.alias, Appointment.during, Appointment.state, Appointment.version)
    at_a_time: ColumnElement[bool] = (begins >= since) & (begins < until)
    query = (
        select(*columns)
        .where(reach.visible(Appointment, actor), or_(at_a_time, Appointment.state == AppointmentState.WAITING))
        .order_by(begins.nulls_last(), Appointment.id)
        .limit(MOST_SHOWN)
    )
    return [
        DeskLine(
            row.id,
            row.alias,
            row.during.lower if row.during is not None else None,
            row.during.upper if row.during is not None else None,
            row.state,
            row.version,
        )
        for row in session.execute(query)
    ]


def own_appointments(session: Session, since: datetime, *, actor: Actor, now: datetime) -> Sequence[OfMine]:
    """The counsellor's own appointments from a day on, with how often each client did not come. One query each."""
    counsellor = counsellors.own(session, actor=actor)
    rows = session.execute(mine(actor).where(func.lower(Appointment.during) >= since).limit(MOST_SHOWN)).all()
    limits = offering.limits_of(session, counsellor.community_id)
    missed = missed_by_person(session, [row[0] for row in rows], now - timedelta(days=limits.missed_days))
    return [OfMine(row[0], row[1], row[2], missed.get(row[0].person_index, 0)) for row in rows]


def mine(actor: Actor) -> Select[Appointment, str, str]:
    """A counsellor's appointments with service and room, the soonest first."""
    return (
        select(Appointment, Service.name, CounsellingSlot.room)
        .join(Service, Service.id == Appointment.service_id)
        .join(CounsellingSlot, CounsellingSlot.id == Appointment.slot_id)
        .where(Appointment.counsellor_id.in_(counsellors.owned(actor)))
        .order_by(func.lower(Appointment.during), Appointment.id)
    )


def missed_by_person(session: Session, appointments: Sequence[Appointment], since: datetime) -> dict[bytes | None, int]:
    """How often each of these clients did not come since then."""
    people = {one.person_index for one in appointments if one.person_index is not None}
    query = (
        select(Appointment.person_index, func.count())
        .where(
            Appointment.community_id.in_({one.community_id for one in appointments}),
            Appointment.person_index.in_(people),
            Appointment.state == AppointmentState.MISSED,
            Appointment.ended_at >= since,
        )
        .group_by(Appointment.person_index)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def own_one(session: Session, appointment_id: int, *, actor: Actor, now: datetime) -> OfMine:
    """One of the counsellor's own appointments; raises NotFound."""
    row = session.execute(mine(actor).where(Appointment.id == appointment_id)).one_or_none()
    if row is None:
        raise NotFound
    limits = offering.limits_of(session, row[0].community_id)
    missed = offering.missed_of(session, row[0], now - timedelta(days=limits.missed_days))
    return OfMine(row[0], row[1], row[2], missed)


def phone_of(appointment: Appointment) -> str:
    """The telephone number of a client, for their counsellor; empty when none was left."""
    place = offering.place(appointment, "phone")
    return vault.open_sealed(place, appointment.phone) if appointment.phone else ""


def shown_to_client(session: Session, appointment: Appointment, *, now: datetime) -> OwnAppointment:
    """What a client is shown of their own appointment."""
    service = session.scalars(select(Service.name).where(Service.id == appointment.service_id)).one()
    slot = (
        session.execute(
            select(CounsellingSlot.room, Counsellor.shown_as)
            .join(Counsellor, Counsellor.id == CounsellingSlot.counsellor_id)
            .where(CounsellingSlot.id == appointment.slot_id)
        ).one()
        if appointment.slot_id is not None
        else None
    )
    begins = appointment.during.lower if appointment.during is not None else None
    hours = offering.limits_of(session, appointment.community_id).cancel_hours
    is_early = begins is None or begins - now >= timedelta(hours=hours)
    return OwnAppointment(
        alias=appointment.alias,
        service=service,
        state=appointment.state,
        begins=begins,
        ends=appointment.during.upper if appointment.during is not None else None,
        with_whom=slot.shown_as if slot is not None else None,
        room=slot.room if slot is not None else None,
        offered_until=appointment.offered_until,
        may_cancel=appointment.state in rule.OPEN and (is_early or appointment.state == AppointmentState.OFFERED),
        version=appointment.version,
    )
