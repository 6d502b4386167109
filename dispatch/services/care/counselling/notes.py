"""Notes: written for the counsellor's public key, read with the passphrase; disclosures in danger; forgetting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID, uuid4

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.care import Appointment, CounsellingNote, DangerDisclosure, SealingKey
from dispatch.rules.access.roles import CLOCK, Actor
from dispatch.rules.care import counselling as rule
from dispatch.rules.care.counselling import Danger, Told
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit, policies
from dispatch.services.care.counselling import booking, keeping, keys, sealing

KEEP = "counselling.keep_years"
DISCLOSED, DISCLOSURES = "care.disclose_danger", "danger_disclosures"
FORGOTTEN = "—"
AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ReadNote:
    """An opened note, or what was told in danger (`told`)."""

    at: datetime
    words: str = field(repr=False)
    danger: str | None = None
    told: str | None = None


def note_place(uid: UUID) -> str:
    """Where a note is sealed."""
    return f"counselling_notes.sealed.{uid}"


def disclosure_place(uid: UUID) -> str:
    """Where the words of a disclosure are sealed."""
    return f"danger_disclosures.sealed.{uid}"


def write_note(session: Session, appointment_id: int, words: str, *, actor: Actor, now: datetime) -> CounsellingNote:
    """Seal a note of one's own appointment, for which no passphrase is needed; it is never changed.

    Raises NotFound, NoKey, Invalid("words", …).
    """
    appointment = keeping.of_counsellor(session, appointment_id, actor=actor)
    plain = check_text("words", words, rule.LONGEST_NOTE)
    if not plain:
        raise Invalid("words", "还没有写内容")
    key = keys.demanded(session, appointment.community_id, keys.COUNSELLOR, actor=actor)
    uid = uuid4()
    made = CounsellingNote(
        uid=uid,
        community_id=appointment.community_id,
        appointment_id=appointment.id,
        key_id=key.id,
        sealed=sealing.seal_for(key.public_key, note_place(uid), plain.encode()),
        keep_until=keep_until(session, appointment.community_id, now),
        created_at=now,
    )
    session.add(made)
    session.flush()
    booking.note(session, "write_counselling_note", appointment, actor=actor)
    return made


def keep_until(session: Session, community_id: int, now: datetime) -> date:
    """The last day on which something that is written now is kept."""
    return rule.years_later(clock.today(now), policies.policy(session, community_id, KEEP))


def disclose(
    session: Session,
    appointment_id: int,
    danger: Danger,
    told: Told,
    words: str,
    *,
    actor: Actor,
    now: datetime,
) -> DangerDisclosure:
    """Record what was told to avert a danger, to whom and why; the words are few, and sealed like a note.

    Raises NotFound, NoKey, Invalid("words", …).
    """
    appointment = keeping.of_counsellor(session, appointment_id, actor=actor)
    plain = check_text("words", words, rule.LONGEST_DISCLOSURE)
    if not plain:
        raise Invalid("words", "请写明告诉了什么，只写防止危险必须说的")
    key = keys.demanded(session, appointment.community_id, keys.COUNSELLOR, actor=actor)
    uid = uuid4()
    made = DangerDisclosure(
        uid=uid,
        community_id=appointment.community_id,
        appointment_id=appointment.id,
        key_id=key.id,
        danger=str(danger),
        told=str(told),
        sealed=sealing.seal_for(key.public_key, disclosure_place(uid), plain.encode()),
        keep_until=keep_until(session, appointment.community_id, now),
        created_by=actor.user_id,
        created_at=now,
    )
    session.add(made)
    session.flush()
    fields = {"danger": str(danger), "told": str(told)}
    audit.record(session, DISCLOSED, DISCLOSURES, made.id, actor=actor, community_id=made.community_id, fields=fields)
    return made


def read_notes(session: Session, appointment_id: int, passphrase: str, *, actor: Actor) -> list[ReadNote]:
    """Open what a counsellor wrote about one of their own appointments, the oldest first; the reading is audited.

    What was sealed for a key that was replaced is left out: both holders open that. Raises NotFound, NoKey,
    WrongPassphrase, SealBroken.
    """
    appointment = keeping.of_counsellor(session, appointment_id, actor=actor)
    key = keys.demanded(session, appointment.community_id, keys.COUNSELLOR, actor=actor)
    private = sealing.unwrap(passphrase, key.wrapped, keys.place_of(key, "wrapped"))
    booking.note(session, "read_counselling_notes", appointment, actor=actor)
    return opened(session, appointment.id, {key.id: private})


def opened(session: Session, appointment_id: int, private_of: Mapping[int, bytes]) -> list[ReadNote]:
    """The notes and disclosures of an appointment that these private keys open, the oldest first."""
    notes = session.scalars(
        select(CounsellingNote).where(
            CounsellingNote.appointment_id == appointment_id, CounsellingNote.key_id.in_(private_of)
        )
    )
    told = session.scalars(
        select(DangerDisclosure).where(
            DangerDisclosure.appointment_id == appointment_id, DangerDisclosure.key_id.in_(private_of)
        )
    )
    found = [
        ReadNote(one.created_at, sealing.open_with(private_of[one.key_id], note_place(one.uid), one.sealed).decode())
        for one in notes
    ]
    for one in told:
        words = sealing.open_with(private_of[one.key_id], disclosure_place(one.uid), one.sealed).decode()
        found.append(ReadNote(one.created_at, words, one.danger, one.told))
    return sorted(found, key=lambda one: one.at)


def count_notes(session: Session, appointment_ids: Sequence[int]) -> dict[int, int]:
    """How many notes there are of each appointment. One query."""
    query = (
        select(CounsellingNote.appointment_id, func.count())
        .where(CounsellingNote.appointment_id.in_(appointment_ids))
        .group_by(CounsellingNote.appointment_id)
    )
    return {row[0]: row[1] for row in session.execute(query)}


def forget(session: Session, *, now: datetime) -> int:
    """Let go of what has been kept its years: notes and disclosures, then alias, phone and e-mail of old appointments.

    Returns how many rows were let go; at most some hundred at once, the job comes back for the rest.
    """
    today = clock.today(now)
    gone = 0
    for model in (CounsellingNote, DangerDisclosure):
        old = select(model.id).where(model.keep_until < today).order_by(model.id).limit(AT_ONCE)
        ids = session.scalars(old).all()
        session.execute(delete(model).where(model.id.in_(ids)))
        gone += len(ids)
    return gone + forget_people(session, now=now)


def forget_people(session: Session, *, now: datetime) -> int:
    """Alias, telephone number and e-mail address of appointments that ended so many years ago and have no note left."""
    gone = 0
    noted = select(CounsellingNote.id).where(CounsellingNote.appointment_id == Appointment.id).exists()
    told = select(DangerDisclosure.id).where(DangerDisclosure.appointment_id == Appointment.id).exists()
    communities = session.scalars(select(Appointment.community_id).distinct()).all()
    for community_id in communities:
        before = rule.years_later(clock.today(now), -policies.policy(session, community_id, KEEP))
        old = (
            select(Appointment.id)
            .where(
                Appointment.community_id == community_id,
                Appointment.alias != FORGOTTEN,
                func.date(func.timezone("Asia/Shanghai", Appointment.ended_at)) < before,
                ~noted,
                ~told,
            )
            .limit(AT_ONCE)
        )
        ids = session.scalars(old).all()
        empty = {"alias": FORGOTTEN, "phone": None, "person_index": None, "email": None}
        session.execute(update(Appointment).where(Appointment.id.in_(ids)).values(**empty))
        gone += len(ids)
    if gone:
        audit.record(session, "care.forget_counselling", "appointments", None, actor=CLOCK)
    return gone


def keys_of(session: Session, appointment_id: int) -> list[SealingKey]:
    """The keys that something of an appointment is sealed for."""
    sealed = select(CounsellingNote.key_id).where(CounsellingNote.appointment_id == appointment_id)
    told = select(DangerDisclosure.key_id).where(DangerDisclosure.appointment_id == appointment_id)
    query = select(SealingKey).where(SealingKey.id.in_(sealed.union(told))).order_by(SealingKey.id)
    return list(session.scalars(query))
