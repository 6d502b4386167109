"""Who outside the house is told of an alarm, of its end, of the monthly visit: contacts with an address, by consent."""

from collections.abc import Mapping
from datetime import date, datetime

from sqlalchemy import any_, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
from sqlalchemy.orm import InstrumentedAttribute, Session

from dispatch.models.access import Organisation
from dispatch.models.care import AlarmContact, AlarmDevice
from dispatch.rules.care.devices import WATCHED
from dispatch.rules.notify.texts import said
from dispatch.rules.queue import Lane
from dispatch.services import notify
from dispatch.services.access import vault
from dispatch.services.notify.letters import ALARM_ENDED, ALARM_RAISED, MONTHLY_VISIT


def tell_alarms(session: Session, orders: Mapping[int, int], *, now: datetime) -> int:
    """Write to those who may be told of alarms, by device the order of each, once an order; returns to how many."""
    return tell(session, orders, ALARM_RAISED, AlarmContact.told_alarm, when=said(now), now=now)


def tell_end(session: Session, device_id: int, order_id: int, *, at: datetime, now: datetime) -> int:
    """Write to those who may be told that the alarm of `at` is over, once an order; returns to how many."""
    return tell(session, {device_id: order_id}, ALARM_ENDED, AlarmContact.told_end, when=said(at), now=now)


def tell_visit(session: Session, resident_id: int, period_id: int, *, day: date, now: datetime) -> int:
    """Write to those who may be told that somebody was there in the month of `day`, once a month; to how many."""
    devices = select(AlarmDevice.id).where(
        AlarmDevice.resident_id == resident_id, AlarmDevice.state.in_([str(one) for one in WATCHED])
    )
    month = f"{day.year}年{day.month}月"
    periods = dict.fromkeys(session.scalars(devices), period_id)
    return tell(session, periods, MONTHLY_VISIT, AlarmContact.told_visit, when=month, now=now)


def tell(
    session: Session,
    about: Mapping[int, int],
    template: str,
    may_be_told: InstrumentedAttribute[bool],
    *,
    when: str,
    now: datetime,
) -> int:
    """One letter a contact of these devices, each about its row: when it was and who looks after it, nothing else."""
    found = session.execute(
        select(AlarmContact, Organisation.name)
        .join(Organisation, Organisation.id == AlarmContact.community_id)
        .where(AlarmContact.device_id == any_(literal(list(about), ARRAY(BIGINT))), AlarmContact.ended_at.is_(None))
        .where(AlarmContact.email.is_not(None), may_be_told)
        .order_by(AlarmContact.device_id, AlarmContact.rank)
    ).all()
    letters = [
        notify.Letter(
            dedupe=f"{template}:{about[contact.device_id]}:{contact.id}",
            address=vault.open_sealed(f"alarm_contacts.email.{contact.uid}", contact.email or b""),
            community_id=contact.community_id,
            facts={"until": when, "place": place},
            template=template,
            lane=Lane.EMERGENCY if template == ALARM_RAISED else Lane.NOTIFY,
        )
        for contact, place in found
    ]
    notify.write_letters(session, letters, now=now)
    return len(letters)
