"""What an event of a device leads to: an order, a changed state, a word to the desk."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import Session

from dispatch.errors import DispatchError, Invalid
from dispatch.models.care import AlarmDevice, AlarmEvent, AlarmState
from dispatch.models.grid import Household, Resident
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.care.devices import WATCHED, DeviceState
from dispatch.rules.care.signals import ASKED, MEANING_LABELS, PRESSING, Meaning
from dispatch.rules.orders.states import AFTER_WORK, OPEN
from dispatch.services import notify, orders
from dispatch.services.access import audit, policies
from dispatch.services.care import telling
from dispatch.services.care.checks import desk_of
from dispatch.services.care.contacting import record_signal
from dispatch.services.care.placing import phone_of

ORIGIN = "care.alarm"
UNPLACED = "device_unplaced"
UNKNOWN_CODE = "device_code_unknown"
UNINSTALLED = "device_uninstalled"
STILL_OUT = OPEN - AFTER_WORK

log = structlog.get_logger()


def act(session: Session, device: AlarmDevice, state: AlarmState, event: AlarmEvent, *, now: datetime) -> None:
    """Do what an event asks for: a test proves the device, an alarm or a wish becomes an order, the rest is noted."""
    meaning = Meaning(event.meaning)
    if event.is_test:
        note_test(session, device, event, now=now)
    elif meaning in ASKED:
        ask(session, device, event, now=now)
    elif meaning is Meaning.UNKNOWN:
        warn(session, device, UNKNOWN_CODE, level="warning", facts={"code": event.code})
    note_state(session, state, meaning, now=now)


def note_test(session: Session, device: AlarmDevice, event: AlarmEvent, *, now: datetime) -> None:
    """A pressing alarm within a test proves that the device works and meets the quarter's live test; nobody is sent."""
    if Meaning(event.meaning) not in PRESSING:
        return
    device.tested_at, device.testing_until = now, None
    if DeviceState(device.state) is not DeviceState.REGISTERED:
        device.state = str(DeviceState.TESTED)
    device.version += 1
    session.flush()
    audit.record(
        session, "care.device_tested", "alarm_devices", device.id, actor=SYSTEM, community_id=device.community_id
    )
    notify.clear_alarms(session, subject=f"device:{device.id}", kinds=("device_test_due",), now=now)
    if device.resident_id is not None:
        record_signal(session, session.get_one(Resident, device.resident_id), now=now)


def note_state(session: Session, state: AlarmState, meaning: Meaning, *, now: datetime) -> None:
    """Battery and mains, since when they are not well."""
    if meaning is Meaning.BATTERY_LOW:
        state.battery_low_since = state.battery_low_since or now
    elif meaning is Meaning.BATTERY_GOOD:
        state.battery_low_since = None
    elif meaning is Meaning.MAINS_LOST:
        state.mains_lost_since = state.mains_lost_since or now
    elif meaning is Meaning.MAINS_BACK:
        state.mains_lost_since = None
    session.flush()


def ask(session: Session, device: AlarmDevice, event: AlarmEvent, *, now: datetime) -> None:
    """An alarm or a wish: its order, or the open one that it joins; what cannot be placed alarms the desk.

    A device that was never installed belongs to nobody yet: the desk is told.
    """
    if DeviceState(device.state) not in WATCHED:
        warn(session, device, UNINSTALLED, level="warning", facts={"code": event.code})
        return
    try:
        with session.begin_nested():
            if not join(session, device, event, now=now):
                place(session, device, event, now=now)
    except (DispatchError, IntegrityError, DataError) as error:
        log.warning("alarm_not_placed", event_id=event.id, error=type(error).__name__)
        pressing = Meaning(event.meaning) in PRESSING
        facts = {"code": event.code, "error": error.field if isinstance(error, Invalid) else type(error).__name__}
        warn(session, device, UNPLACED, level="emergency" if pressing else "warning", facts=facts)


def warn(session: Session, device: AlarmDevice, kind: str, *, level: str, facts: Mapping[str, Any]) -> None:
    """An alarm at the desk about a device."""
    notify.raise_alarm(
        session,
        kind=kind,
        subject=f"device:{device.id}",
        level=level,
        community_id=device.community_id,
        facts={"device": device.number, **facts},
    )


def join(session: Session, device: AlarmDevice, event: AlarmEvent, *, now: datetime) -> bool:
    """Let an event join the order of the same meaning for which somebody is still out: urged, not sent twice."""
    last = session.scalars(
        select(AlarmEvent)
        .where(AlarmEvent.device_id == device.id, AlarmEvent.order_id.is_not(None), AlarmEvent.id < event.id)
        .where(AlarmEvent.meaning == event.meaning)
        .order_by(AlarmEvent.id.desc())
        .limit(1)
    ).one_or_none()
    if last is None or last.order_id is None:
        return False
    order: Order = orders.lock(session, last.order_id)
    if order.state not in STILL_OUT:
        return False
    orders.urge(session, order, reason=MEANING_LABELS[Meaning(event.meaning)], by_resident=True, actor=SYSTEM, now=now)
    event.order_id, event.joined = order.id, True
    session.flush()
    return True


def place(session: Session, device: AlarmDevice, event: AlarmEvent, *, now: datetime) -> None:
    """Place the order of an event at the home where the device stands, and tell who is to be told."""
    meaning = Meaning(event.meaning)
    organisation_id = desk_of(session, device.community_id)
    kinds = policies.policy(session, organisation_id, "alarms.kinds")
    resident = session.get_one(Resident, device.resident_id)
    home = session.get_one(Household, device.household_id)
    draft = orders.OrderDraft(
        description=MEANING_LABELS[meaning],
        service_code=kinds["pressing" if meaning in PRESSING else str(meaning)],
        stairwell_id=home.stairwell_id,
        room=home.room,
        caller_name=resident.name,
        caller_phone=phone_of(resident),
        caller_resident_id=resident.id,
        source="programme",
        origin=ORIGIN,
        origin_id=event.id,
        occasion=str(meaning),
        organisation_id=organisation_id,
    )
    event.order_id = orders.receive(session, draft, actor=SYSTEM, now=now).id
    session.flush()
    if meaning in PRESSING:
        telling.tell_alarm(session, device, event.order_id, now=now)
