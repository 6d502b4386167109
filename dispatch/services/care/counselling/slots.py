"""Times that counsellors open: free ones for who books, one's own with who has them, withdrawn while nobody has."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.care import Appointment, CounsellingSlot, Counsellor, CounsellorKind
from dispatch.rules.access.roles import Actor
from dispatch.rules.care import counselling as rule
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit
from dispatch.services.care.counselling import counsellors, offering

MOST_SHOWN = 200
MOST_WEEKS = 12
WEEK = timedelta(weeks=1)
HELD = ("offered", "booked", "kept", "missed")


class SlotsOverlap(Conflict):
    """这个时间与您已经开放的时间重叠，请改一下"""


class SlotHeld(Conflict):
    """这个时间已经有人约了，请先取消预约"""


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A time that can be taken: when, and with whom."""

    id: int
    begins: datetime
    ends: datetime
    shown_as: str


def begins() -> object:
    """When a time begins, as a column."""
    return func.lower(CounsellingSlot.during)


def open_slots(
    session: Session, begins_at: datetime, ends_at: datetime, room: str, *, weeks: int = 1, actor: Actor, now: datetime
) -> list[CounsellingSlot]:
    """Open a time, or the same one for some weeks; who waits for such a time is offered it at once.

    Raises NotAllowed, Invalid, SlotsOverlap.
    """
    counsellor = counsellors.own(session, actor=actor)
    rule.check_time(begins_at, ends_at, now)
    place = check_text("room", room, rule.LONGEST_ROOM)
    if not place:
        raise Invalid("room", "请写明在哪个房间")
    if not 1 <= weeks <= MOST_WEEKS:
        raise Invalid("weeks", "一次最多开放12周")
    made = [
        CounsellingSlot(
            community_id=counsellor.community_id,
            counsellor_id=counsellor.id,
            during=Range(begins_at + number * WEEK, ends_at + number * WEEK),
            room=place,
            created_at=now,
        )
        for number in range(weeks)
    ]
    try:
        with session.begin_nested():
            session.add_all(made)
    except IntegrityError as error:
        raise SlotsOverlap from error
    for slot in made:
        note(session, "open_slot", slot, actor=actor)
        offering.offer_next(session, slot, now=now)
    return made


def withdraw(session: Session, slot_id: int, *, actor: Actor, now: datetime) -> CounsellingSlot:
    """Take back one's own time that nobody has; said twice is said once. Raises NotFound, SlotHeld."""
    own = CounsellingSlot.counsellor_id.in_(counsellors.owned(actor))
    query = select(CounsellingSlot).where(CounsellingSlot.id == slot_id, own)
    slot = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if slot is None:
        raise NotFound
    if slot.withdrawn_at is None:
        if session.execute(held(slot.id)).first() is not None:
            raise SlotHeld
        slot.withdrawn_at = now
        note(session, "withdraw_slot", slot, actor=actor)
    return slot


def held(slot_id: object) -> Select[int]:
    """Who has a time, or had it when it came."""
    return select(Appointment.id).where(Appointment.slot_id == slot_id, Appointment.state.in_(HELD))


def free_slots(
    session: Session,
    community_id: int,
    service_id: int,
    *,
    counsellor_id: int | None = None,
    days_ahead: int,
    now: datetime,
) -> list[FreeSlot]:
    """The free times for a service in the coming days, the soonest first. One query."""
    query = (
        select(CounsellingSlot.id, CounsellingSlot.during, Counsellor.shown_as)
        .join(Counsellor, Counsellor.id == CounsellingSlot.counsellor_id)
        .join(CounsellorKind, CounsellorKind.counsellor_id == Counsellor.id)
        .where(
            CounsellingSlot.community_id == community_id,
            CounsellorKind.service_id == service_id,
            Counsellor.ended_at.is_(None),
            CounsellingSlot.withdrawn_at.is_(None),
            func.lower(CounsellingSlot.during) > now,
            func.lower(CounsellingSlot.during) <= now + timedelta(days=days_ahead),
            ~held(CounsellingSlot.id).exists(),
        )
        .order_by(func.lower(CounsellingSlot.during), CounsellingSlot.id)
        .limit(MOST_SHOWN)
    )
    if counsellor_id is not None:
        query = query.where(Counsellor.id == counsellor_id)
    return [FreeSlot(row.id, row.during.lower, row.during.upper, row.shown_as) for row in session.execute(query)]


def own_free_slots(session: Session, *, actor: Actor, now: datetime) -> Sequence[CounsellingSlot]:
    """The counsellor's own times to come that nobody has, the soonest first; raises NotAllowed."""
    counsellor = counsellors.own(session, actor=actor)
    query = select(CounsellingSlot).where(
        CounsellingSlot.counsellor_id == counsellor.id,
        CounsellingSlot.withdrawn_at.is_(None),
        func.lower(CounsellingSlot.during) > now,
        ~held(CounsellingSlot.id).exists(),
    )
    return session.scalars(query.order_by(func.lower(CounsellingSlot.during)).limit(MOST_SHOWN)).all()


def note(session: Session, deed: str, slot: CounsellingSlot, *, actor: Actor) -> None:
    """The audit entry of what was done with a time."""
    about = {"actor": actor, "community_id": slot.community_id}
    audit.record(session, f"care.{deed}", "counselling_slots", slot.id, **about)  # type: ignore[arg-type]
