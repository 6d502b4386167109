"""What a helper says on the phone with the end of a duty's order: how the elder was, complaint, difficulty, proof."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.models.care import Contact
from dispatch.models.catalogue import Service
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.care import recording
from dispatch.rules.care.terms import ContactKind
from dispatch.services.care.contacting import Record, keep
from dispatch.services.care.door import fits
from dispatch.services.care.duty_hearing import CALL, LONGEST_NOTE, NOT_DONE, home_of
from dispatch.services.care.ordering import ORIGIN


@dataclass(frozen=True, slots=True)
class Said:
    """What the form of a visit says beside the report of the work; `confirmed`: by the elder, face to face."""

    mood: str | None
    complaint: str = field(default="", repr=False)
    difficulty: str = field(default="", repr=False)
    door_code: str = ""
    confirmed: bool = False


def kind_asked(order: Order, service: Service) -> ContactKind | None:
    """Whether the end of an order is a visit or a call that is recorded; None of an order that is no duty's."""
    if order.origin != ORIGIN:
        return None
    return ContactKind.CALL if service.code == CALL else ContactKind.VISIT


def record_end(session: Session, order: Order, said: Said, *, actor: Actor, now: datetime) -> Contact | None:
    """Record the visit or call of an order that has just been finished, in the same transaction.

    None where nobody was met, or the order is no duty's. Raises Invalid naming the field, AlreadyRecorded.
    """
    kind, home = kind_asked(order, session.get_one(Service, order.service_id)), home_of(session, order)
    if kind is None or home is None or order.result == NOT_DONE:
        return None
    recording.check_answered(kind, said.mood, answered=True, tested=False)
    code_fits = fits(home.id, said.door_code) if said.door_code.strip() else None
    record = Record(
        household_id=home.id,
        kind=str(kind),
        happened_at=order.finished_at or now,
        performer_id=order.performer_id,
        mood=said.mood,
        complaint=said.complaint,
        difficulty=said.difficulty,
        order_id=order.id,
        note=(order.work_note or "")[:LONGEST_NOTE],
    )
    proof = recording.proof_of(kind, code_fits=code_fits, confirmed=said.confirmed, signed=False)
    return keep(session, record, kind, proof, community_id=home.community_id, actor=actor, now=now)
