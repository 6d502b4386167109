"""Who outside the house is told of an alarm, and of its end: contacts with an address, by their consent."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from dispatch.models.access import Organisation
from dispatch.models.care import AlarmContact, AlarmDevice
from dispatch.rules.notify.texts import said
from dispatch.rules.queue import Lane
from dispatch.services import notify
from dispatch.services.access import vault
from dispatch.services.notify.letters import ALARM_ENDED, ALARM_RAISED


def tell_alarm(session: Session, device: AlarmDevice, order_id: int, *, now: datetime) -> int:
    """Write to those who may be told of an alarm, once an order; returns to how many."""
    return tell(session, device.id, order_id, ALARM_RAISED, AlarmContact.told_alarm, at=now, now=now)


def tell_end(session: Session, device_id: int, order_id: int, *, at: datetime, now: datetime) -> int:
    """Write to those who may be told that the alarm of `at` is over, once an order; returns to how many."""
    return tell(session, device_id, order_id, ALARM_ENDED, AlarmContact.told_end, at=at, now=now)


def tell(
    session: Session,
    device_id: int,
    order_id: int,
    template: str,
    may_be_told: InstrumentedAttribute[bool],
    *,
    at: datetime,
    now: datetime,
) -> int:
    """One letter a contact: when it was and who looks after it, nothing of the person."""
    contacts: Sequence[AlarmContact] = session.scalars(
        select(AlarmContact)
        .where(AlarmContact.device_id == device_id, AlarmContact.ended_at.is_(None))
        .where(AlarmContact.email.is_not(None), may_be_told)
        .order_by(AlarmContact.rank)
    ).all()
    for contact in contacts:
        place = select(Organisation.name).where(Organisation.id == contact.community_id)
        notify.write_letter(
            session,
            dedupe=f"{template}:{order_id}:{contact.id}",
            address=vault.open_sealed(f"alarm_contacts.email.{contact.uid}", contact.email or b""),
            community_id=contact.community_id,
            facts={"until": said(at), "place": session.execute(place).scalar_one()},
            now=now,
            template=template,
            lane=Lane.EMERGENCY if template == ALARM_RAISED else Lane.NOTIFY,
        )
    return len(contacts)
