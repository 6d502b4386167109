"""Whom to call about a device: in their order, with what each may be told by consent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid4

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.care import AlarmContact, AlarmDevice, AlarmEvent
from dispatch.models.grid import Household, Post, Resident
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.chain import CONTACTS, CallKind
from dispatch.rules.care.devices import DeviceState
from dispatch.rules.grid.phone import normalise_phone
from dispatch.rules.notify.delivery import is_email
from dispatch.rules.orders.intake import check_text
from dispatch.services import grid
from dispatch.services.access import audit, reach, vault
from dispatch.services.care.alarms.register import DeviceTaken, ListedDevice, events_of, find_device, shown_device
from dispatch.services.care.placing import phone_of

LONGEST_NAME = 60
MOST_CONTACTS = 20
AFTER_THE_LIST = MOST_CONTACTS + 1
"""The rank of the stairwell leader, who is found by the post where no contact is one."""


@dataclass(frozen=True, slots=True)
class ContactDraft:
    """Somebody to call, and what they may be told: the alarm, its end, the monthly visit; only with their consent."""

    kind: str
    name: str
    phone: str = field(repr=False)
    email: str = field(default="", repr=False)
    told_alarm: bool = False
    told_end: bool = False
    told_visit: bool = False
    has_consented: bool = False


@dataclass(frozen=True, slots=True)
class ShownContact:
    """A contact with the number to call; `contact` is None for who holds the post of the stairwell."""

    contact: AlarmContact | None
    kind: CallKind
    rank: int
    name: str
    phone: str = field(repr=False)


def add_contact(session: Session, device_id: int, draft: ContactDraft, *, actor: Actor, now: datetime) -> AlarmContact:
    """Add somebody at the end of the list; raises Invalid naming the field, DeviceTaken for a recovered device."""
    device = find_device(session, device_id, actor=actor, locked=True)
    if DeviceState(device.state) is DeviceState.RECOVERED:
        raise DeviceTaken
    check_contact(draft)
    last = session.execute(
        select(func.max(AlarmContact.rank)).where(AlarmContact.device_id == device.id, AlarmContact.ended_at.is_(None))
    ).scalar_one()
    if (last or 0) >= MOST_CONTACTS:
        raise Invalid("name", "联系人最多20位,请先去掉一位")
    contact = AlarmContact(
        uid=uuid4(),
        community_id=device.community_id,
        device_id=device.id,
        rank=(last or 0) + 1,
        kind=draft.kind,
        name=check_text("name", draft.name, LONGEST_NAME),
        told_alarm=draft.told_alarm,
        told_end=draft.told_end,
        told_visit=draft.told_visit,
        consented_at=now if draft.has_consented else None,
        created_by=actor.user_id,
        created_by_key=actor.api_key_id,
        created_at=now,
    )
    contact.phone = vault.seal(f"alarm_contacts.phone.{contact.uid}", normalise_phone(draft.phone))
    email = draft.email.strip()
    contact.email = vault.seal(f"alarm_contacts.email.{contact.uid}", email) if email else None
    session.add(contact)
    session.flush()
    record(session, "add_alarm_contact", contact, actor=actor)
    return contact


def check_contact(draft: ContactDraft) -> None:
    """Refuse a contact that cannot be, naming the field."""
    if draft.kind not in CONTACTS:
        raise Invalid("kind", "请选择是本人、子女、亲属、邻居、楼道长还是值班")
    if not draft.name.strip():
        raise Invalid("name", "请填写联系人的姓名")
    if draft.email.strip() and not is_email(draft.email.strip()):
        raise Invalid("email", "请填写完整的电子邮箱,没有就不填")
    wants = draft.told_alarm or draft.told_end or draft.told_visit
    if wants and not draft.has_consented:
        raise Invalid("has_consented", "要告诉对方,先要老人和对方都同意")
    if wants and not draft.email.strip():
        raise Invalid("email", "要用信件告诉对方,请填写电子邮箱")


def end_contact(session: Session, contact_id: int, *, actor: Actor, now: datetime) -> AlarmContact:
    """Take somebody off the list; those behind move up. Said twice is said once. Raises NotFound."""
    contact = session.scalars(
        select(AlarmContact)
        .where(AlarmContact.id == contact_id, reach.visible(AlarmContact, actor))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one_or_none()
    if contact is None:
        raise NotFound
    if contact.ended_at is not None:
        return contact
    contact.ended_at = now
    session.flush()
    for one in listed(session, contact.device_id):
        if one.rank > contact.rank:
            one.rank -= 1
            session.flush()
    record(session, "end_alarm_contact", contact, actor=actor)
    return contact


def record(session: Session, deed: str, contact: AlarmContact, *, actor: Actor) -> None:
    """The audit entry of what was done with a contact."""
    audit.record(session, f"care.{deed}", "alarm_contacts", contact.id, actor=actor, community_id=contact.community_id)


def listed(session: Session, device_id: int) -> Sequence[AlarmContact]:
    """The contacts of a device in their order."""
    return session.scalars(
        select(AlarmContact)
        .where(AlarmContact.device_id == device_id, AlarmContact.ended_at.is_(None))
        .order_by(AlarmContact.rank)
    ).all()


def chain_of(session: Session, device: AlarmDevice, *, now: datetime) -> Sequence[ShownContact]:
    """Whom to call, in their order, with their numbers; behind the list whoever holds the stairwell's post."""
    shown = [
        ShownContact(
            contact=one,
            kind=CallKind(one.kind),
            rank=one.rank,
            name=one.name,
            phone=vault.open_sealed(f"alarm_contacts.phone.{one.uid}", one.phone),
        )
        for one in listed(session, device.id)
    ]
    if device.household_id is None or any(one.kind is CallKind.STAIRWELL_LEADER for one in shown):
        return shown
    home = session.get_one(Household, device.household_id)
    post = grid.holder_of_post(session, grid.PostKind.STAIRWELL_LEADER, home.stairwell_id, clock.today(now))
    if post is None:
        return shown
    return [
        *shown,
        ShownContact(None, CallKind.STAIRWELL_LEADER, AFTER_THE_LIST, post.holder_name, phone_of_post(session, post)),
    ]


@dataclass(frozen=True, slots=True)
class OpenedDevice:
    """A device as its page shows it: with whom to call, and its newest events with the numbers of their orders."""

    listed: ListedDevice
    chain: Sequence[ShownContact]
    events: Sequence[tuple[AlarmEvent, str | None]]


def open_device(session: Session, device_id: int, *, actor: Actor, now: datetime) -> OpenedDevice:
    """A device for somebody who looks at it: recorded, since it shows whom to call. Raises NotFound."""
    listed_device = shown_device(session, device_id, actor=actor)
    device = listed_device.device
    audit.record(session, "care.show_device", "alarm_devices", device.id, actor=actor, community_id=device.community_id)
    return OpenedDevice(listed_device, chain_of(session, device, now=now), events_of(session, device))


def phone_of_post(session: Session, post: Post) -> str:
    """The number of who holds a post, where the register has it; else empty."""
    if post.resident_id is None:
        return ""
    return phone_of(session.get_one(Resident, post.resident_id)) or ""
