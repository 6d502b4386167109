"""Many alarms heard at once: each a whole order, by itself where one goes wrong, none twice."""

from collections import Counter

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.access import AuditEntry
from dispatch.models.care import AlarmDevice, AlarmEvent
from dispatch.models.grid import Resident
from dispatch.models.notify import Alarm, Notice
from dispatch.models.orders import Order, OrderEvent
from dispatch.queue import Job
from dispatch.rules.access.roles import SYSTEM
from dispatch.services.care import alarms
from dispatch.services.care.alarms import Heed
from tests.factories.alarms import Watched, device_of, report_of, watched
from tests.factories.visits import resident
from tests.factories.world import make_world

MANY = 7
TOO_LONG = "长" * 61
"""No order takes a name like this."""


@pytest.fixture
def home(session: Session) -> Watched:
    return watched(session, make_world(session))


def neighbours(session: Session, home: Watched, number: int) -> list[AlarmDevice]:
    """So many more elders with a device, each with a child who is told."""
    child = alarms.ContactDraft(
        "child", "陈小明", "13800005678", "ming@example.org", told_alarm=True, has_consented=True
    )
    made = [device_of(session, home.world, resident(session, home.world)) for _ in range(number)]
    for one in made:
        alarms.add_contact(session, one.id, child, actor=SYSTEM, now=clock.now(session))
    return made


def storm(session: Session, devices: list[AlarmDevice], *sequences: int) -> list[Heed]:
    """Every device presses, once under each number, and all of it is heard at once."""
    standings = alarms.lock_devices(session, [one.account for one in devices])
    told = [
        (standings[one.account], report_of(session, one, sequence=number)) for number in sequences for one in devices
    ]
    return alarms.hear_all(session, told, now=clock.now(session))


def count(session: Session, model: type, *conditions: object) -> int:
    """How many rows there are."""
    return session.execute(select(func.count()).select_from(model).where(*conditions)).scalar_one()  # type: ignore[arg-type]


def test_of_many_alarms_at_once_each_is_a_whole_order(session: Session, home: Watched) -> None:
    assert storm(session, neighbours(session, home, MANY), 1) == [Heed.KEPT] * MANY
    placed = session.scalars(select(Order).where(Order.origin == "care.alarm")).all()
    assert len({one.number for one in placed}) == MANY
    assert {(one.state, one.urgency, one.room == "", one.area_id is None) for one in placed} == {
        ("awaiting_dispatch", "emergency", False, False)
    }
    heads = select(OrderEvent.order_id).where(
        OrderEvent.digest == Order.chain_head, OrderEvent.version == Order.version
    )
    ids = {one.id for one in placed}
    assert set(session.scalars(heads.where(OrderEvent.order_id == Order.id))) == ids
    assert set(session.scalars(select(AuditEntry.subject_id).where(AuditEntry.action == "orders.place"))) == ids
    assert set(session.scalars(select(Job.reference).where(Job.kind == "orders.route"))) == ids
    assert count(session, Notice, Notice.template == "alarm_raised") == MANY


def test_one_that_cannot_be_placed_takes_nobody_along(session: Session, home: Watched) -> None:
    devices = neighbours(session, home, MANY)
    session.get_one(Resident, devices[2].resident_id).name = TOO_LONG
    session.flush()
    assert storm(session, devices, 1) == [Heed.KEPT] * MANY
    without = session.scalars(select(AlarmEvent.device_id).where(AlarmEvent.order_id.is_(None))).all()
    assert list(without) == [devices[2].id]
    told = select(Alarm.subject, Alarm.level).where(Alarm.kind == "device_unplaced")
    assert [tuple(row) for row in session.execute(told)] == [(f"device:{devices[2].id}", "emergency")]
    assert count(session, Notice, Notice.template == "alarm_raised") == MANY - 1


def test_what_a_device_says_twice_at_once_is_one_event_and_a_second_press_joins(
    session: Session, home: Watched
) -> None:
    devices = neighbours(session, home, 2)
    assert storm(session, devices, 1, 1, 2) == [Heed.KEPT] * 2 + [Heed.AGAIN] * 2 + [Heed.KEPT] * 2
    query = select(AlarmEvent.device_id, AlarmEvent.sequence, AlarmEvent.joined).order_by(AlarmEvent.id)
    assert [tuple(row) for row in session.execute(query)] == [
        (one.id, number, number == 2) for number in (1, 2) for one in devices
    ]
    urged = session.scalars(select(Order.urged).where(Order.origin == "care.alarm"))
    assert Counter(urged) == Counter({1: 2})
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
