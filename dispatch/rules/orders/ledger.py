"""The time ledger of an order: whom it waited for in every second of its life."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from itertools import pairwise
from typing import Final

from dispatch.rules.catalogue.calendar import WorkingCalendar
from dispatch.rules.orders.states import ENDED, Action, OrderState


class Bucket(StrEnum):
    """Where a second of an order's life is booked. Source: hotline.md §3, time ledger."""

    US = "us"
    TEAM = "team"
    PROVIDER = "provider"
    RESIDENT = "resident"
    HOLD = "hold"
    OUTSIDE = "outside"


WAITS_FOR: Final[dict[OrderState, Bucket]] = {
    OrderState.RECEIVED: Bucket.US,
    OrderState.AWAITING_DISPATCH: Bucket.US,
    OrderState.AWAITING_HUMAN: Bucket.US,
    OrderState.DISPATCHED: Bucket.TEAM,
    OrderState.SIGNED: Bucket.US,
    OrderState.OFFERED: Bucket.PROVIDER,
    OrderState.ACCEPTED: Bucket.PROVIDER,
    OrderState.ARRIVED: Bucket.PROVIDER,
    OrderState.FINISHED: Bucket.TEAM,
    OrderState.FED_BACK: Bucket.US,
    OrderState.CALLING_BACK: Bucket.US,
} | dict.fromkeys(ENDED, Bucket.US)
"""Who is to move next in each state; an ended one counts only where the order came back (拆单): then we were."""


@dataclass(frozen=True, slots=True)
class Step:
    """One event of the history: what was done, where it led, when."""

    action: Action
    to: OrderState
    at: datetime


@dataclass(frozen=True, slots=True)
class Spell:
    """A stretch [begin, end) in which the order waited for one: seconds that count, and those outside hours."""

    bucket: Bucket
    begin: datetime
    end: datetime
    seconds: int
    outside: int


@dataclass(frozen=True, slots=True)
class Ledger:
    """Whole seconds by bucket (every bucket is named) and the spells that they come from, without gaps."""

    begin: datetime
    end: datetime
    seconds: dict[Bucket, int]
    spells: tuple[Spell, ...]

    @property
    def elapsed(self) -> int:
        """The order's age in whole seconds: the sum of all buckets."""
        return round((self.end - self.begin).total_seconds())


def ledger(
    steps: Sequence[Step], calendar: WorkingCalendar, now: datetime, *, wanted_from: datetime | None = None
) -> Ledger:
    """Book every second from the first step to the end (or `now`, of an open order) into exactly one bucket.

    Instants count in whole seconds, stretches without their end. `calendar` is the one of the kind's clock:
    what lies outside its hours is booked there, but for a hold, whose whole length is the hold's; 7×24 has no
    outside. An order that was taken waits for the resident until the time that the resident wanted
    (`wanted_from`), and after a try to call back that reached nobody. Steps that go back in time take none.
    Raises ValueError without a step. Source: hotline.md §3, “every second of an order's life is in exactly one
    bucket”.
    """
    if not steps:
        raise ValueError("an order begins with a step")
    cuts = _rising([_whole(step.at) for step in steps])
    end = _end(steps, cuts, _whole(now))
    wanted = None if wanted_from is None else _whole(wanted_from)
    spells = tuple(_spell(bucket, begin, until, calendar) for bucket, begin, until in _joined(steps, cuts, end, wanted))
    seconds = dict.fromkeys(Bucket, 0)
    for spell in spells:
        seconds[spell.bucket] += spell.seconds
        seconds[Bucket.OUTSIDE] += spell.outside
    return Ledger(cuts[0], end, seconds, spells)


def _whole(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(microsecond=0)


def _rising(instants: list[datetime]) -> list[datetime]:
    latest = instants[0]
    return [latest := max(latest, at) for at in instants]


def _end(steps: Sequence[Step], cuts: Sequence[datetime], now: datetime) -> datetime:
    """Where the last run of ended states began, or now."""
    if steps[-1].to not in ENDED:
        return max(now, cuts[-1])
    began = len(steps) - 1
    while began > 0 and steps[began - 1].to in ENDED:
        began -= 1
    return cuts[began]


def _parts(
    steps: Sequence[Step], cuts: Sequence[datetime], end: datetime, wanted: datetime | None
) -> Iterator[tuple[Bucket, datetime, datetime]]:
    """Whom the order waited for between each two steps; an appointment parts the time after it was taken."""
    is_held = is_unreached = False
    for step, (begin, until) in zip(steps, pairwise([*cuts, max(end, cuts[-1])]), strict=True):
        is_held = step.action is Action.HOLD or (is_held and step.action is not Action.RESUME)
        is_unreached = step.to is OrderState.CALLING_BACK and (
            is_unreached or step.action is Action.RECORD_CALLBACK_TRY
        )
        if is_held or is_unreached:
            yield (Bucket.HOLD if is_held else Bucket.RESIDENT), begin, min(until, end)
            continue
        parted = begin
        if step.to is OrderState.ACCEPTED and wanted is not None:
            parted = min(max(wanted, begin), until)
        yield Bucket.RESIDENT, begin, min(parted, end)
        yield WAITS_FOR[step.to], parted, min(until, end)


def _joined(
    steps: Sequence[Step], cuts: Sequence[datetime], end: datetime, wanted: datetime | None
) -> list[tuple[Bucket, datetime, datetime]]:
    """The parts that take time, neighbours with the same bucket as one."""
    joined: list[tuple[Bucket, datetime, datetime]] = []
    for bucket, begin, until in _parts(steps, cuts, end, wanted):
        if until <= begin:
            continue
        if joined and joined[-1][0] is bucket:
            joined[-1] = (bucket, joined[-1][1], until)
        else:
            joined.append((bucket, begin, until))
    return joined


def _spell(bucket: Bucket, begin: datetime, end: datetime, calendar: WorkingCalendar) -> Spell:
    whole = round((end - begin).total_seconds())
    counted = whole if bucket is Bucket.HOLD else calendar.working_seconds_between(begin, end)
    return Spell(bucket, begin, end, counted, whole - counted)
