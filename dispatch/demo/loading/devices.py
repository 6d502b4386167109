"""A chunk of the load: the eight elders' devices, tested; two silent, one with a low battery, an alarm that is over."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.loading import care
from dispatch.demo.loading.book import Book
from dispatch.demo.organisations import COMMUNITY
from dispatch.demo.people import Resident
from dispatch.models.care import AlarmContact, AlarmDevice, AlarmEvent
from dispatch.models.orders import Order
from dispatch.rules.care.chain import CallOutcome
from dispatch.rules.care.signals import CONTACT_ID, read_signals
from dispatch.services import orders
from dispatch.services.care import alarms
from dispatch.services.care.alarms import ContactDraft, DeviceDraft, Report

MODEL: Final = "three_keys"
DAILY, MINUTELY = 86_400, 60
SILENT = (5, 6)
"""The places of the devices that poll each minute, and have been silent for some hours."""

WITH_LOW_BATTERY = 7
WHO_PRESSED = 0
PRESS, LOW_BATTERY = "1101 00 001", "1302 00 000"
SEEN = "误碰了红键，人平安，已教怎么取消"
CHILD_PHONES = 17_400_000_300
"""Of a range that nobody has (174 0000)."""


@dataclass(frozen=True, slots=True)
class Wire:
    """What a device says, as the receiver hands it on; the sequence counts by itself."""

    session: Session
    device: AlarmDevice

    def say(self, event: str, sequence: int, now: datetime) -> None:
        """Report one event of Contact ID."""
        real = clock.real(self.session)
        content = f"#{self.device.account}|{event}"
        report = Report(sequence, content, read_signals(CONTACT_ID, content), None, real, real)
        standing = alarms.lock_devices(self.session, [self.device.account])[self.device.account]
        alarms.hear(self.session, standing, report, now=now)
        alarms.note_heard(self.session, [standing], now=now, real=real)


def load_devices(session: Session, book: Book) -> int:
    """Devices with whom to call, their tests and states; 0 when they are there. All of it made up."""
    community_id = book.known(session).organisations()[COMMUNITY]
    if session.scalars(select(AlarmDevice.id).where(AlarmDevice.community_id == community_id)).first() is not None:
        return 0
    now, elders = clock.now(session), care.chosen(book).devices
    made = [installed(session, book, community_id, place, one, now=now) for place, one in enumerate(elders)]
    spare = DeviceDraft("HQ-009", "D009", MODEL, poll_seconds=DAILY)
    alarms.register_device(session, community_id, spare, actor=book.actor, now=now)
    Wire(session, made[WITH_LOW_BATTERY]).say(LOW_BATTERY, 2, now)
    resolve(session, book, made[WHO_PRESSED], elders[WHO_PRESSED], now=now)
    alarms.watch(session, now=now)
    return len(made) + 1


def installed(
    session: Session, book: Book, community_id: int, place: int, elder: Resident, *, now: datetime
) -> AlarmDevice:
    """A device in an elder's home with whom to call, tested; the silent ones said so some hours ago."""
    said_at = now - timedelta(hours=3 + place) if place in SILENT else now
    draft = DeviceDraft(
        f"HQ-{place + 1:03}", f"D{place + 1:03}", MODEL, poll_seconds=MINUTELY if place in SILENT else DAILY
    )
    made = alarms.register_device(session, community_id, draft, actor=book.actor, now=said_at)
    resident_id = book.known(session).residents()[elder.code]
    alarms.install_device(session, made.id, resident_id=resident_id, consent_by="self", actor=book.actor, now=said_at)
    phone = str(CHILD_PHONES + place)
    child = f"{elder.name[0]}小明"
    for contact in (
        ContactDraft("home", elder.name, elder.phone or phone),
        ContactDraft("child", child, phone, "child@family.example", told_alarm=True, told_end=True, told_visit=True,
                     has_consented=True),
        ContactDraft("neighbour", "王阿姨", str(CHILD_PHONES + 50 + place)),
    ):  # fmt: skip
        alarms.add_contact(session, made.id, contact, actor=book.actor, now=said_at)
    alarms.begin_test(session, made.id, actor=book.actor, now=said_at)
    Wire(session, made).say(PRESS, 1, said_at)
    return made


def resolve(session: Session, book: Book, device: AlarmDevice, elder: Resident, *, now: datetime) -> None:
    """A press by mistake: nobody answers at first, the child confirms, and a helper has looked."""
    Wire(session, device).say(PRESS, 2, now)
    placed = select(Order).join(AlarmEvent, AlarmEvent.order_id == Order.id).where(AlarmEvent.device_id == device.id)
    order = session.scalars(placed).one()
    listed = select(AlarmContact).where(AlarmContact.device_id == device.id).order_by(AlarmContact.rank)
    home, child, *_ = session.scalars(listed)
    for one, outcome in ((home, CallOutcome.NO_ANSWER), (child, CallOutcome.CONFIRMED)):
        said = {"kind": one.kind, "outcome": str(outcome), "contact_id": one.id}
        alarms.record_call(session, order.number, **said, actor=book.actor, now=now)
    helper = book.known(session).performers()[care.able(book)[care.area_of(book, elder)][0]]
    orders.route(session, order.id, now=now)
    session.refresh(order)
    orders.dispatch_by_hand(session, order, performer_id=helper, reason=SEEN, actor=book.actor, now=now)
    session.refresh(order)
    key = orders.NamedRound(helper, order.number, order.rounds)
    orders.accept(session, key, now=now)
    orders.finish(session, key, orders.WorkReport("done", note=SEEN), now=now)
