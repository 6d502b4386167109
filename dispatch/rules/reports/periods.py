"""Which day or quarter a report is about, and its bounds in Asia/Shanghai.

A clock job's period is the one that BEGINS at its due instant: the job due on 2026-10-01 02:00 has the period
2026-Q4 and reports on the quarter that has just ended, 2026-Q3; the same for days.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Final

from dispatch.errors import Invalid
from dispatch.rules.shanghai import SHANGHAI


class Grain(StrEnum):
    """How coarse a row of the maintained totals is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


QUARTER = re.compile(r"([0-9]{4})-Q([1-4])")
DAYS_OF_A_WEEK: Final = 7
MONTH_AND_MORE: Final = 32
MOST_TREND_DAYS: Final = 31
MOST_TREND_WEEKS: Final = 26
COARSE_TO_FINE: Final = (Grain.MONTH, Grain.WEEK, Grain.DAY)


def previous_period(period: str) -> str:
    """The name of the day (2026-11-22) or quarter (2026-Q3) before the one named.

    Raises Invalid("period") for any other name.
    """
    match = QUARTER.fullmatch(period)
    if match:
        year, quarter = int(match[1]), int(match[2])
        return f"{year}-Q{quarter - 1}" if quarter > 1 else f"{year - 1}-Q4"
    return (day_of(period) - timedelta(days=1)).isoformat()


def day_of(period: str) -> date:
    """The day that a name means; raises Invalid("period")."""
    try:
        return date.fromisoformat(period)
    except ValueError as error:
        raise Invalid("period", "日期应写成2026-11-23的样子") from error


def bounds_of_day(day: date) -> tuple[datetime, datetime]:
    """The first instant of a day in Asia/Shanghai and that of the next."""
    return datetime.combine(day, time(0), SHANGHAI), datetime.combine(day + timedelta(days=1), time(0), SHANGHAI)


def bounds_of_quarter(quarter: str) -> tuple[datetime, datetime]:
    """The first instant of a quarter (2026-Q3) and that of the next; raises Invalid("quarter")."""
    match = QUARTER.fullmatch(quarter)
    if match is None:
        raise Invalid("quarter", "季度应写成2026-Q3的样子")
    year, number = int(match[1]), int(match[2])
    begin = datetime(year, 3 * number - 2, 1, tzinfo=SHANGHAI)
    end = datetime(year + number // 4, 3 * number % 12 + 1, 1, tzinfo=SHANGHAI)
    return begin, end


def quarter_of(instant: datetime) -> str:
    """The name of the quarter in which an instant lies."""
    local = instant.astimezone(SHANGHAI)
    return f"{local.year}-Q{(local.month - 1) // 3 + 1}"


@dataclass(frozen=True, slots=True)
class Cells:
    """Rows of one grain that lie end to end: those whose first day is from `first` to `last`."""

    grain: Grain
    first: date
    last: date


def first_day(grain: Grain, day: date) -> date:
    """The first day of the day, week (Monday) or month in which a day lies."""
    if grain is Grain.WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if grain is Grain.MONTH else day


def next_first_day(grain: Grain, first: date) -> date:
    """The first day of the next one; `first` is a first day."""
    if grain is Grain.MONTH:
        return (first + timedelta(days=MONTH_AND_MORE)).replace(day=1)
    return first + timedelta(days=DAYS_OF_A_WEEK if grain is Grain.WEEK else 1)


def cells(begin: date, end: date, grains: Sequence[Grain] = COARSE_TO_FINE) -> list[Cells]:
    """The fewest rows that make up the days from `begin` to `end`, both included: whole months, weeks, days.

    Any range is a sum of at most two dozen rows beside its whole months, however long it is.
    """
    if begin > end:
        return []
    grain, finer = grains[0], grains[1:]
    first = first_day(grain, begin)
    first = first if first == begin else next_first_day(grain, first)
    beyond = first_day(grain, end + timedelta(days=1))
    if first >= beyond:
        return cells(begin, end, finer)
    last = first_day(grain, beyond - timedelta(days=1))
    before = cells(begin, first - timedelta(days=1), finer)
    return [*before, Cells(grain, first, last), *cells(beyond, end, finer)]


def period_before(begin: date, end: date) -> tuple[date, date]:
    """The period to compare with: the month before a whole month, else as many days just before."""
    last = begin - timedelta(days=1)
    if begin.day == 1 and next_first_day(Grain.MONTH, begin) == end + timedelta(days=1):
        return last.replace(day=1), last
    return begin - (end - begin) - timedelta(days=1), last


def step_of_trend(begin: date, end: date) -> Grain:
    """How fine a trend over these days is drawn: by day up to 31, by week up to half a year, else by month."""
    days = (end - begin).days + 1
    if days <= MOST_TREND_DAYS:
        return Grain.DAY
    return Grain.WEEK if days <= MOST_TREND_WEEKS * DAYS_OF_A_WEEK else Grain.MONTH


def steps_of(begin: date, end: date, grain: Grain) -> list[tuple[date, date]]:
    """The days from `begin` to `end` in steps of a grain: first and last day of each, cut at both ends."""
    steps = []
    while begin <= end:
        beyond = next_first_day(grain, first_day(grain, begin))
        steps.append((begin, min(end, beyond - timedelta(days=1))))
        begin = beyond
    return steps
