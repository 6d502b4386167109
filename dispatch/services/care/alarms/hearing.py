"""What devices report is kept, once, with what it leads to, in the caller's one transaction."""

import hashlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import LargeBinary, SmallInteger, Text, and_, any_, column, func, literal, select, update
from sqlalchemy.dialects.postgresql import ARRAY, BIGINT, distinct_on
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from dispatch.models.care import AlarmAnswer, AlarmDevice, AlarmEvent, AlarmState
from dispatch.rules.care.devices import DeviceState, Heard, is_repeat
from dispatch.rules.care.signals import KeyOfModel, Meaning, Signal, meaning_of
from dispatch.services import notify
from dispatch.services.access import policies, vault
from dispatch.services.care.alarms.acting import Case, act, in_turns

SILENT = "device_silent"


class Heed(StrEnum):
    """What became of a report."""

    KEPT = "kept"
    AGAIN = "again"


@dataclass(frozen=True, slots=True)
class Standing:
    """A device in use with its last state, both locked until the end of the transaction."""

    device: AlarmDevice
    state: AlarmState


@dataclass(frozen=True, slots=True)
class Report:
    """A readable frame with its events. Instants are real time; `up_since`: when this receiver was started."""

    sequence: int
    content: str = field(repr=False)
    signals: tuple[Signal, ...]
    stamped_at: datetime | None
    arrived_at: datetime
    up_since: datetime

    @property
    def digest(self) -> bytes:
        """By what the same report is known again: all that it says, but for its stamp."""
        return hashlib.sha256(self.content.encode("utf-8", "surrogateescape")).digest()


def lock_devices(session: Session, accounts: Iterable[str], *, wait: bool = True) -> dict[str, Standing]:
    """The devices in use with these accounts, by account; one query, and locked in the order of their ids.

    Two receivers that hear the same devices at once meet here and cannot wait in a circle. Without `wait` those that
    somebody else holds are left out: see held_devices.
    """
    rows = session.execute(
        select(AlarmDevice, AlarmState)
        .join(AlarmState, AlarmState.device_id == AlarmDevice.id)
        .where(
            AlarmDevice.account == any_(literal(sorted(set(accounts)), ARRAY(Text))),
            AlarmDevice.state != DeviceState.RECOVERED,
        )
        .order_by(AlarmDevice.id)
        .with_for_update(of=AlarmState, skip_locked=not wait)
        .execution_options(populate_existing=True)
    )
    return {device.account: Standing(device, state) for device, state in rows}


def held_devices(session: Session, accounts: Collection[str]) -> frozenset[str]:
    """Which of these accounts, that were left out, are devices in use: somebody else holds them."""
    if not accounts:
        return frozenset()
    query = select(AlarmDevice.account).where(
        AlarmDevice.account == any_(literal(sorted(accounts), ARRAY(Text))),
        AlarmDevice.state != DeviceState.RECOVERED,
    )
    return frozenset(session.scalars(query))


def key_of(device: AlarmDevice) -> bytes | None:
    """The key of a device's frames, None where they are plain."""
    if device.secret is None:
        return None
    return bytes.fromhex(vault.open_sealed(f"alarm_devices.secret.{device.uid}", device.secret))


def note_heard(session: Session, standings: Sequence[Standing], *, now: datetime, real: datetime) -> None:
    """These devices have said something: one statement however many; who was silent is silent no more."""
    if not standings:
        return
    ids = sorted({one.device.id for one in standings})
    session.execute(
        update(AlarmState)
        .where(AlarmState.device_id == any_(literal(ids, ARRAY(BIGINT))))
        .values(heard_at=now, spoke_at=real, silent_since=None)
        .execution_options(synchronize_session=False)
    )
    for one in standings:
        if one.state.silent_since is not None:
            wake(session, one.device, now=now)


def wake(session: Session, device: AlarmDevice, *, now: datetime) -> None:
    """A device that was silent speaks: its alarm is over, and so is its sleep."""
    notify.clear_alarms(session, subject=subject_of(device), kinds=(SILENT,), now=now)
    if DeviceState(device.state) is DeviceState.DORMANT:
        device.state = str(DeviceState.INSTALLED if device.tested_at is None else DeviceState.TESTED)
        device.version += 1
        session.flush()


def subject_of(device: AlarmDevice) -> str:
    """Under what the alarms about a device stand."""
    return f"device:{device.id}"


def hear(session: Session, standing: Standing, report: Report, *, now: datetime) -> Heed:
    """Keep what a device reports and act on it; see hear_all."""
    return hear_all(session, [(standing, report)], now=now)[0]


def hear_all(session: Session, told: Sequence[tuple[Standing, Report]], *, now: datetime) -> list[Heed]:
    """Keep what devices report and act on it, or know it for what was kept before: then nothing is doubled.

    Whatever cannot be acted on is kept all the same, with an alarm at the desk. As many statements for many devices
    as for one; what one device reports twice is heard in its order.
    """
    heeds = [Heed.KEPT] * len(told)
    for turn in in_turns(range(len(told)), lambda place: told[place][0].device.id):
        before = last_like(session, [told[place] for place in turn])
        fresh = []
        for place in turn:
            standing, report = told[place]
            last = before.get(standing.device.id)
            if last is not None and is_told_again(session, standing, report, last):
                note_again(session, last, report)
                heeds[place] = Heed.AGAIN
            else:
                fresh.append((standing, report, 1 if last is None else last.generation + 1))
        act(session, keep(session, fresh, now=now), now=now)
    return heeds


def last_like(session: Session, told: Sequence[tuple[Standing, Report]]) -> dict[int, AlarmEvent]:
    """By device, of each once: the newest event with the number and content of its report."""
    reports = func.unnest(
        literal([standing.device.id for standing, _ in told], ARRAY(BIGINT)),
        literal([report.sequence for _, report in told], ARRAY(SmallInteger)),
        literal([report.digest for _, report in told], ARRAY(LargeBinary)),
    ).table_valued(column("device_id", BIGINT), column("sequence", SmallInteger), column("digest", LargeBinary))
    asked = reports.render_derived("asked")
    query = (
        select(AlarmEvent)
        .ext(distinct_on(AlarmEvent.device_id))
        .join(
            asked,
            and_(
                AlarmEvent.device_id == asked.c.device_id,
                AlarmEvent.sequence == asked.c.sequence,
                AlarmEvent.digest == asked.c.digest,
            ),
        )
        .order_by(AlarmEvent.device_id, AlarmEvent.generation.desc(), AlarmEvent.place)
    )
    return {event.device_id: event for event in session.scalars(query)}


def is_told_again(session: Session, standing: Standing, report: Report, before: AlarmEvent) -> bool:
    """Whether the report is the event `before` once more."""
    values = policies.policies(
        session, before.community_id, ("alarms.repeat_minutes", "alarms.unnumbered_repeat_seconds")
    )
    numbered = timedelta(minutes=float(values["alarms.repeat_minutes"]))
    unnumbered = timedelta(seconds=float(values["alarms.unnumbered_repeat_seconds"]))
    answer = session.get(AlarmAnswer, before.id, populate_existing=True)
    again_at = before.arrived_at if answer is None else answer.again_at
    spoke_at = standing.state.spoke_at
    newest = select(func.max(AlarmEvent.id)).where(AlarmEvent.device_id == before.device_id)
    heard = Heard(
        stamped_at=before.stamped_at,
        arrived_at=before.arrived_at,
        again_at=again_at,
        spoke_since=spoke_at is not None and spoke_at > again_at,
        reported_since=(session.execute(newest).scalar_one() or 0) >= before.id + max(len(report.signals), 1),
    )
    window = numbered if report.sequence else unnumbered
    return is_repeat(heard, report.stamped_at, report.arrived_at, window=window, up_since=report.up_since)


def note_again(session: Session, event: AlarmEvent, report: Report) -> None:
    """The device is answered about an event once more."""
    values = {"event_id": event.id, "community_id": event.community_id, "times": 1, "again_at": report.arrived_at}
    statement = upsert(AlarmAnswer).values(values)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["event_id"], set_={"times": AlarmAnswer.times + 1, "again_at": report.arrived_at}
        )
    )


def keys_of(session: Session, device: AlarmDevice) -> tuple[KeyOfModel, ...]:
    """What is different on the device's model; a model that nobody knows any more has nothing of its own."""
    models: Sequence[Mapping[str, Any]] = policies.policy(session, device.community_id, "alarms.models")
    own = next((one["keys"] for one in models if one["code"] == device.model), ())
    return tuple(KeyOfModel(key["code"], key["zone"], Meaning(key["meaning"])) for key in own)


def keep(session: Session, fresh: Sequence[tuple[Standing, Report, int]], *, now: datetime) -> list[Case]:
    """The rows of the events of frames, in their order; each frame with its generation."""
    cases = [
        Case(standing.device, standing.state, event)
        for standing, report, generation in fresh
        for event in events_of(session, standing.device, report, generation, now=now)
    ]
    session.add_all(one.event for one in cases)
    session.flush()
    return cases


def events_of(
    session: Session, device: AlarmDevice, report: Report, generation: int, *, now: datetime
) -> Iterator[AlarmEvent]:
    """The events of one frame."""
    is_test = device.testing_until is not None and now <= device.testing_until
    keys = keys_of(session, device)
    for place, signal in enumerate(report.signals, start=1):
        yield AlarmEvent(
            community_id=device.community_id,
            device_id=device.id,
            sequence=report.sequence,
            digest=report.digest,
            generation=generation,
            place=place,
            code=signal.code,
            zone=signal.zone,
            meaning=str(meaning_of(signal, keys)),
            is_test=is_test,
            stamped_at=report.stamped_at,
            received_at=now,
            arrived_at=report.arrived_at,
        )
