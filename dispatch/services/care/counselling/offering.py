"""The waiting list: a time that becomes free is held some hours for who has waited longest, then for the next."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session, aliased

from dispatch import queue
from dispatch.models.care import Appointment, CounsellingSlot, Counsellor, CounsellorKind
from dispatch.rules.access.roles import CLOCK
from dispatch.rules.care import counselling as rule
from dispatch.rules.care.counselling import AppointmentState, BookingLimits
from dispatch.rules.notify.texts import said
from dispatch.rules.queue import Lane
from dispatch.services import notify
from dispatch.services.access import audit, policies, vault

LAPSE = "care.lapse_offer"
KEYS = ("days_ahead", "cancel_hours", "offer_hours", "remind_hours", "most_open", "most_missed", "missed_days")


def limits_of(session: Session, community_id: int) -> BookingLimits:
    """What the community allows who books."""
    found = policies.policies(session, community_id, [f"counselling.{key}" for key in KEYS])
    return BookingLimits(**{key: found[f"counselling.{key}"] for key in KEYS})


def offer_next(session: Session, slot: CounsellingSlot, *, now: datetime) -> Appointment | None:
    """Hold a free time for who has waited longest for such a one; None when nobody waits or it is too late.

    The caller has the time locked, or has just made it.
    """
    begins = slot.during.lower
    if begins is None or slot.withdrawn_at is not None:
        return None
    until = rule.offer_ends(begins, now, limits_of(session, slot.community_id).offer_hours)
    if until is None:
        return None
    appointment = first_waiting(session, slot)
    if appointment is None:
        return None
    appointment.state = str(rule.step(appointment.state, AppointmentState.OFFERED))
    appointment.slot_id, appointment.counsellor_id = slot.id, slot.counsellor_id
    appointment.during, appointment.offered_until = slot.during, until
    appointment.version += 1
    session.flush()
    note(session, "offer_slot", appointment)
    queue.enqueue(
        session,
        LAPSE,
        lane=Lane.DEADLINE,
        reference=appointment.id,
        run_at=until,
        dedupe=f"{LAPSE}:{appointment.id}",
    )
    tell(session, appointment, notify.APPOINTMENT_OFFER, {"wanted": said(begins), "until": said(until)}, now=now)
    return appointment


def first_waiting(session: Session, slot: CounsellingSlot) -> Appointment | None:
    """Who has waited longest for a time of this counsellor and has nothing else then, locked."""
    other = aliased(Appointment)
    busy = select(other.id).where(
        other.community_id == Appointment.community_id,
        other.person_index == Appointment.person_index,
        other.state.in_(("offered", "booked", "kept", "missed")),
        other.during.op("&&")(slot.during),
    )
    offered = select(CounsellorKind.service_id).where(CounsellorKind.counsellor_id == slot.counsellor_id)
    query = (
        select(Appointment)
        .where(
            Appointment.community_id == slot.community_id,
            Appointment.state == AppointmentState.WAITING,
            Appointment.service_id.in_(offered),
            or_(
                Appointment.wanted_counsellor_id.is_(None),
                Appointment.wanted_counsellor_id == slot.counsellor_id,
            ),
            ~busy.exists(),
            select(Counsellor.id).where(Counsellor.id == slot.counsellor_id, Counsellor.ended_at.is_(None)).exists(),
        )
        .order_by(Appointment.id)
        .limit(1)
    )
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()


def lapse(session: Session, appointment_id: int, *, now: datetime) -> bool:
    """An offer that nobody answered is over: the time goes to who is next. False when it was answered."""
    query = select(Appointment).where(Appointment.id == appointment_id, Appointment.state == AppointmentState.OFFERED)
    appointment = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if appointment is None or appointment.offered_until is None or appointment.offered_until > now:
        return False
    end(appointment, AppointmentState.LAPSED, rule.EndedBy.CLOCK, now=now)
    session.flush()
    note(session, "lapse_offer", appointment)
    free(session, appointment, now=now)
    return True


def end(appointment: Appointment, state: AppointmentState, by: rule.EndedBy, *, now: datetime) -> None:
    """Let a locked appointment end; raises AppointmentNotThere."""
    appointment.state = str(rule.step(appointment.state, state))
    appointment.offered_until = None
    appointment.ended_by, appointment.ended_at = str(by), now
    appointment.version += 1


def free(session: Session, appointment: Appointment, *, now: datetime) -> None:
    """The time of an appointment that ended before it began goes to who is next."""
    if appointment.slot_id is None:
        return
    query = select(CounsellingSlot).where(CounsellingSlot.id == appointment.slot_id).with_for_update()
    offer_next(session, session.scalars(query).one(), now=now)


def tell(session: Session, appointment: Appointment, template: str, facts: Mapping[str, str], *, now: datetime) -> bool:
    """Write a letter that says nothing but a time, where an address was left; whether there was one."""
    if appointment.email is None:
        return False
    notify.write_letter(
        session,
        dedupe=f"{template}:{appointment.id}:{appointment.version}",
        address=vault.open_sealed(place(appointment, "email"), appointment.email),
        community_id=appointment.community_id,
        facts=dict(facts),
        now=now,
        template=template,
    )
    return True


def place(appointment: Appointment, column: str) -> str:
    """Where a field of an appointment is sealed."""
    return f"appointments.{column}.{appointment.uid}"


def missed_of(session: Session, appointment: Appointment, since: datetime) -> int:
    """How often whoever this is for did not come since then."""
    if appointment.person_index is None:
        return 0
    return session.execute(
        select(func.count())
        .select_from(Appointment)
        .where(
            Appointment.community_id == appointment.community_id,
            Appointment.person_index == appointment.person_index,
            Appointment.state == AppointmentState.MISSED,
            Appointment.ended_at >= since,
        )
    ).scalar_one()


def note(session: Session, deed: str, appointment: Appointment) -> None:
    """The audit entry of what the clock did; nothing in it says what it is about."""
    about = {"actor": CLOCK, "community_id": appointment.community_id}
    audit.record(session, f"care.{deed}", "appointments", appointment.id, **about)  # type: ignore[arg-type]
