"""What is watched without anybody's word: silence, mains, battery, sleep, the quarter's test."""

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, Select, any_, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT
from sqlalchemy.exc import DataError, IntegrityError
from sqlalchemy.orm import InstrumentedAttribute, Session

from dispatch import clock
from dispatch.errors import DispatchError
from dispatch.models.care import AlarmDevice, AlarmState
from dispatch.rules.care.devices import WATCHED, DeviceState, owes_test
from dispatch.services import notify
from dispatch.services.access import policies
from dispatch.services.care.alarms.acting import UNPLACED, warn
from dispatch.services.care.alarms.hearing import SILENT, subject_of
from dispatch.services.care.alarms.register import send
from dispatch.services.notify.alarms import NewAlarm

TEST_DUE = "device_test_due"
STANDS = [str(one) for one in WATCHED]
MOST_SENT = 20
"""So many are sent for at a time; the others a minute later."""

log = structlog.get_logger()


def watch(session: Session, *, now: datetime) -> int:
    """Tell of devices that have fallen silent, and send for those without mains or battery; returns how many.

    Some queries a community, however many devices; and those of an order for each that somebody is sent to.
    """
    return sum(watch_community(session, one, now=now) for one in communities(session))


def communities(session: Session) -> Sequence[int]:
    """The communities in whose homes devices stand."""
    return session.scalars(
        select(AlarmDevice.community_id).where(AlarmDevice.state.in_(STANDS)).distinct().order_by("community_id")
    ).all()


def watch_community(session: Session, community_id: int, *, now: datetime) -> int:
    """The same for one community."""
    missed = int(policies.policy(session, community_id, "alarms.missed_polls"))
    hours = float(policies.policy(session, community_id, "alarms.mains_lost_hours"))
    silent = note_silent(session, community_id, missed, now=now)
    lost = AlarmState.mains_lost_since <= now - timedelta(hours=hours)
    for_mains = send_for(session, community_id, lost & not_asked(AlarmState.mains_lost_since), "mains", now=now)
    low = AlarmState.battery_low_since.is_not(None)
    return (
        silent
        + for_mains
        + send_for(session, community_id, low & not_asked(AlarmState.battery_low_since), "battery", now=now)
    )


def not_asked(since: "InstrumentedAttribute[datetime | None]") -> ColumnElement[bool]:
    """Nobody has been sent since then."""
    return or_(AlarmState.asked_at.is_(None), AlarmState.asked_at < since)


def standing(community_id: int) -> "Select[AlarmDevice, AlarmState]":
    """The devices that stand in homes of a community, with their states; none that somebody is fetching back."""
    return (
        select(AlarmDevice, AlarmState)
        .join(AlarmState, AlarmState.device_id == AlarmDevice.id)
        .where(AlarmDevice.community_id == community_id, AlarmDevice.state.in_(STANDS))
        .where(AlarmDevice.recovery_order_id.is_(None))
        .order_by(AlarmDevice.id)
    )


def note_silent(session: Session, community_id: int, missed: int, *, now: datetime) -> int:
    """The devices whose polls have not come: an alarm each, which the next word clears."""
    heard = func.coalesce(AlarmState.heard_at, AlarmDevice.installed_at)
    patience = func.make_interval(0, 0, 0, 0, 0, 0, AlarmDevice.poll_seconds * (missed + 0.5))
    query = standing(community_id).where(AlarmState.silent_since.is_(None), heard < literal(now) - patience)
    rows = session.execute(query.with_for_update(of=AlarmState)).all()
    if not rows:
        return 0
    ids = [device.id for device, _ in rows]
    session.execute(
        update(AlarmState)
        .where(AlarmState.device_id == any_(literal(ids, ARRAY(BIGINT))))
        .values(silent_since=now)
        .execution_options(synchronize_session=False)
    )
    told = [about(device, SILENT, level="warning") for device, _ in rows]
    notify.raise_alarms(session, told)
    return len(rows)


def about(device: AlarmDevice, kind: str, *, level: str) -> NewAlarm:
    """An alarm about a device, to be raised with others."""
    return NewAlarm(kind, subject_of(device), level, device.community_id, {"device": device.number})


def send_for(session: Session, community_id: int, needed: ColumnElement[bool], why: str, *, now: datetime) -> int:
    """Send somebody to each device that needs it, once a need; returns to how many."""
    query = standing(community_id).where(needed).limit(MOST_SENT).with_for_update(of=AlarmState)
    rows = session.execute(query.execution_options(populate_existing=True)).all()
    for device, state in rows:
        state.asked_at = now
        ask(session, device, why, now=now)
    session.flush()
    return len(rows)


def ask(session: Session, device: AlarmDevice, why: str, *, now: datetime) -> None:
    """The order of somebody who looks at a device; where it cannot be placed the desk is told instead."""
    words = {"mains": "电子保姆断电", "battery": "电子保姆电池不足", "silent": "电子保姆长时间没有信号"}[why]
    occasion = f"{why}:{now.isoformat()}"
    try:
        with session.begin_nested():
            send(session, device, "check", occasion=occasion, words=words, now=now)
    except (DispatchError, IntegrityError, DataError) as error:
        log.warning("device_check_not_placed", error=type(error).__name__)
        warn(session, device, UNPLACED, level="warning", facts={"code": why, "error": type(error).__name__})


def review(session: Session, *, now: datetime) -> int:
    """The day's look at all devices: who sleeps, and who owes the quarter's test; returns how many are told."""
    return sum(review_community(session, one, now=now) for one in communities(session))


def review_community(session: Session, community_id: int, *, now: datetime) -> int:
    """The same for one community."""
    days = int(policies.policy(session, community_id, "alarms.dormant_days"))
    due_days = int(policies.policy(session, community_id, "alarms.test_due_days"))
    return put_to_sleep(session, community_id, days, now=now) + tell_tests(session, community_id, due_days, now=now)


def put_to_sleep(session: Session, community_id: int, days: int, *, now: datetime) -> int:
    """Devices silent for so long are dormant, and somebody goes to look; they wake by the next word."""
    asleep = AlarmState.silent_since <= now - timedelta(days=days)
    rows = session.execute(
        standing(community_id)
        .where(asleep, AlarmDevice.state != DeviceState.DORMANT)
        .limit(MOST_SENT)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    for device, state in rows:
        device.state, state.asked_at = str(DeviceState.DORMANT), now
        device.version += 1
        ask(session, device, "silent", now=now)
    session.flush()
    return len(rows)


def tell_tests(session: Session, community_id: int, due_days: int, *, now: datetime) -> int:
    """An alarm for each device that owes its test of this quarter; one is enough."""
    today = clock.today(now)
    owing = [
        about(device, TEST_DUE, level="notice")
        for device, _ in session.execute(standing(community_id))
        if owes_test(device.tested_at, today, due_days=due_days)
    ]
    notify.raise_alarms(session, owing)
    return len(owing)
