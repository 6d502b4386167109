"""Working time: the one calculator for hours, holidays, make-up workdays, shifts and quiet hours."""

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import Final, Self

import chinese_calendar

from dispatch.errors import Invalid, NotFound

MINUTES_OF_DAY: Final = 1440
SECONDS_OF_DAY: Final = 86_400
NOON: Final = 43_200
# Longer limits than twenty years are mistakes; it also bounds the walk over the days.
LONGEST_WALK_DAYS: Final = 7_320

# Asia/Shanghai is UTC+8 without change since 1991, so its days are counted by plain arithmetic: the local
# midnight of the day with ordinal 2 is this instant. Instants before 1992 are refused.
_MIDNIGHT_OF_DAY_TWO = datetime(1, 1, 1, 16, tzinfo=UTC)
_FIRST_DAY = date(1992, 1, 1).toordinal()
_LAST_DAY = date(9900, 1, 1).toordinal()
_PERIOD = re.compile(r"([0-9]{1,2}):([0-5][0-9])[-\u2013]([0-9]{1,2}):([0-5][0-9])")

Spans = tuple[tuple[int, int], ...]


class DayKind(StrEnum):
    """What an exception makes of a day. Source: hotline.md §3, holidays and make-up workdays (调休)."""

    HOLIDAY = "holiday"
    WORKDAY = "workday"


class YearNotKnown(NotFound):
    """还没有这一年的放假安排,请先录入节假日和调休日"""


@dataclass(frozen=True, slots=True)
class Period:
    """A part of the local day in minutes, without its `end`; `end` < `start` goes over midnight."""

    start: int
    end: int

    def __post_init__(self) -> None:
        """Refuse what is no part of a day with Invalid("period", …)."""
        if not (0 <= self.start < MINUTES_OF_DAY and 0 < self.end <= MINUTES_OF_DAY) or self.start == self.end:
            raise Invalid("period", "时段应在00:00至24:00之间,且起止不能相同。")

    @classmethod
    def of(cls, text: str) -> Self:
        """Return the period written as “08:30-12:00”; raises Invalid("period", …) for another shape."""
        found = _PERIOD.fullmatch(text)
        if found is None:
            raise Invalid("period", "时段请写成08:30-12:00的样子。")
        start_hour, start_minute, end_hour, end_minute = map(int, found.groups())
        return cls(start_hour * 60 + start_minute, end_hour * 60 + end_minute)

    @property
    def is_over_midnight(self) -> bool:
        """Whether the period ends on the following day."""
        return self.end < self.start


WeeklyPeriods = Mapping[int, tuple[Period, ...]]


@dataclass(frozen=True, slots=True)
class Due:
    """An instant (UTC) counted in working time; `assumed` when a year without holiday data was crossed."""

    instant: datetime
    assumed: bool


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """Working periods by weekday (0 is Monday), days that differ, and the years whose holidays are known.

    An exception is a holiday (no working time), a make-up workday (Monday's periods, or those of the first
    weekday that has any) or its own periods. A year outside `years` is counted by weekday and marked as
    assumed. Instants are aware; days are those of Asia/Shanghai, whose clock has not been changed since 1991.
    Raises Invalid("weekly", …) for a week without working time, a wrong weekday or overlapping periods.
    Source: hotline.md §3 Clocks, “one calculator for working time”.
    """

    weekly: WeeklyPeriods
    exceptions: Mapping[date, DayKind | tuple[Period, ...]]
    years: frozenset[int]
    _spans_of_weekday: tuple[Spans, ...] = field(init=False, repr=False, compare=False)
    _spans_of_exception: dict[int, Spans] = field(init=False, repr=False, compare=False)
    _week_before: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _exception_days: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _exception_before: tuple[int, ...] = field(init=False, repr=False, compare=False)
    _needs_years: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check the periods and lay the sums out, so that questions cost no walk over the days."""
        if not set(self.weekly) <= set(range(7)):
            raise Invalid("weekly", "星期应为0(星期一)到6(星期日)。")
        of_weekday = tuple(_spans(self.weekly.get(weekday, ())) for weekday in range(7))
        workday = next((spans for spans in of_weekday if spans), None)
        if workday is None:
            raise Invalid("weekly", "一周中至少要有一个工作时段。")
        of_exception = {
            day.toordinal(): _exception_spans(kind, workday) for day, kind in sorted(self.exceptions.items())
        }
        changes = (_length(spans) - _length(of_weekday[(ordinal - 1) % 7]) for ordinal, spans in of_exception.items())
        store = object.__setattr__
        store(self, "_spans_of_weekday", of_weekday)
        store(self, "_spans_of_exception", of_exception)
        store(self, "_week_before", tuple(accumulate(map(_length, of_weekday), initial=0)))
        store(self, "_exception_days", tuple(of_exception))
        store(self, "_exception_before", tuple(accumulate(changes, initial=0)))
        store(self, "_needs_years", any(_length(spans) < SECONDS_OF_DAY for spans in of_weekday))

    def add_working_seconds(self, start: datetime, seconds: int) -> Due:
        """Return the earliest instant with `seconds` of working time between `start` and it.

        Nothing to add is `start` itself; a limit that ends with a period ends there, not at the next one.
        Raises Invalid("seconds", …) for less than nothing or more than twenty years.
        """
        if seconds < 0:
            raise Invalid("seconds", "时限不能为负。")
        if seconds == 0:
            return self._due(start, start)
        first, position = _locate(start)
        missing = seconds * 1_000_000
        for ordinal in range(first, first + LONGEST_WALK_DAYS):
            reached, missing = self._advance(ordinal, position, missing)
            if reached:
                return self._due(start, reached)
            position = 0
        raise Invalid("seconds", "时限太长,请检查工作日历和时限。")

    def add_working_days(self, start: datetime, days: Decimal | Fraction | int) -> Due:
        """Return the instant `days` working days after `start`; a part of a day is a share of its seconds.

        Every day with working time counts as one whatever its length, so that “3 个工作日” from Monday 10:00
        is Thursday 10:00. Source: hotline.md §1, limits in working days. Raises Invalid("days", …) as above.
        """
        # what is missing is `share` of `whole` days: whole numbers, reduced nowhere, cost a tenth of fractions
        share, whole = days.as_integer_ratio()
        if share < 0:
            raise Invalid("days", "时限不能为负。")
        if share == 0:
            return self._due(start, start)
        first, position = _locate(start)
        for ordinal in range(first, first + LONGEST_WALK_DAYS):
            length = _length(self._spans_on(ordinal)) * 1_000_000
            if length and position == 0 and share > whole:
                share -= whole
            elif length:
                reached, _ = self._advance(ordinal, position, -(-share * length // whole))
                if reached:
                    return self._due(start, reached)
                left = length - self._elapsed(ordinal, position)
                share, whole = share * length - left * whole, whole * length
            position = 0
        raise Invalid("days", "时限太长,请检查工作日历和时限。")

    def working_seconds_between(self, begin: datetime, end: datetime) -> int:
        """Return the whole working seconds from `begin` to `end`, negative when `end` is earlier.

        Additive: between(a, b) + between(b, c) = between(a, c), so that the buckets of a time ledger add up.
        """
        return self._seconds_before(end) - self._seconds_before(begin)

    def is_working(self, instant: datetime) -> bool:
        """Return whether `instant` lies in a working period."""
        ordinal, position = _locate(instant)
        second = position // 1_000_000
        return any(opens <= second < closes for opens, closes in self._spans_on(ordinal))

    def working_day_length(self, day: date) -> int:
        """Return the working seconds of a local day, 0 on a holiday."""
        return _length(self._spans_on(day.toordinal()))

    def is_known(self, day: date) -> bool:
        """Return whether the holidays of this day's year are known, or do not matter (7×24)."""
        return not self._needs_years or day.year in self.years

    def next_half_day(self, instant: datetime) -> datetime:
        """Return the first working instant (UTC) of a later half-day than that of `instant`, parted at noon.

        Source: hotline.md §1, 14a: three tries on different half-days. Raises Invalid("weekly", …) when no
        working time follows within twenty years.
        """
        first, position = _locate(instant)
        bound = NOON if position < NOON * 1_000_000 else SECONDS_OF_DAY
        for ordinal in range(first, first + LONGEST_WALK_DAYS):
            for opens, closes in self._spans_on(ordinal):
                if closes > bound:
                    return _instant(ordinal, max(opens, bound) * 1_000_000)
            bound = 0
        raise Invalid("weekly", "之后没有工作时间,请检查工作日历。")

    def _spans_on(self, ordinal: int) -> Spans:
        spans = self._spans_of_exception.get(ordinal)
        return self._spans_of_weekday[(ordinal - 1) % 7] if spans is None else spans

    def _elapsed(self, ordinal: int, position: int) -> int:
        return sum(
            max(min(closes * 1_000_000, position) - opens * 1_000_000, 0) for opens, closes in self._spans_on(ordinal)
        )

    def _advance(self, ordinal: int, position: int, missing: int) -> tuple[datetime | None, int]:
        """Return where `missing` microseconds end on this day, or None and what the day leaves missing."""
        for opens, closes in self._spans_on(ordinal):
            begin = max(opens * 1_000_000, position)
            available = closes * 1_000_000 - begin
            if available >= missing:
                return _instant(ordinal, begin + missing), 0
            missing -= max(available, 0)
        return None, missing

    def _seconds_before(self, instant: datetime) -> int:
        ordinal, position = _locate(instant)
        weeks, weekday = divmod(ordinal - 1, 7)
        exceptions = bisect_left(self._exception_days, ordinal)
        return (
            weeks * self._week_before[7]
            + self._week_before[weekday]
            + self._exception_before[exceptions]
            + self._elapsed(ordinal, position) // 1_000_000
        )

    def _due(self, start: datetime, instant: datetime) -> Due:
        years = range(_year(start), _year(instant) + 1)
        assumed = self._needs_years and not self.years.issuperset(years)
        return Due(instant.astimezone(UTC), assumed)


def on_shift(weekly_shift: WeeklyPeriods, instant: datetime) -> bool:
    """Return whether `instant` lies in a shift; one over midnight belongs to the weekday on which it begins.

    Source: hotline.md §2.3, “on shift at the time wanted”, and §3, shifts.
    """
    ordinal, position = _locate(instant)
    minute = position // 60_000_000
    weekday = (ordinal - 1) % 7
    today = weekly_shift.get(weekday, ())
    yesterday = weekly_shift.get((weekday - 1) % 7, ())
    return any(period.start <= minute and (minute < period.end or period.is_over_midnight) for period in today) or any(
        period.is_over_midnight and minute < period.end for period in yesterday
    )


def next_shift(weekly_shift: WeeklyPeriods, instant: datetime) -> datetime | None:
    """Return when the next shift begins after `instant` (UTC), or None for somebody without any shift.

    Source: hotline.md §3, shifts.
    """
    ordinal, position = _locate(instant)
    midnight = instant.astimezone(UTC) - timedelta(microseconds=position)
    for ahead in range(8):
        begins = sorted(period.start for period in weekly_shift.get((ordinal - 1 + ahead) % 7, ()))
        for minute in begins:
            at = midnight + timedelta(days=ahead, minutes=minute)
            if at > instant:
                return at
    return None


def after_quiet_hours(instant: datetime, quiet: Period) -> datetime:
    """Return `instant`, or the end of the quiet hours when it lies in them (UTC).

    Source: hotline.md §3 Escalation, “nobody at midnight of what can wait”.
    """
    ordinal, position = _locate(instant)
    minute = position // 60_000_000
    if quiet.is_over_midnight:
        is_quiet = minute >= quiet.start or minute < quiet.end
        end_day = ordinal + 1 if minute >= quiet.start else ordinal
    else:
        is_quiet = quiet.start <= minute < quiet.end
        end_day = ordinal
    return _instant(end_day, quiet.end * 60_000_000) if is_quiet else instant.astimezone(UTC)


def seed_year(year: int) -> list[tuple[date, DayKind, str]]:
    """Return the holidays and make-up workdays of a year in order of date, each with its Chinese name.

    Source: the State Council's yearly notice on holidays (国务院办公厅关于部分节假日安排的通知), as held by
    chinesecalendar. Raises YearNotKnown for a year that it does not hold.
    """
    found = [*_seed_days(year)]
    if not found:
        raise YearNotKnown
    return sorted(found)


def _seed_days(year: int) -> Iterator[tuple[date, DayKind, str]]:
    names = {holiday.value: holiday.chinese for holiday in chinese_calendar.Holiday}
    for day, name in chinese_calendar.holidays.items():
        if day.year == year:
            yield day, DayKind.HOLIDAY, names[name]
    for day, name in chinese_calendar.workdays.items():
        if day.year == year:
            yield day, DayKind.WORKDAY, f"{names[name]}调休上班"


def _spans(periods: tuple[Period, ...]) -> Spans:
    ordered = sorted((period.start * 60, period.end * 60) for period in periods)
    if any(period.is_over_midnight for period in periods):
        raise Invalid("weekly", "工作时段不能跨过午夜,请分成两天填写。")
    if any(later[0] < earlier[1] for earlier, later in pairwise(ordered)):
        raise Invalid("weekly", "同一天的工作时段不能重叠。")
    return tuple(ordered)


def _exception_spans(kind: DayKind | tuple[Period, ...], workday: Spans) -> Spans:
    if isinstance(kind, DayKind):
        return workday if kind is DayKind.WORKDAY else ()
    return _spans(kind)


def _length(spans: Spans) -> int:
    return sum(closes - opens for opens, closes in spans)


def _locate(instant: datetime) -> tuple[int, int]:
    """Return the ordinal of the local day and the microseconds since its midnight."""
    if instant.tzinfo is None:
        raise Invalid("instant", "时间必须带时区。")
    elapsed = instant - _MIDNIGHT_OF_DAY_TWO
    ordinal = elapsed.days + 2
    if not _FIRST_DAY <= ordinal < _LAST_DAY:
        raise Invalid("instant", "时间超出工作日历可以计算的范围。")
    return ordinal, elapsed.seconds * 1_000_000 + elapsed.microseconds


def _instant(ordinal: int, microseconds: int) -> datetime:
    return _MIDNIGHT_OF_DAY_TWO + timedelta(days=ordinal - 2, microseconds=microseconds)


def _year(instant: datetime) -> int:
    return date.fromordinal(_locate(instant)[0]).year


ALWAYS: Final = WorkingCalendar({weekday: (Period(0, MINUTES_OF_DAY),) for weekday in range(7)}, {}, frozenset())
"""The calendar of kinds served 7×24: every second works and no year is assumed (hotline.md §3)."""
