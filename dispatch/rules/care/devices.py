"""Alarm devices: their life, when one is silent or owes a test, and whether what arrives was told before.

Source: rules.md §4 (电子保姆: register, installation test, heartbeat, battery, live test Q quarterly, dormant devices),
ANSI/SIA DC-09 5.5.1.9 (a time stamp may be 40 s old and 20 s ahead) and 5.5.2 (a sender repeats until it has an ACK).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from dispatch.rules.queue import Every, next_period_start, period_start
from dispatch.rules.shanghai import SHANGHAI

OLDEST_STAMP: Final = timedelta(seconds=40)
NEWEST_STAMP: Final = timedelta(seconds=20)
LONGEST_REPEAT: Final = timedelta(hours=24)
"""So long a sender that says nothing else may go on repeating: a receiver that was away for a day."""


class DeviceState(StrEnum):
    """The life of a device."""

    REGISTERED = "registered"
    INSTALLED = "installed"
    TESTED = "tested"
    DORMANT = "dormant"
    RECOVERED = "recovered"


STATE_LABELS: Final[Mapping[DeviceState, str]] = {
    DeviceState.REGISTERED: "已登记",
    DeviceState.INSTALLED: "已安装，待测试",
    DeviceState.TESTED: "在用",
    DeviceState.DORMANT: "休眠",
    DeviceState.RECOVERED: "已回收",
}

POSSIBLE: Final[Mapping[DeviceState, frozenset[DeviceState]]] = {
    DeviceState.REGISTERED: frozenset({DeviceState.INSTALLED, DeviceState.RECOVERED}),
    DeviceState.INSTALLED: frozenset({DeviceState.TESTED, DeviceState.DORMANT, DeviceState.RECOVERED}),
    DeviceState.TESTED: frozenset({DeviceState.DORMANT, DeviceState.RECOVERED}),
    DeviceState.DORMANT: frozenset({DeviceState.TESTED, DeviceState.INSTALLED, DeviceState.RECOVERED}),
    DeviceState.RECOVERED: frozenset(),
}

WATCHED: Final = frozenset({DeviceState.INSTALLED, DeviceState.TESTED, DeviceState.DORMANT})
"""Devices that stand in a home: whatever they report is acted on, also before the test and while they were thought
to sleep."""


@dataclass(frozen=True, slots=True)
class Heard:
    """An event that was kept, as far as a repetition is told by it; instants in real time.

    `again_at` is when the device was last answered about it; `spoke_since` whether it has said anything else since.
    """

    stamped_at: datetime | None
    arrived_at: datetime
    again_at: datetime
    spoke_since: bool
    reported_since: bool


def is_in_time(stamped_at: datetime | None, now: datetime) -> bool:
    """Whether a time stamp lies within the standard's window; a frame without one (plain) is not judged."""
    return stamped_at is None or -NEWEST_STAMP <= now - stamped_at <= OLDEST_STAMP


def is_repeat(
    before: Heard, stamped_at: datetime | None, now: datetime, *, window: timedelta, up_since: datetime
) -> bool:
    """Whether a frame with the number and content of `before` is `before` once more.

    It is with the very same stamp, whenever, and within the window of its last answer. Up to a day it is too: from a
    device that has said nothing else since, because it reports nothing new before it has its ACK; and, while a
    receiver is newly started (`up_since`), from one that has reported nothing else: its ACK may never have left.
    """
    if stamped_at is not None and stamped_at == before.stamped_at:
        return True
    if now - before.again_at <= window:
        return True
    if now - before.arrived_at > LONGEST_REPEAT:
        return False
    is_new_receiver = before.again_at < up_since and now - up_since <= window
    return not before.spoke_since or (is_new_receiver and not before.reported_since)


def silent_after(poll_seconds: int, missed: int) -> timedelta:
    """How long a device that polls so often may say nothing: `missed` polls that did not come, and half of one."""
    return timedelta(seconds=poll_seconds * missed + poll_seconds / 2)


def owes_test(tested_at: datetime | None, today: date, *, due_days: int) -> bool:
    """Whether a device has not been tested in this calendar quarter of which `due_days` days have passed."""
    begins = quarter_begins(today)
    if today < begins + timedelta(days=due_days):
        return False
    return tested_at is None or tested_at.astimezone(SHANGHAI).date() < begins


def quarter_begins(today: date) -> date:
    """The first day of the quarter."""
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=SHANGHAI)
    return period_start(Every.QUARTER, noon).date()


def quarter_ends(today: date) -> date:
    """The first day of the next quarter."""
    noon = datetime(today.year, today.month, today.day, 12, tzinfo=SHANGHAI)
    return next_period_start(Every.QUARTER, period_start(Every.QUARTER, noon)).date()
