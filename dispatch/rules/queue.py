"""Lanes, attempts, back-off and periods: when a job may run, and which periods a clock job owes.

Source: docs of the promise (the database is the queue; a period cannot be skipped and cannot run twice).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import IntEnum, StrEnum

from dispatch.rules.shanghai import SHANGHAI

LEASE_SECONDS = 90
PLAUSIBLE_LEASE_SECONDS = 120
MOST_ATTEMPTS = 5
BATCH = 100
MOST_NOTICES = 8
MOST_EMERGENCIES = 24
SUSPECTS_PER_SWEEP = 20
DRAIN_SECONDS = 30
FIRST_BACK_OFF_SECONDS = 2
LONGEST_BACK_OFF_SECONDS = 60
SWEEP_EVERY_SECONDS = 0.5
SWEEP_GRACE_SECONDS = 1.5
TICK_EVERY_SECONDS = 5
CLOCKS_MAY_DIFFER_SECONDS = 60


class Lane(IntEnum):
    """Who goes first: a back-fill never starves an order."""

    EMERGENCY = 0
    DISPATCH = 1
    NOTIFY = 2
    DEADLINE = 3
    PERIODIC = 4


def most_per_claim(lane: Lane) -> int:
    """How many jobs are claimed at once: those that talk to slow receivers must end well within a lease.

    A receiver takes 8 s at most and eight are talked to side by side: 8 s for a claim of notices, 24 s for one of
    emergencies, whose notices run in their own lane.
    """
    return {Lane.NOTIFY: MOST_NOTICES, Lane.EMERGENCY: MOST_EMERGENCIES}.get(lane, BATCH)


def waits_for_clocks(lane: Lane) -> bool:
    """Whether work of the lane waits while this machine's clock and the database's differ: one of them is wrong."""
    return lane in {Lane.DEADLINE, Lane.PERIODIC}


class Every(StrEnum):
    """How often the clock starts a job; the period's name is business time in Asia/Shanghai."""

    MINUTE = "minute"
    DAY = "day"
    MONTH = "month"
    QUARTER = "quarter"


@dataclass(frozen=True, slots=True)
class Scheduled:
    """One job that the clock starts: its handler kind, its period and when in the period it is due.

    After a standstill all missed periods are made, at most `most_catch_up` at a time; `only_newest` is for a
    probe of the present (the canary): what was not probed then cannot be probed now.
    """

    job: str
    every: Every
    at: time = time(0, 0)
    most_catch_up: int = 400
    only_newest: bool = False


@dataclass(frozen=True, slots=True)
class PeriodDue:
    """A period that has begun to be owed: name (2026-11-23, 2026-11, 2026-Q3, 2026-11-23T10:05) and instant."""

    period: str
    due_at: datetime


def back_off_seconds(attempts: int) -> int:
    """Seconds to wait after the n-th failed attempt: 2, 4, 8 … at most 60."""
    return int(min(FIRST_BACK_OFF_SECONDS * 2 ** max(attempts - 1, 0), LONGEST_BACK_OFF_SECONDS))


def is_dead(attempts: int, most_attempts: int = MOST_ATTEMPTS) -> bool:
    """Whether a job that has been tried so often goes to a human instead."""
    return attempts >= most_attempts


def period_start(every: Every, instant: datetime) -> datetime:
    """The first instant of the period in which `instant` lies (Asia/Shanghai)."""
    local = instant.astimezone(SHANGHAI)
    if every is Every.MINUTE:
        return local.replace(second=0, microsecond=0)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    if every is Every.DAY:
        return midnight
    if every is Every.MONTH:
        return midnight.replace(day=1)
    return midnight.replace(month=3 * ((local.month - 1) // 3) + 1, day=1)


def next_period_start(every: Every, start: datetime) -> datetime:
    """The first instant of the following period."""
    if every is Every.MINUTE:
        return (start + timedelta(minutes=1)).astimezone(SHANGHAI)
    day = start.astimezone(SHANGHAI).date()
    if every is Every.DAY:
        following = day + timedelta(days=1)
    else:
        months = 1 if every is Every.MONTH else 3
        index = day.year * 12 + day.month - 1 + months
        following = date(index // 12, index % 12 + 1, 1)
    return datetime.combine(following, time(0), SHANGHAI)


def period_name(every: Every, start: datetime) -> str:
    """The business name of the period that begins at `start`."""
    local = start.astimezone(SHANGHAI)
    if every is Every.MINUTE:
        return local.strftime("%Y-%m-%dT%H:%M")
    if every is Every.DAY:
        return local.strftime("%Y-%m-%d")
    if every is Every.MONTH:
        return local.strftime("%Y-%m")
    return f"{local.year}-Q{(local.month - 1) // 3 + 1}"


def due_instant(scheduled: Scheduled, start: datetime) -> datetime:
    """When the job of the period that begins at `start` is due: that time of the period's first day."""
    if scheduled.every is Every.MINUTE:
        return start
    return datetime.combine(start.astimezone(SHANGHAI).date(), scheduled.at, SHANGHAI)


def periods_owed(scheduled: Scheduled, last: datetime | None, now: datetime) -> Iterator[PeriodDue]:
    """Every period after `last` (its due instant) that is due by `now`, oldest first.

    With no `last` only the newest due period counts: a new installation owes nothing of the past.
    No period is skipped, however long the system stood still; the caller takes at most `most_catch_up`
    at a time and comes back for the rest.
    """
    start = period_start(scheduled.every, last if last is not None else now)
    if last is None and due_instant(scheduled, start) > now:
        start = period_start(scheduled.every, start - timedelta(seconds=1))
    if last is not None:
        start = next_period_start(scheduled.every, start)
    if scheduled.only_newest and last is not None:
        start = max(start, period_start(scheduled.every, now))
    while (due := due_instant(scheduled, start)) <= now:
        yield PeriodDue(period_name(scheduled.every, start), due)
        start = next_period_start(scheduled.every, start)
