"""Booking: on the public web, at the desk or by telephone, under an alias; a time, or a place on the waiting list."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.db import constraint_of
from dispatch.errors import Conflict, Invalid
from dispatch.models.care import Appointment, CounsellingSlot, Counsellor, CounsellorKind
from dispatch.rules.access.roles import Actor
from dispatch.rules.care import counselling as rule
from dispatch.rules.care.counselling import AppointmentState, BookingLimits, Source
from dispatch.rules.grid.phone import normalise_phone
from dispatch.rules.notify.delivery import is_email
from dispatch.rules.queue import Lane
from dispatch.services.access import audit, vault
from dispatch.services.care.counselling import counsellors, offering
from dispatch.services.grid.build import demand_community

REMIND = "care.remind_appointment"
ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtext(:who))")
LONGEST_EMAIL = 200
LONGEST_KEY = 100
OF_A_SLOT = "ex_appointments_counsellor_id_during"
OF_A_PERSON = "ex_appointments_person_index_during"


@dataclass(frozen=True, slots=True)
class Booking:
    """What somebody asks for: a service, a free time or the waiting list, and how they may be reached."""

    service_id: int
    source: Source
    alias: str
    slot_id: int | None = None
    counsellor_id: int | None = None
    phone: str = field(default="", repr=False)
    email: str = field(default="", repr=False)
    form_key: str | None = None


def book(
    session: Session, community_id: int, asked: Booking, *, actor: Actor, now: datetime
) -> tuple[Appointment, str]:
    """Keep an appointment and give its code; the same form sent twice is kept once.

    Without a time it waits until one is free. Raises NotFound, Invalid naming the field, SlotTaken, PersonBusy,
    TooManyOpen, TooManyMissed.
    """
    demand_community(actor, community_id)
    known = by_form(session, community_id, asked.form_key)
    if known is not None:
        return known, code_of(known)
    limits = offering.limits_of(session, community_id)
    appointment = drafted(session, community_id, asked, actor=actor, now=now)
    check_person(session, appointment, limits, now=now)
    if asked.slot_id is not None:
        take_slot(session, appointment, asked.slot_id, limits, now=now)
    keep(session, appointment)
    if appointment.slot_id is not None:
        remind_later(session, appointment, limits, now=now)
    note(session, "book_appointment" if appointment.slot_id else "await_appointment", appointment, actor=actor)
    return appointment, code_of(appointment)


def drafted(session: Session, community_id: int, asked: Booking, *, actor: Actor, now: datetime) -> Appointment:
    """The appointment as it is asked for, without a time yet; raises Invalid naming the field."""
    if asked.service_id not in {kind.id for kind in counsellors.kinds_offered(session, community_id)}:
        raise Invalid("service_id", "请选择一项服务")
    wanted = asked.counsellor_id if asked.slot_id is None else None
    if wanted is not None and wanted not in offering_counsellors(session, community_id, asked.service_id):
        raise Invalid("counsellor_id", "这位咨询师不提供这项服务，请另选")
    if asked.form_key is not None and not 1 <= len(asked.form_key) <= LONGEST_KEY:
        raise Invalid("form_key", "请重新打开这一页再填")
    appointment = Appointment(
        uid=uuid4(),
        community_id=community_id,
        service_id=asked.service_id,
        wanted_counsellor_id=wanted,
        alias=rule.check_alias(asked.alias),
        source=str(asked.source),
        form_key=asked.form_key,
        state=str(AppointmentState.WAITING),
        created_by=actor.user_id,
        created_by_key=actor.key_alone,
        created_at=now,
    )
    seal_contact(appointment, asked)
    appointment.code_index = index_of(code_of(appointment))
    return appointment


def offering_counsellors(session: Session, community_id: int, service_id: int) -> set[int]:
    """The counsellors of a community who offer a service now."""
    query = (
        select(Counsellor.id)
        .join(CounsellorKind, CounsellorKind.counsellor_id == Counsellor.id)
        .where(
            Counsellor.community_id == community_id,
            Counsellor.ended_at.is_(None),
            CounsellorKind.service_id == service_id,
        )
    )
    return set(session.scalars(query))


def seal_contact(appointment: Appointment, asked: Booking) -> None:
    """Keep how somebody may be reached; only at the desk nothing need be left. Raises Invalid naming the field."""
    phone = normalise_phone(asked.phone) if asked.phone.strip() else None
    if phone is None and asked.source is not Source.DESK:
        raise Invalid("phone", "请留一个电话，时间有变才好告诉您")
    email = asked.email.strip()
    if email and (len(email) > LONGEST_EMAIL or not is_email(email)):
        raise Invalid("email", "请填写完整的电子邮箱，提醒从这里送达；也可以不填")
    if phone is not None:
        appointment.phone = vault.seal(offering.place(appointment, "phone"), phone)
        appointment.person_index = vault.blind_index("appointment.person", phone)
    appointment.email = vault.seal(offering.place(appointment, "email"), email) if email else None


def code_of(appointment: Appointment) -> str:
    """The code by which a client finds their own appointment; it hangs on DISPATCH_SECRET and is kept nowhere."""
    return rule.code_of(vault.keyed("appointments.code", str(appointment.uid)))


def index_of(code: str) -> bytes:
    """By what a code is found."""
    return vault.blind_index("appointment.code", rule.spelling_of(code))


def by_form(session: Session, community_id: int, form_key: str | None) -> Appointment | None:
    """What came from this very form before."""
    if form_key is None:
        return None
    query = select(Appointment).where(Appointment.community_id == community_id, Appointment.form_key == form_key)
    return session.scalars(query).one_or_none()


def check_person(session: Session, appointment: Appointment, limits: BookingLimits, *, now: datetime) -> None:
    """Refuse who has too many times ahead, and on the web who has often not come. One person books at a time."""
    if appointment.person_index is None:
        return
    session.execute(ONE_AT_A_TIME, {"who": f"appointment:{appointment.person_index.hex()}"})
    ahead = session.execute(
        select(func.count())
        .select_from(Appointment)
        .where(
            Appointment.community_id == appointment.community_id,
            Appointment.person_index == appointment.person_index,
            Appointment.state.in_(rule.OPEN),
            (func.upper(Appointment.during) > now) | Appointment.during.is_(None),
        )
    ).scalar_one()
    if ahead >= limits.most_open:
        raise rule.TooManyOpen(most=limits.most_open)
    since = now - timedelta(days=limits.missed_days)
    if appointment.source == Source.WEB and offering.missed_of(session, appointment, since) >= limits.most_missed:
        raise rule.TooManyMissed


def take_slot(
    session: Session, appointment: Appointment, slot_id: int, limits: BookingLimits, *, now: datetime
) -> None:
    """Put a free time into an appointment that is not kept yet; raises Invalid, SlotTaken."""
    query = select(CounsellingSlot).where(
        CounsellingSlot.id == slot_id, CounsellingSlot.community_id == appointment.community_id
    )
    slot = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    begins = slot.during.lower if slot is not None else None
    if slot is None or begins is None:
        raise Invalid("slot_id", "请选择一个时间")
    if slot.counsellor_id not in offering_counsellors(session, appointment.community_id, appointment.service_id):
        raise Invalid("slot_id", "这个时间不提供这项服务，请另选一个")
    if slot.withdrawn_at is not None or not now < begins <= now + timedelta(days=limits.days_ahead):
        raise rule.SlotTaken
    appointment.state = str(AppointmentState.BOOKED)
    appointment.slot_id, appointment.counsellor_id, appointment.during = slot.id, slot.counsellor_id, slot.during


def keep(session: Session, appointment: Appointment) -> None:
    """Write an appointment; the database decides who was first. Raises SlotTaken, PersonBusy, Conflict."""
    try:
        with session.begin_nested():
            session.add(appointment)
    except IntegrityError as error:
        raise refused(error) from error


def refused(error: IntegrityError) -> Conflict:
    """What it means that the database refused an appointment."""
    name = constraint_of(error)
    if name == OF_A_PERSON:
        return rule.PersonBusy()
    return rule.SlotTaken() if name == OF_A_SLOT else Conflict()


def remind_later(session: Session, appointment: Appointment, limits: BookingLimits, *, now: datetime) -> None:
    """A job tells the client of the time some hours before; who books later than that needs no reminder."""
    begins = appointment.during.lower if appointment.during is not None else None
    at = begins - timedelta(hours=limits.remind_hours) if begins is not None else None
    if at is None or at <= now:
        appointment.reminded_at = now
        return
    about = {"reference": appointment.id, "run_at": at, "dedupe": f"{REMIND}:{appointment.id}"}
    queue.enqueue(session, REMIND, lane=Lane.DEADLINE, **about)  # type: ignore[arg-type]


def note(session: Session, deed: str, appointment: Appointment, *, actor: Actor) -> None:
    """The audit entry of what was done with an appointment: never what it is about, never with whom."""
    about = {"actor": actor, "community_id": appointment.community_id}
    audit.record(session, f"care.{deed}", "appointments", appointment.id, **about)  # type: ignore[arg-type]
