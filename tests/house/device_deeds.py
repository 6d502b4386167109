"""What can be asked of an alarm device, its contacts and its alarms: maker, right answer, right body."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import AlarmEvent
from dispatch.models.orders import Order
from dispatch.rules.access.roles import SYSTEM
from dispatch.services.care import alarms
from tests.factories.alarms import alarm_kinds, device_of, report
from tests.factories.visits import resident
from tests.factories.world import World

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]


HOMES: dict[int, int] = {}
"""Who waits for a device, by the community."""

SPARES: dict[int, int] = {}
"""A device that stands nowhere, by the community."""


def bare(session: Session, world: World, _user_id: int) -> str:
    """A device that stands nowhere yet, and somebody who waits for it."""
    HOMES[world.community.id] = resident(session, world).id
    return str(device_of(session, world, None).id)


def installed(session: Session, world: World, _user_id: int) -> str:
    """A device in a home."""
    return str(device_of(session, world, resident(session, world)).id)


def standing_beside_a_spare(session: Session, world: World, user_id: int) -> str:
    """A device in a home, and another one that nobody has."""
    SPARES[world.community.id] = device_of(session, world, None).id
    return installed(session, world, user_id)


def contact(session: Session, world: World, user_id: int) -> str:
    """Somebody to call."""
    draft = alarms.ContactDraft("child", "陈小明", "13800005678")
    device_id = int(installed(session, world, user_id))
    return str(alarms.add_contact(session, device_id, draft, actor=SYSTEM, now=clock.now(session)).id)


def alarm(session: Session, world: World, user_id: int) -> str:
    """An alarm that somebody works on: the number of its order."""
    alarm_kinds(session, world)
    device = alarms.find_device(session, int(installed(session, world, user_id)), actor=SYSTEM)
    report(session, device)
    placed = select(Order.number).join(AlarmEvent, AlarmEvent.order_id == Order.id)
    return session.execute(placed.where(AlarmEvent.device_id == device.id)).scalar_one()


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


def at_home(world: World) -> dict[str, Any]:
    """In the home of somebody of this world."""
    return {"resident_id": HOMES.get(world.community.id, 1), "consent_by": "self"}


CHILD = {"kind": "child", "name": "陈小明", "phone": "13800005678"}
CALLED = {"kind": "rescue_120", "outcome": "answered"}
ID = "<int(min=1, max=9223372036854775807):{}_id>"
DEVICE, CONTACT = f"/devices/{ID.format('device')}", ID.format("device_contact")
ALARM = "/alarms/<alarm_number>"
DEVICE_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", f"/api/care{DEVICE}"): (installed, 200, nothing),
    ("POST", f"/api/care{DEVICE}/installation"): (bare, 200, at_home),
    ("POST", f"/api/care{DEVICE}/test"): (installed, 200, nothing),
    ("POST", f"/api/care{DEVICE}/recovery"): (installed, 200, nothing),
    ("POST", f"/api/care{DEVICE}/swap"): (
        standing_beside_a_spare,
        200,
        lambda world: {"by": SPARES.get(world.community.id, 1)},
    ),
    ("POST", f"/api/care{DEVICE}/contacts"): (installed, 201, lambda _: CHILD),
    ("POST", f"/api/care/device-contacts/{CONTACT}/end"): (contact, 200, nothing),
    ("GET", f"/api/care{ALARM}"): (alarm, 200, nothing),
    ("POST", f"/api/care{ALARM}/calls"): (alarm, 201, lambda _: CALLED),
    ("GET", DEVICE): (installed, 200, nothing),
    ("POST", f"{DEVICE}/installation"): (bare, 303, at_home),
    ("POST", f"{DEVICE}/test"): (installed, 303, nothing),
    ("POST", f"{DEVICE}/recovery"): (installed, 303, nothing),
    ("POST", f"{DEVICE}/swap"): (standing_beside_a_spare, 303, lambda world: {"by": SPARES.get(world.community.id, 1)}),
    ("POST", f"{DEVICE}/contacts"): (installed, 303, lambda _: CHILD),
    ("POST", f"/devices/contacts/{CONTACT}/end"): (contact, 303, nothing),
    ("GET", f"/devices{ALARM}"): (alarm, 200, nothing),
    ("POST", f"/devices{ALARM}/calls"): (alarm, 303, lambda _: CALLED),
}
