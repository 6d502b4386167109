"""A death or a move is one transaction with all that follows from it; either all of it happens or nothing."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import exists, or_, select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.care import Enrolment, GroupMember, LifeEffect, LifeEvent, VisitSchedule
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.events import Event
from dispatch.rules.care.terms import AbsenceKind, End
from dispatch.services import care, grid, notify
from dispatch.services.access import reach
from dispatch.services.care import alarms, condoling, events, hosting, retiring, vouchers
from dispatch.services.care.events import EventDraft
from dispatch.services.grid import leaving as register
from dispatch.services.market.departing import depart

TOLD = "death_told"
REASONS = {Event.DEATH: "亡故", Event.MOVED_AWAY: "迁出"}
ENDS = {Event.DEATH: End.DIED, Event.MOVED_AWAY: End.MOVED}


@dataclass(frozen=True, slots=True)
class Departure:
    """Who is gone, from which day on, by which event; who says so, and when."""

    event: LifeEvent
    resident: Resident
    day: date
    actor: Actor
    now: datetime

    @property
    def kind(self) -> Event:
        """A death or a move."""
        return Event(self.event.kind)


Consequence = Callable[[Session, Departure], Iterable[tuple[str, int]]]


def record_death(session: Session, draft: EventDraft, *, actor: Actor, now: datetime) -> LifeEvent:
    """Somebody has died: the bereaved are visited, and everything that was to come for the dead ends with it.

    Said twice is said once, also by two at once. Raises Invalid naming the field.
    """
    return depart_with(session, draft, Event.DEATH, actor=actor, now=now)


def record_move(session: Session, draft: EventDraft, *, actor: Actor, now: datetime) -> LifeEvent:
    """Somebody has moved away for good: what was to come here ends. Raises Invalid naming the field."""
    return depart_with(session, draft, Event.MOVED_AWAY, actor=actor, now=now)


def depart_with(session: Session, draft: EventDraft, kind: Event, *, actor: Actor, now: datetime) -> LifeEvent:
    """Keep the event and let all its consequences follow, in their order."""
    resident = session.scalars(
        select(Resident)
        .where(Resident.id == (draft.resident_id or 0), reach.visible(Resident, actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if resident is None:
        raise Invalid("resident_id", "居民台账里没有这个人,请重新选择")
    known = standing(session, resident.id, kind)
    if known is not None and (kind is Event.DEATH or resident.left_at is not None):
        return known
    about = EventDraft(kind, draft.happened_on, resident.id, resident.household_id, draft.source, draft.order_id,
                       draft.words)  # fmt: skip
    event = events.keep_event(session, about, actor=actor, now=now)
    events.condole(session, event, draft.performer_id, now=now)
    departure = Departure(event, resident, draft.happened_on, actor, now)
    for consequence in CONSEQUENCES:
        for subject, row_id in consequence(session, departure):
            effect = LifeEffect(event_id=event.id, subject=subject, subject_id=row_id, community_id=event.community_id)
            session.add(effect)
        session.flush()
    notify.clear_alarms(session, kinds=(TOLD,), subject=f"residents:{resident.id}", now=now)
    return event


def standing(session: Session, resident_id: int, kind: Event) -> LifeEvent | None:
    """The event of this kind that was told of somebody and not taken back."""
    query = select(LifeEvent).where(
        LifeEvent.resident_id == resident_id, LifeEvent.kind == str(kind), LifeEvent.withdrawn_at.is_(None)
    )
    return session.scalars(query.order_by(LifeEvent.id.desc()).limit(1)).one_or_none()


def end_stays(session: Session, departure: Departure) -> Iterable[tuple[str, int]]:
    """A stay in hospital ends with the day, and what other events still owed is owed no more."""
    query = select(LifeEvent).where(
        LifeEvent.resident_id == departure.resident.id,
        LifeEvent.id != departure.event.id,
        LifeEvent.withdrawn_at.is_(None),
    )
    reason = REASONS[departure.kind]
    for event in session.scalars(query.with_for_update()).all():
        for visit in condoling.end_visits(session, event, reason=reason, now=departure.now):
            yield "condolences", visit.id
        if event.kind == Event.HOSPITAL and event.until is None:
            event.until = max(departure.day, event.happened_on)
            yield "life_events", event.id
    for kind in AbsenceKind:
        ended = care.end_absence(session, departure.resident.id, kind, until=departure.day, actor=departure.actor)
        if ended is not None:
            yield "absences", ended.id


def end_enrolments(session: Session, departure: Departure) -> Iterable[tuple[str, int]]:
    """The person's programmes end, the household's with its last elder; their open periods are excused with it."""
    home_id = departure.resident.household_id
    others = exists().where(
        Resident.household_id == home_id, Resident.id != departure.resident.id, Resident.left_at.is_(None)
    )
    query = select(Enrolment.id).where(
        Enrolment.ends_on.is_(None),
        or_(Enrolment.resident_id == departure.resident.id, (Enrolment.household_id == home_id) & ~others),
    )
    ids = list(session.scalars(query.order_by(Enrolment.id)))
    if not ids:
        return []
    code, reason = ENDS[departure.kind], REASONS[departure.kind]
    ended = care.end_cases(
        session, ids, code=code, reason=reason, ends_on=departure.day, actor=departure.actor, now=departure.now
    )
    return [("enrolments", one.id) for one in ended]


def end_schedules(session: Session, departure: Departure) -> Iterable[tuple[str, int]]:
    """The planned visits end; those that nobody has accepted are cancelled."""
    query = select(VisitSchedule.id).where(
        VisitSchedule.resident_id == departure.resident.id, VisitSchedule.ended_at.is_(None)
    )
    ids = list(session.scalars(query.order_by(VisitSchedule.id)))
    for schedule_id in ids:
        reason = REASONS[departure.kind]
        care.end_schedule(session, schedule_id, reason=reason, actor=departure.actor, now=departure.now)
    return [("visit_schedules", one) for one in ids]


def end_memberships(session: Session, departure: Departure) -> Iterable[tuple[str, int]]:
    """The groups of 三访 lose a member."""
    query = select(GroupMember).where(GroupMember.resident_id == departure.resident.id, GroupMember.until.is_(None))
    found = session.scalars(query.with_for_update()).all()
    for member in found:
        member.until = max(departure.day, member.since)
    return [("care_group_members", member.id) for member in found]


def lapse_invitations(session: Session, departure: Departure) -> Iterable[tuple[str, int]]:
    """The invitations to festivals lapse, and a ride for them alone is called back."""
    ids = hosting.lapse_invitations(session, departure.resident.id, now=departure.now)
    return [("festival_invitations", one) for one in ids]


def freeze_voucher(session: Session, departure: Departure) -> Iterable[tuple[str, int]]:
    """Nothing is taken of the voucher any more."""
    frozen = vouchers.freeze(session, departure.resident.id, actor=departure.actor, now=departure.now)
    return [("vouchers", one.id) for one in frozen]


def recover_device(session: Session, departure: Departure) -> Iterable[tuple[str, int]]:
    """Somebody is sent for the device."""
    order = alarms.ask_recovery(session, departure.resident.id, now=departure.now)
    return [] if order is None else [("orders", order.id)]


def end_card(session: Session, departure: Departure) -> Iterable[tuple[str, int]]:
    """What the love supermarket approved for them ends, and their card opens nothing any more."""
    return depart(session, departure.resident.id, actor=departure.actor, now=departure.now)


def end_posts(session: Session, departure: Departure) -> Iterable[tuple[str, int]]:
    """The posts of the grid that they held are vacant, which alarms who fills them."""
    held = grid.end_posts_of(session, departure.resident.id, departure.day, actor=departure.actor)
    return [("posts", one) for one in held]


def stand_down(session: Session, departure: Departure) -> Iterable[tuple[str, int]]:
    """A helper or worker who has died is asked for nothing any more, others are; who moves away may still come."""
    if departure.kind is not Event.DEATH:
        return []
    return retiring.stand_down(session, departure.resident.id, actor=departure.actor, now=departure.now)


def leave_register(session: Session, departure: Departure) -> Iterable[tuple[str, int]]:
    """The register knows them as gone; the history of the home stays."""
    residence = register.leave(session, departure.resident, departure.day, actor=departure.actor, now=departure.now)
    yield "residents", departure.resident.id
    if residence is not None:
        yield "residences", residence.id


CONSEQUENCES: tuple[Consequence, ...] = (
    end_stays,
    end_enrolments,
    end_schedules,
    end_memberships,
    lapse_invitations,
    freeze_voucher,
    recover_device,
    end_card,
    end_posts,
    stand_down,
    leave_register,
)
"""What follows, in this order: the register is last, as the others still ask it where the home is."""
