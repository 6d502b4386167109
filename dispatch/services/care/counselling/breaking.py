"""Break-glass: two holders, both present, open what a counsellor wrote about one appointment; it is said and kept."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, DispatchError, Invalid, NotAllowed
from dispatch.models.access import User
from dispatch.models.care import Appointment, CounsellingNote, Counsellor, KeyOpening, KeyShare, SealingKey
from dispatch.rules.access.roles import Actor
from dispatch.rules.access.sign_in import check_login
from dispatch.rules.care import counselling as rule
from dispatch.rules.orders.intake import check_text
from dispatch.services import notify
from dispatch.services.access import audit, reach
from dispatch.services.care.counselling import keeping, keys, notes, sealing
from dispatch.services.care.counselling.notes import ReadNote

MOST_SHOWN = 100


class NothingWritten(Conflict):
    """这个预约没有记录"""


class NotTheHolders(Conflict):
    """两位都要是这把钥匙的保管人，而且不能是同一个人"""


@dataclass(frozen=True, slots=True)
class Second:
    """The other holder, at the same screen."""

    login: str
    passphrase: str = field(repr=False)


def noted(session: Session, *, actor: Actor) -> Sequence[tuple[int, datetime, str]]:
    """The appointments of the reach of which something is written: id, when, with whom; the newest first."""
    written = select(CounsellingNote.appointment_id).distinct()
    query = (
        select(Appointment.id, Appointment.during, Counsellor.shown_as)
        .join(Counsellor, Counsellor.id == Appointment.counsellor_id)
        .where(Appointment.id.in_(written), reach.visible(Appointment, actor))
        .order_by(Appointment.id.desc())
        .limit(MOST_SHOWN)
    )
    return [(row.id, row.during.lower, row.shown_as) for row in session.execute(query)]


def open_both(
    session: Session,
    appointment_id: int,
    passphrase: str,
    second: Second,
    reason: str,
    *,
    actor: Actor,
    now: datetime,
) -> list[ReadNote]:
    """Open the notes of one appointment with the shares of the actor and of the second holder.

    It is kept who did it and why, audited for both, and told to the counsellor. Raises NotFound, NotAllowed,
    Invalid("reason", …), NothingWritten, NotTheHolders, WrongPassphrase, SealBroken.
    """
    appointment = keeping.of_desk(session, appointment_id, actor=actor)
    why = check_text("reason", reason, rule.LONGEST_REASON)
    if not why:
        raise Invalid("reason", "请写明为什么要打开")
    found = notes.keys_of(session, appointment.id)
    if not found:
        raise NothingWritten
    first_id, second_id = actor.user_id, user_of(session, second.login)
    if first_id is None:
        raise NotAllowed
    if second_id is None or second_id == first_id:
        raise NotTheHolders
    said = {first_id: passphrase, second_id: second.passphrase}
    private_of = {key.id: joined(session, key, said) for key in found}
    for key in found:
        keep(session, key, appointment, (first_id, second_id), why, actor=actor, now=now)
    return notes.opened(session, appointment.id, private_of)


def note_refused(session: Session, appointment_id: int, error: DispatchError, *, actor: Actor) -> None:
    """The audit entry of two who did not open it: who tried, of which appointment, what was refused; said no further.

    The door records it in a transaction of its own, since that of the refusal is undone.
    """
    known = session.scalars(
        select(Appointment).where(Appointment.id == appointment_id, reach.visible(Appointment, actor))
    ).one_or_none()
    audit.record(
        session,
        "care.refuse_counsellor_key",
        "appointments",
        known.id if known is not None else None,
        actor=actor,
        community_id=known.community_id if known is not None else None,
        fields={"refused": type(error).__name__},
    )


def user_of(session: Session, login: str) -> int | None:
    """The user of a log-in name who can log in, None for nobody."""
    query = select(User.id).where(User.login == check_login(login), User.disabled_at.is_(None))
    return session.scalars(query).one_or_none()


def joined(session: Session, key: SealingKey, said: dict[int, str]) -> bytes:
    """The private half of a key by its two shares; raises NotTheHolders, WrongPassphrase, SealBroken."""
    query = (
        select(KeyShare, SealingKey)
        .join(SealingKey, SealingKey.id == KeyShare.holder_key_id)
        .where(KeyShare.key_id == key.id)
        .order_by(KeyShare.place)
    )
    rows = session.execute(query).all()
    if key.recovery is None or {holder.user_id for _, holder in rows} != set(said):
        raise NotTheHolders
    shares = [
        sealing.open_with(
            sealing.unwrap(said[holder.user_id], holder.wrapped, keys.place_of(holder, "wrapped")),
            keys.share_place(key, share.place),
            share.sealed,
        )
        for share, holder in rows
    ]
    return sealing.join((shares[0], shares[1]), key.recovery, keys.place_of(key, "recovery"))


def keep(
    session: Session,
    key: SealingKey,
    appointment: Appointment,
    by: tuple[int, int],
    reason: str,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Write down that a key was opened, and tell whose it is."""
    opening = KeyOpening(
        community_id=key.community_id,
        key_id=key.id,
        appointment_id=appointment.id,
        first_by=by[0],
        second_by=by[1],
        reason=reason,
        opened_at=now,
    )
    session.add(opening)
    session.flush()
    audit.record(
        session,
        "care.open_counsellor_key",
        "key_openings",
        opening.id,
        actor=actor,
        community_id=key.community_id,
        fields={"second_by": str(by[1])},
    )
    notify.tell_user(session, dedupe=f"key_opened:{opening.id}", template="key_opened", user_id=key.user_id, now=now)


def openings_of(session: Session, counsellor: Counsellor) -> Sequence[tuple[datetime, str, str, str]]:
    """When a counsellor's keys were opened, by which two, and why; the newest first."""
    first = select(User.name).where(User.id == KeyOpening.first_by).scalar_subquery()
    second = select(User.name).where(User.id == KeyOpening.second_by).scalar_subquery()
    query = (
        select(KeyOpening.opened_at, first, second, KeyOpening.reason)
        .join(SealingKey, SealingKey.id == KeyOpening.key_id)
        .where(SealingKey.user_id == counsellor.user_id, SealingKey.community_id == counsellor.community_id)
        .order_by(KeyOpening.id.desc())
        .limit(MOST_SHOWN)
    )
    return [(row[0], row[1], row[2], row[3]) for row in session.execute(query)]
