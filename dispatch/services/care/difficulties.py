"""难有所帮: a difficulty of an elder becomes an order, which is closed back to the elder by the callback."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.care import Contact
from dispatch.models.grid import Household, Resident
from dispatch.rules.access.roles import SYSTEM
from dispatch.services import catalogue, orders
from dispatch.services.care.checks import desk_of
from dispatch.services.care.placing import phone_of

ORIGIN = "care.difficulty"
ORDINARY = "other_service"


def open_difficulty(session: Session, contact: Contact, words: str, code: str | None, *, now: datetime) -> int:
    """Open the order of a difficulty, of the kind said or of the ordinary one; returns its id.

    Whoever is helped is called back: a kind without callback is refused. Raises Invalid("difficulty_code").
    """
    organisation_id = desk_of(session, contact.community_id)
    service = catalogue.find_service(session, organisation_id, code=code or ORDINARY)
    if not service.callback or service.given == "named":
        raise Invalid("difficulty_code", "这类服务不回访,请选择热线的服务类别")
    elder = elder_of(session, contact)
    home = session.get_one(Household, contact.household_id)
    draft = orders.OrderDraft(
        description=words.strip(),
        service_id=service.id,
        stairwell_id=home.stairwell_id,
        room=home.room,
        caller_name=elder.name if elder else None,
        caller_phone=phone_of(elder) if elder else None,
        caller_resident_id=elder.id if elder else None,
        source="programme",
        origin=ORIGIN,
        origin_id=contact.id,
        occasion="difficulty",
        organisation_id=organisation_id,
    )
    contact.difficulty_order_id = orders.receive(session, draft, actor=SYSTEM, now=now).id
    session.flush()
    return contact.difficulty_order_id


def elder_of(session: Session, contact: Contact) -> Resident | None:
    """Who told it: the person of the contact, else the oldest of the home."""
    if contact.resident_id is not None:
        return session.get(Resident, contact.resident_id)
    return session.scalars(
        select(Resident)
        .where(Resident.household_id == contact.household_id, Resident.left_at.is_(None))
        .order_by(Resident.birth_date, Resident.id)
        .limit(1)
    ).one_or_none()
