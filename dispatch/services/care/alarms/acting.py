"""What events of devices lead to: an order, a changed state, a word to the desk; many in a few statements."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar

import structlog
from sqlalchemy import any_, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
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
from dispatch.services import grid, notify, orders
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

Item = TypeVar("Item")

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Case:
    """An event that waits to be acted on, and the device that it is of; both are locked."""

    device: AlarmDevice
    state: AlarmState
    event: AlarmEvent


def in_turns(items: Iterable[Item], device_of: Callable[[Item], int]) -> list[list[Item]]:
    """Of each device the first, then of each the second, and so on: those of a device stay in their order."""
    turns: list[list[Item]] = []
    number: Counter[int] = Counter()
    for item in items:
        device_id = device_of(item)
        if number[device_id] == len(turns):
            turns.append([])
        turns[number[device_id]].append(item)
        number[device_id] += 1
    return turns


def act(session: Session, cases: Sequence[Case], *, now: datetime) -> None:
    """Do what events ask for: a test proves the device, an alarm or a wish becomes an order, the rest is noted."""
    for turn in in_turns(cases, lambda one: one.device.id):
        asking = []
        for one in turn:
            meaning = Meaning(one.event.meaning)
            if one.event.is_test:
                note_test(session, one.device, one.event, now=now)
            elif meaning in ASKED:
                asking.append(one)
            elif meaning is Meaning.UNKNOWN:
                warn(session, one.device, UNKNOWN_CODE, level="warning", facts={"code": one.event.code})
            note_state(one.state, meaning, now=now)
        ask(session, asking, now=now)


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


def note_state(state: AlarmState, meaning: Meaning, *, now: datetime) -> None:
    """Battery and mains, since when they are not well."""
    if meaning is Meaning.BATTERY_LOW:
        state.battery_low_since = state.battery_low_since or now
    elif meaning is Meaning.BATTERY_GOOD:
        state.battery_low_since = None
    elif meaning is Meaning.MAINS_LOST:
        state.mains_lost_since = state.mains_lost_since or now
    elif meaning is Meaning.MAINS_BACK:
        state.mains_lost_since = None


def ask(session: Session, cases: Sequence[Case], *, now: datetime) -> None:
    """Alarms and wishes, of each device one: their orders, or the open ones that they join.

    A device that was never installed belongs to nobody yet: the desk is told.
    """
    at_home = []
    for one in cases:
        if DeviceState(one.device.state) in WATCHED:
            at_home.append(one)
        else:
            warn(session, one.device, UNINSTALLED, level="warning", facts={"code": one.event.code})
    if at_home:
        answer(session, at_home, now=now)


def answer(session: Session, cases: Sequence[Case], *, now: datetime) -> None:
    """Let each case join an order or have its own: all of them in one savepoint.

    One that cannot be placed takes nobody along: each half is tried by itself then, down to the one, of which the
    desk is told.
    """
    try:
        with session.begin_nested():
            place(session, join(session, cases, now=now), now=now)
    except (DispatchError, IntegrityError, DataError) as error:
        if len(cases) == 1:
            give_up(session, cases[0], error)
            return
        middle = len(cases) // 2
        answer(session, cases[:middle], now=now)
        answer(session, cases[middle:], now=now)


def give_up(session: Session, one: Case, error: Exception) -> None:
    """An order that cannot be placed is an alarm at the desk."""
    log.warning("alarm_not_placed", event_id=one.event.id, error=type(error).__name__)
    pressing = Meaning(one.event.meaning) in PRESSING
    facts = {"code": one.event.code, "error": error.field if isinstance(error, Invalid) else type(error).__name__}
    warn(session, one.device, UNPLACED, level="emergency" if pressing else "warning", facts=facts)


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


# the newest order of the device and the meaning, where somebody is still out for it
OUT = text(
    "SELECT asked.id, last.order_id FROM unnest(cast(:ids AS bigint[]), cast(:devices AS bigint[]), "
    "cast(:meanings AS text[])) AS asked (id, device_id, meaning) CROSS JOIN LATERAL (SELECT order_id "
    "FROM alarm_events WHERE device_id = asked.device_id AND meaning = asked.meaning AND order_id IS NOT NULL "
    "AND id < asked.id ORDER BY id DESC LIMIT 1) AS last JOIN orders ON orders.id = last.order_id "
    "WHERE orders.state = ANY (:out) ORDER BY last.order_id"
)


def join(session: Session, cases: Sequence[Case], *, now: datetime) -> list[Case]:
    """Let events join the order of the same meaning for which somebody is still out: urged, not sent twice.

    Gives those that have none to join.
    """
    asked = {one.event.id: one for one in cases}
    values = {
        "ids": list(asked),
        "devices": [one.device.id for one in cases],
        "meanings": [one.event.meaning for one in cases],
        "out": [str(state) for state in STILL_OUT],
    }
    for event_id, order_id in session.execute(OUT, values).all():
        order: Order = orders.lock(session, order_id)
        if order.state not in STILL_OUT:
            continue
        event = asked.pop(event_id).event
        label = MEANING_LABELS[Meaning(event.meaning)]
        orders.urge(session, order, reason=label, by_resident=True, actor=SYSTEM, now=now)
        event.order_id, event.joined = order.id, True
    return list(asked.values())


def place(session: Session, cases: Sequence[Case], *, now: datetime) -> None:
    """Place the orders of events at the homes where the devices stand, and tell who is to be told."""
    if not cases:
        session.flush()
        return
    homes = homes_of(session, cases)
    where = grid.places_of(session, {home.stairwell_id for _, home in homes.values()})
    communities = {one.device.community_id for one in cases}
    desks = {community_id: desk_of(session, community_id) for community_id in communities}
    settled = []
    for one in cases:
        resident, home = homes[one.device.id]
        draft = draft_of(session, one.event, resident, home, desks[one.device.community_id])
        settled.append(orders.Settled(draft, replace(where[home.stairwell_id], room=home.room)))
    placed = orders.receive_all(session, settled, actor=SYSTEM, now=now)
    pressing = {}
    for one, order_id in zip(cases, placed, strict=True):
        one.event.order_id = order_id
        if Meaning(one.event.meaning) in PRESSING:
            pressing[one.device.id] = order_id
    session.flush()
    telling.tell_alarms(session, pressing, now=now)


def homes_of(session: Session, cases: Sequence[Case]) -> dict[int, tuple[Resident, Household]]:
    """Whose each device is and where it stands, by its id; in one query."""
    rows = session.execute(
        select(AlarmDevice.id, Resident, Household)
        .join(Resident, Resident.id == AlarmDevice.resident_id)
        .join(Household, Household.id == AlarmDevice.household_id)
        .where(AlarmDevice.id == any_(literal([one.device.id for one in cases], ARRAY(BIGINT))))
    )
    return {device_id: (resident, home) for device_id, resident, home in rows}


def draft_of(
    session: Session, event: AlarmEvent, resident: Resident, home: Household, organisation_id: int
) -> orders.OrderDraft:
    """The order of an event, as it is placed."""
    meaning = Meaning(event.meaning)
    kinds = policies.policy(session, organisation_id, "alarms.kinds")
    return orders.OrderDraft(
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
