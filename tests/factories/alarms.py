"""Alarm devices of a small world: kinds for their orders, an elder at home, a device that stands there."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import AlarmDevice
from dispatch.models.catalogue import Performer
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.care.signals import read_signals
from dispatch.services.care import alarms
from tests.factories.visits import helper, resident
from tests.factories.world import NUMBERS, World, service_of

PRESS = "1101 00 001"
OTHERS = ("other_service", "chore", "device_check", "device_recovery")
NOT_SPOKEN_OF = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Watched:
    """A world with one installed device."""

    world: World
    elder: Resident
    device: AlarmDevice
    helper: Performer


def alarm_kinds(session: Session, world: World) -> Performer:
    """The kinds of the orders that devices lead to, those that the world has not, and a helper who takes them."""
    same: dict[str, Any] = {"offered": ["programme"], "performer": "helper", "given": "offer_all", "in_figures": False}
    pressing: dict[str, Any] = {
        "urgency": "emergency", "confidential": True, "hold_minutes": 3, "arrive_minutes": 15,
        "sign_minutes": 15, "service_minutes": 60, "civic_working_days": 3,
    }  # fmt: skip
    kinds = [service_of(session, world.district, "alarm", **same, **pressing)]
    kinds += [service_of(session, world.district, code, **same) for code in OTHERS]
    return helper(session, world, kinds)


def device_of(
    session: Session, world: World, elder: Resident | None, account: str | None = None, **changes: Any
) -> AlarmDevice:
    """A device, installed in the home of an elder where there is one."""
    number = next(NUMBERS)
    draft = alarms.DeviceDraft(f"N{number}", account or f"{0xA000 + number:04X}", **changes)
    now = clock.now(session)
    made = alarms.register_device(session, world.community.id, draft, actor=SYSTEM, now=now)
    if elder is None:
        return made
    return alarms.install_device(session, made.id, resident_id=elder.id, consent_by="self", actor=SYSTEM, now=now)


def watched(session: Session, world: World, **changes: Any) -> Watched:
    """One elder with an installed device."""
    one = alarm_kinds(session, world)
    elder = resident(session, world)
    return Watched(world, elder, device_of(session, world, elder, **changes), one)


def report_of(
    session: Session, device: AlarmDevice, event: str = PRESS, sequence: int = 1, **changes: Any
) -> alarms.Report:
    """What a device reports now: an event of Contact ID."""
    real, content = clock.real(session), f"#{device.account}|{event}"
    values: dict[str, Any] = {
        "sequence": sequence,
        "content": content,
        "signals": read_signals("ADM-CID", content),
        "stamped_at": None,
        "arrived_at": real,
        "up_since": real - NOT_SPOKEN_OF,
    }
    return alarms.Report(**(values | changes))


def report(
    session: Session,
    device: AlarmDevice,
    event: str = PRESS,
    sequence: int = 1,
    *,
    now: datetime | None = None,
    **changes: Any,
) -> alarms.Heed:
    """Let a device report an event of Contact ID, now."""
    moment, told = now or clock.now(session), report_of(session, device, event, sequence, **changes)
    standing = alarms.lock_devices(session, [device.account])[device.account]
    heed = alarms.hear(session, standing, told, now=moment)
    alarms.note_heard(session, [standing], now=moment, real=told.arrived_at)
    return heed
