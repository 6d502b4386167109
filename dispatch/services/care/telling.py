"""Who outside the house is told of an alarm, of its end, of the monthly visit: contacts with an address, by consent."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from dispatch.models.access import Organisation
from dispatch.models.care import AlarmContact, AlarmDevice
from dispatch.rules.care.devices import WATCHED
from dispatch.rules.notify.texts import said
from dispatch.rules.queue import Lane
from dispatch.services import notify
from dispatch.services.access import vault
from dispatch.services.notify.letters import ALARM_ENDED, ALARM_RAISED, MONTHLY_VISIT


def tell_alarm(session: Session, device: AlarmDevice, order_id: int, *, now: datetime) -> int:
    """Write to those who may be told of an alarm, once an order; returns to how many."""
    return tell(session, device.id, order_id, ALARM_RAISED, AlarmContact.told_alarm, when=said(now), now=now)


def tell_end(session: Session, device_id: int, order_id: int, *, at: datetime, now: datetime) -> int:
    """Write to those who may be told that the alarm of `at` is over, once an order; returns to how many."""
    return tell(session, device_id, order_id, ALARM_ENDED, AlarmContact.told_end, when=said(at), now=now)


def tell_visit(session: Session, resident_id: int, period_id: int, *, day: date, now: datetime) -> int:
    """Write to those who may be told that somebody was there in the month of `day`, once a month; to how many."""
    devices = select(AlarmDevice.id).where(
        AlarmDevice.resident_id == resident_id, AlarmDevice.state.in_([str(one) for one in WATCHED])
    )
    month = f"{day.year}年{day.month}月"
    return sum(
        tell(session, device_id, period_id, MONTHLY_VISIT, AlarmContact.told_visit, when=month, now=now)
        for device_id in session.scalars(devices)
    )


def tell(
    session: Session,
    device_id: int,
    about_id: int,
    template: str,
    may_be_told: InstrumentedAttribute[bool],
    *,
    when: str,
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
            dedupe=f"{template}:{about_id}:{contact.id}",
            address=vault.open_sealed(f"alarm_contacts.email.{contact.uid}", contact.email or b""),
            community_id=contact.community_id,
            facts={"until": when, "place": session.execute(place).scalar_one()},
            now=now,
            template=template,
            lane=Lane.EMERGENCY if template == ALARM_RAISED else Lane.NOTIFY,
        )
    return len(contacts)
