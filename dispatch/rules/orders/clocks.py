"""The clocks of an order: when each limit ends, who is told on the way there, and when to call back."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from dispatch.rules.catalogue.calendar import ALWAYS, Due, Period, WorkingCalendar, after_quiet_hours
from dispatch.rules.catalogue.levels import WHOLE, Audience, EscalationLevel
from dispatch.rules.orders.urgency import PRESSING, Urgency
from dispatch.rules.shanghai import SHANGHAI

_NOON_HOUR = 12
_ONE_SECOND = timedelta(seconds=1)
AN_HOUR = timedelta(hours=1)


class CivicType(StrEnum):
    """What kind of matter an order is to the civic clock."""

    INQUIRY = "inquiry"
    GENERAL = "general"
    COMPLICATED = "complicated"


CIVIC_WORKING_DAYS: Final[dict[CivicType, int]] = {
    CivicType.INQUIRY: 3,
    CivicType.GENERAL: 5,
    CivicType.COMPLICATED: 15,
}
"""Limits by type in published practice. Source: hotline.md §1."""


class ServiceClock(StrEnum):
    """Whether the service minutes of a kind run in working hours only, or day and night (7×24)."""

    WORKING = "working"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Limits:
    """All limits of an order, from its kind and the policies; the defaults are hotline.md's starting values.

    `sign_minutes` and `service_minutes` run on the service clock, `urgent_sign_minutes`, `arrive_minutes` and
    the hold times of an offer on the wall clock. Source: hotline.md §1 #4, #7, #9 and #11.
    """

    civic_working_days: int = CIVIC_WORKING_DAYS[CivicType.GENERAL]
    service_minutes: int = 24 * 60
    service_clock: ServiceClock = ServiceClock.WORKING
    dispatch_working_days: Decimal | Fraction | int = Fraction(1, 2)
    sign_minutes: int = 120
    urgent_sign_minutes: int = 15
    urgent_hold_minutes: int = 3
    same_day_hold_minutes: int = 10
    booked_hold_minutes: int = 60
    arrive_minutes: int | None = None


DEFAULT_LIMITS: Final = Limits()
"""Starting values for a kind that sets nothing of its own: 5 working days, a clock day of working hours."""


@dataclass(frozen=True, slots=True)
class DueDates:
    """When each limit of an order ends (UTC); `assumed` when a year without holiday data was crossed."""

    civic_due: datetime
    service_due: datetime
    dispatch_due: datetime
    sign_due: datetime
    assumed: bool


DEFAULT_LEVELS: Final = (
    EscalationLevel(Audience.PERFORMER, 500),
    EscalationLevel(Audience.TEAM_HEAD, 800),
    EscalationLevel(Audience.AREA_CHIEF),
    EscalationLevel(Audience.CENTRE, past_working_days=1),
    EscalationLevel(Audience.SUPERVISION, past_working_days=5),
)
"""Starting levels. Source: hotline.md §3, “each once”."""

MOST_CALLBACK_TRIES: Final = 3
"""Source: hotline.md §1 #14 and #14a (published practice)."""


@dataclass(frozen=True, slots=True)
class Escalation:
    """At this instant (UTC) this audience is told, once; levels count from 1."""

    level: int
    at: datetime
    audience: Audience


def due_dates(limits: Limits, urgency: Urgency, created_at: datetime, calendar: WorkingCalendar) -> DueDates:
    """Give the ends of both clocks and of the limits to dispatch and to sign, all from `created_at`.

    `calendar` is the office's; the civic clock runs on it, the service clock where the kind says so. What
    presses is dispatched at once and signed within wall-clock minutes. Source: hotline.md §1 #4 and #7, §3.
    """
    service_calendar = service_calendar_of(limits, calendar)
    civic = calendar.add_working_days(created_at, limits.civic_working_days)
    service = service_calendar.add_working_seconds(created_at, limits.service_minutes * 60)
    sign = sign_due(limits, urgency, created_at, calendar)
    is_pressing = urgency in PRESSING
    dispatch = calendar.add_working_days(created_at, 0 if is_pressing else limits.dispatch_working_days)
    return DueDates(
        civic.instant,
        service.instant,
        dispatch.instant,
        sign.instant,
        assumed=any(due.assumed for due in (civic, service, dispatch, sign)),
    )


def service_calendar_of(limits: Limits, calendar: WorkingCalendar) -> WorkingCalendar:
    """Give the calendar that the service clock runs on: the office's, or day and night."""
    return ALWAYS if limits.service_clock is ServiceClock.ALWAYS else calendar


def sign_due(limits: Limits, urgency: Urgency, dispatched_at: datetime, calendar: WorkingCalendar) -> Due:
    """Give until when the team signs, from when it was given the order. Source: hotline.md §1 #7."""
    if urgency in PRESSING:
        return ALWAYS.add_working_seconds(dispatched_at, limits.urgent_sign_minutes * 60)
    return service_calendar_of(limits, calendar).add_working_seconds(dispatched_at, limits.sign_minutes * 60)


def offer_lapses_at(limits: Limits, urgency: Urgency, offered_at: datetime) -> datetime:
    """Give when an offer lapses: minutes of the wall clock by urgency. Source: hotline.md §1 #9."""
    minutes = {
        Urgency.EMERGENCY: limits.urgent_hold_minutes,
        Urgency.URGENT: limits.urgent_hold_minutes,
        Urgency.SAME_DAY: limits.same_day_hold_minutes,
        Urgency.BOOKED: limits.booked_hold_minutes,
    }[urgency]
    return offered_at + timedelta(minutes=minutes)


def arrive_due(limits: Limits, accepted_at: datetime, wanted_until: datetime | None) -> datetime | None:
    """Give until when the performer arrives: the kind's minutes, a booked window's end if later, or None.

    A window that was over at `accepted_at` (an order done once and opened again) binds nobody.
    Source: hotline.md §1 #11 (power fault 45 min, gas leak 1 h, others by kind).
    """
    if wanted_until is not None and wanted_until <= accepted_at:
        wanted_until = None
    if limits.arrive_minutes is None:
        return wanted_until
    by_kind = accepted_at + timedelta(minutes=limits.arrive_minutes)
    return by_kind if wanted_until is None else max(by_kind, wanted_until)


def escalation_times(
    created_at: datetime,
    due_at: datetime,
    calendar: WorkingCalendar,
    levels: Sequence[EscalationLevel] = DEFAULT_LEVELS,
    service_calendar: WorkingCalendar | None = None,
    *,
    holds: Sequence[tuple[datetime, datetime]] = (),
) -> Iterator[Escalation]:
    """Tell when each level is told, strictly one after the other and after `created_at`; reckoned as they are taken.

    Shares of the limit are counted in the time that `service_calendar` (default `calendar`) calls working,
    the whole limit is `due_at` itself, days past it are those of `calendar`. `holds` are those that have ended:
    `due_at` has moved by them, the shares move with it and none falls into a hold. Levels must rise; where a
    limit is too short to part them they follow each other by a second. Source: hotline.md §3 and §1 #18.
    """
    clock = service_calendar or calendar
    before = [hold for hold in holds if hold[0] <= due_at]
    held = sum(clock.working_seconds_between(*hold) for hold in before)
    limit = max(clock.working_seconds_between(created_at, due_at) - held, 0)
    earliest = created_at + _ONE_SECOND
    for number, level in enumerate(levels, start=1):
        at = due_at
        if level.at_permille != WHOLE:
            at = clock.add_working_seconds(created_at, limit * level.at_permille // WHOLE).instant
            at = _after_holds(at, before, clock)
        if level.past_working_days:
            at = calendar.add_working_days(at, level.past_working_days).instant
            at = _after_holds(at, [hold for hold in holds if hold[0] > due_at], calendar)
        at = max(at, earliest)
        yield Escalation(number, at, level.audience)
        earliest = at + _ONE_SECOND


def _after_holds(at: datetime, holds: Sequence[tuple[datetime, datetime]], calendar: WorkingCalendar) -> datetime:
    for held_from, held_until in holds:
        at = after_hold(at, held_from, held_until, calendar)
    return at


def after_hold(due_at: datetime, held_from: datetime, held_until: datetime, calendar: WorkingCalendar) -> datetime:
    """Give the limit's end after a hold: later by the time of the hold that `calendar` calls working (UTC).

    What was left of the limit when the hold began is left when it ends, and it never ends within the hold. A
    limit that had ended before the hold keeps its end: a hold makes nothing punctual that was late. Holds one
    after the other shift like one. Raises ValueError when `held_until` is before `held_from`. Source:
    hotline.md §1 #18, “the clock stops”.
    """
    if held_until < held_from:
        raise ValueError("a hold cannot end before it begins")
    if due_at < held_from:
        return due_at.astimezone(UTC)
    held = calendar.working_seconds_between(held_from, held_until)
    return max(calendar.add_working_seconds(due_at, held).instant, held_until.astimezone(UTC))


def holds_since(start: datetime, holds: Iterable[tuple[datetime, datetime]]) -> list[tuple[datetime, datetime]]:
    """Give the holds, or what of them, that fall after `start`: a clock that began anew knows none before."""
    return [(max(begin, start), end) for begin, end in holds if end > start]


def next_level(times: Iterable[Escalation], now: datetime) -> Escalation:
    """Give the first level that is told after `now`, or the last of all; levels behind it are not reckoned."""
    passed = []
    for level in times:
        if level.at > now:
            return level
        passed.append(level)
    return passed[-1]


def shift_out_of_quiet_hours(at: datetime, quiet: Period, urgency: Urgency) -> datetime:
    """Give when to tell: at once of what presses, after the quiet hours of what can wait (UTC).

    Source: hotline.md §3, “nobody at midnight of what can wait”.
    """
    return at if urgency in PRESSING else after_quiet_hours(at, quiet)


def callback_due(fed_back_at: datetime, calendar: WorkingCalendar) -> datetime:
    """Give when to call back: the first working instant of a later day. Source: hotline.md §1 #14."""
    due = calendar.next_half_day(fed_back_at)
    while _day_and_half(due)[0] == _day_and_half(fed_back_at)[0]:
        due = calendar.next_half_day(due)
    return due


def next_callback_try(
    previous_tries: Sequence[datetime], calendar: WorkingCalendar, most_tries: int = MOST_CALLBACK_TRIES
) -> datetime | None:
    """Give when to call again: a later half-day than all tries before; None when they are used up.

    Raises ValueError without any try before (then callback_due tells). Source: hotline.md §1 #14a.
    """
    if not previous_tries:
        raise ValueError("the first try is due at callback_due()")
    if count_half_days(previous_tries) >= most_tries:
        return None
    return calendar.next_half_day(max(previous_tries))


def held_until(minutes: int, wanted_from: datetime | None, *, now: datetime) -> datetime:
    """Until when an offer is held: as long as its kind says, but past an hour never beyond the time that is wanted.

    A visit of the coming days may be thought over; whoever has not answered when it begins does not come.
    """
    whole = now + timedelta(minutes=minutes)
    if wanted_from is None:
        return whole
    return min(whole, max(wanted_from, now + AN_HOUR))


def count_half_days(tries: Sequence[datetime]) -> int:
    """Count the different half-days of the tries, parted at noon in Shanghai: only these count."""
    return len({_day_and_half(at) for at in tries})


def _day_and_half(at: datetime) -> tuple[int, bool]:
    local = at.astimezone(SHANGHAI)
    return local.toordinal(), local.hour >= _NOON_HOUR
