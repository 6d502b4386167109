"""Recording a visit or a call: it meets what it counts for in its own transaction, and ends what is needless now."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid
from dispatch.models.care import Contact, DutyOrder, DutyPeriod
from dispatch.models.catalogue import Performer
from dispatch.models.grid import Household, Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM, Actor
from dispatch.rules.care import duties, recording
from dispatch.rules.care.duties import Happened, Owed
from dispatch.rules.care.terms import ContactKind, DutyKind, PeriodState, Proof
from dispatch.services.access import audit, policies, reach, vault
from dispatch.services.care import cases, helping, misses, periods
from dispatch.services.care.cases import Case
from dispatch.services.care.difficulties import open_difficulty
from dispatch.services.care.door import fits
from dispatch.services.care.ending import end_orders
from dispatch.services.care.telling import tell_visit
from dispatch.services.care.unanswered import hear_unanswered

BY_PHONE = "care.return_visit_by_phone"
RECORDED_WITHIN = "care.record_days"


class AlreadyRecorded(Conflict):
    """这张订单的探访已经登记过"""


@dataclass(frozen=True, slots=True)
class Record:
    """What is reported of a visit or call. `difficulty_code` is the kind of the order that a difficulty becomes."""

    household_id: int
    kind: str
    happened_at: datetime
    resident_id: int | None = None
    performer_id: int | None = None
    answered: bool = True
    tested: bool = False
    confirmed: bool = False
    door_code: str = ""
    mood: str | None = None
    complaint: str = field(default="", repr=False)
    difficulty: str = field(default="", repr=False)
    difficulty_code: str | None = None
    note: str = field(default="", repr=False)
    signature: bytes | None = field(default=None, repr=False)
    order_id: int | None = None


def record_contact(session: Session, record: Record, *, actor: Actor, now: datetime) -> Contact:
    """Record a visit or call; what it meets is met at once. Raises Invalid naming the field, AlreadyRecorded."""
    kind = recording.kind_of(record.kind)
    recording.check_answered(kind, record.mood, answered=record.answered, tested=record.tested)
    community_id = home_in_reach(session, record, actor=actor)
    recording.check_moment(record.happened_at, now, days=int(policies.policy(session, community_id, RECORDED_WITHIN)))
    record = replace(record, performer_id=helper_of(session, record, community_id, actor=actor))
    given = fits(record.household_id, record.door_code) if record.door_code.strip() else None
    signed = record.signature is not None
    proof = recording.proof_of(kind, code_fits=given, confirmed=record.confirmed, signed=signed)
    return keep(session, record, kind, proof, community_id=community_id, actor=actor, now=now)


def home_in_reach(session: Session, record: Record, *, actor: Actor) -> int:
    """The community of the home; raises Invalid for one out of reach, or for a person who does not live there."""
    community_id = session.scalars(
        select(Household.community_id).where(Household.id == record.household_id, reach.visible(Household, actor))
    ).one_or_none()
    if community_id is None:
        raise Invalid("household_id", "没有这一户,请重新选择")
    if record.resident_id is not None:
        lives = select(Resident.id).where(
            Resident.id == record.resident_id, Resident.household_id == record.household_id
        )
        if session.scalars(lives).one_or_none() is None:
            raise Invalid("resident_id", "这位居民不住在这一户,请重新选择")
    return community_id


def helper_of(session: Session, record: Record, community_id: int, *, actor: Actor) -> int | None:
    """Who came, of the community; a helper records in nobody else's name. Raises Invalid("performer_id")."""
    own = actor.performer_id if actor.narrowed else None
    if record.performer_id is None:
        return own
    found = select(Performer.id).where(Performer.id == record.performer_id, Performer.community_id == community_id)
    if session.scalars(found).one_or_none() is None:
        raise Invalid("performer_id", "没有这位帮扶人,请重新选择")
    if own is not None and record.performer_id != own:
        raise Invalid("performer_id", "只能登记您自己去过的探访")
    return record.performer_id


def keep(
    session: Session, record: Record, kind: ContactKind, proof: Proof, *, community_id: int, actor: Actor, now: datetime
) -> Contact:
    """Keep a checked contact, meet what it counts for, and do what follows from it."""
    found = cases.load(session, cases.enrolments_at(session, record.household_id), locked=True)
    if record.order_id is not None and contact_of(session, record.order_id) is not None:
        raise AlreadyRecorded
    contact = row_of(record, kind, proof, community_id=community_id, actor=actor, now=now)
    enter(session, contact, found, signature=record.signature, actor=actor, now=now)
    if not contact.answered:
        hear_unanswered(session, contact, found, now=now)
    if record.difficulty.strip():
        open_difficulty(session, contact, record.difficulty, record.difficulty_code, now=now)
    bench = helping.bench_of(session, community_id, today=clock.today(now))
    periods.renew(session, found, bench, now=now)
    return contact


def record_signal(session: Session, resident: Resident, *, now: datetime) -> Contact | None:
    """Keep the test signal of a person's device as what meets the live test that is due; None where none is.

    It shows nobody at the door, so it meets nothing else. Whoever holds the order of the test has done it.
    """
    today, household_id = clock.today(now), resident.household_id
    if household_id is None:
        return None
    found = cases.load(session, cases.enrolments_at(session, household_id), locked=True)
    owed = [
        period
        for case in found
        if case.enrolment.resident_id == resident.id
        for kind, period in case.due()
        if kind is DutyKind.LIVE_TEST and period.starts_on <= today <= period.until
    ]
    if not owed:
        return None
    who = tester_of(session, owed[0])
    record = Record(household_id, str(ContactKind.TEST), now, resident.id, performer_id=who, tested=True)
    community_id = resident.community_id
    contact = row_of(record, ContactKind.TEST, Proof.SIGNAL, community_id=community_id, actor=SYSTEM, now=now)
    own = [case for case in found if case.enrolment.resident_id == resident.id]
    enter(session, contact, own, signature=None, actor=SYSTEM, now=now)
    periods.renew(session, own, helping.bench_of(session, community_id, today=today), now=now)
    return contact


def tester_of(session: Session, period: DutyPeriod) -> int | None:
    """Who holds the order that works for a period; None where nobody is on the way."""
    query = (
        select(Order.performer_id)
        .join(DutyOrder, DutyOrder.order_id == Order.id)
        .where(DutyOrder.period_id == period.id, DutyOrder.outcome == "under_way")
    )
    return session.scalars(query.limit(1)).one_or_none()


def enter(
    session: Session,
    contact: Contact,
    found: Sequence[Case],
    *,
    signature: bytes | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Enter a contact with its audit entry; what it counts for is met, what it makes needless is ended."""
    session.add(contact)
    session.flush()
    audit.record(session, "care.record_contact", "contacts", contact.id, actor=actor, community_id=contact.community_id)
    met = meet(session, contact, found, now=now)
    end_orders(session, contact, found, met, signature=signature, now=now)


def contact_of(session: Session, order_id: int) -> Contact | None:
    """What was recorded for an order."""
    return session.scalars(select(Contact).where(Contact.order_id == order_id)).one_or_none()


def row_of(
    record: Record, kind: ContactKind, proof: Proof, *, community_id: int, actor: Actor, now: datetime
) -> Contact:
    """A contact to be kept, its words sealed."""
    uid = uuid4()

    def sealed(name: str, words: str) -> bytes | None:
        said = recording.check_words(name, words)
        return vault.seal(f"contacts.{name}.{uid}", said) if said else None

    return Contact(
        uid=uid,
        community_id=community_id,
        household_id=record.household_id,
        resident_id=record.resident_id,
        kind=str(kind),
        happened_at=record.happened_at,
        day=clock.today(record.happened_at),
        answered=record.answered,
        tested=record.tested,
        performer_id=record.performer_id,
        order_id=record.order_id,
        proof=str(proof),
        mood=record.mood or None,
        complaint=sealed("complaint", record.complaint),
        difficulty=sealed("difficulty", record.difficulty),
        note=sealed("note", record.note),
        recorded_by=actor.user_id,
        recorded_at=now,
    )


def meet(session: Session, contact: Contact, found: Sequence[Case], *, now: datetime) -> list[DutyPeriod]:
    """Meet the periods of a home that a contact counts for; the alarms of these and of what was missed are over."""
    happened = Happened(contact.day, ContactKind(contact.kind), contact.answered, contact.tested)
    by_phone = bool(policies.policy(session, contact.community_id, BY_PHONE))
    due = {period.id: (kind, period) for case in found for kind, period in case.due()}
    owed = [
        Owed(period.id, kind, period.starts_on, period.until, PeriodState(period.state))
        for kind, period in due.values()
    ]
    met = [due[one][1] for one in duties.discharges(happened, owed, by_phone=by_phone)]
    for period in met:
        period.contact_id = contact.id
        periods.change(period, PeriodState.MET, contact.day, now=now)
    session.flush()
    misses.hush(session, met, now=now)
    tell_children(session, found, met, contact, now=now)
    if contact.answered and contact.kind != ContactKind.CALL:
        of_test = contact.kind == ContactKind.TEST
        there = [
            duty.id for case in found for duty in case.duties.values() if not of_test or duty.kind == DutyKind.LIVE_TEST
        ]
        misses.hush_missed(session, there, now=now)
    return met


def tell_children(
    session: Session, found: Sequence[Case], met: Sequence[DutyPeriod], contact: Contact, *, now: datetime
) -> None:
    """The children of who was visited for the month hear of it, by consent (减少子女的担忧)."""
    for case in found:
        resident_id = case.enrolment.resident_id
        own = [period for period in met if period.duty_id in case.duties]
        for period in own:
            if resident_id is not None and case.kind_of(period) is DutyKind.MONTHLY_VISIT:
                tell_visit(session, resident_id, period.id, day=contact.day, now=now)
