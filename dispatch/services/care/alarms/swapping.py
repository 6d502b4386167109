"""Another device for the same elder: where the old one stood, by the same consent, with the same people to call."""

from datetime import datetime

from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.models.care import AlarmContact, AlarmDevice
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.devices import WATCHED, DeviceState
from dispatch.services.access import vault
from dispatch.services.care.alarms.contacts import ContactDraft, add_contact, listed
from dispatch.services.care.alarms.register import (
    DeviceTaken,
    changeable,
    find_device,
    install_device,
    recover_device,
)


def swap_device(
    session: Session, device_id: int, *, by: int, version: int | None = None, actor: Actor, now: datetime
) -> AlarmDevice:
    """Put a registered device in the place of one that stands in a home, which is recovered; the new one is tested.

    Raises Invalid("by") for a device that is not free in the same community, DeviceTaken where none stands.
    """
    old = changeable(session, device_id, DeviceState.RECOVERED, version, actor=actor)
    if DeviceState(old.state) not in WATCHED or old.resident_id is None:
        raise DeviceTaken
    new = find_device(session, by, actor=actor, locked=True)
    if new.community_id != old.community_id or DeviceState(new.state) is not DeviceState.REGISTERED:
        raise Invalid("by", "请选一台同一社区、已登记还没有安装的设备")
    recover_device(session, old.id, actor=actor, now=now)
    consent, resident_id = old.consent_by or "", old.resident_id
    install_device(session, new.id, resident_id=resident_id, consent_by=consent, actor=actor, now=now)
    for one in listed(session, old.id):
        made = add_contact(session, new.id, draft_of(one), actor=actor, now=now)
        made.consented_at = one.consented_at
    session.flush()
    return new


def draft_of(contact: AlarmContact) -> ContactDraft:
    """Somebody on the list of a device, as they are entered for another one."""
    email = contact.email and vault.open_sealed(f"alarm_contacts.email.{contact.uid}", contact.email)
    return ContactDraft(
        kind=contact.kind,
        name=contact.name,
        phone=vault.open_sealed(f"alarm_contacts.phone.{contact.uid}", contact.phone),
        email=email or "",
        told_alarm=contact.told_alarm,
        told_end=contact.told_end,
        told_visit=contact.told_visit,
        has_consented=contact.consented_at is not None,
    )
