"""Which day or quarter a report is about, and its bounds in Asia/Shanghai.

A clock job's period is the one that BEGINS at its due instant: the job due on 2026-10-01 02:00 has the period
2026-Q4 and reports on the quarter that has just ended, 2026-Q3; the same for days.
"""

import re
from datetime import date, datetime, time, timedelta

from dispatch.errors import Invalid
from dispatch.rules.shanghai import SHANGHAI

QUARTER = re.compile(r"([0-9]{4})-Q([1-4])")
LATE_DAYS_RECOUNTED = 7
"""How many past days are counted anew each night: an order's place may be settled days after its call."""


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


def days_to_recount(day: date) -> list[date]:
    """A day and those before it that are counted with it, oldest first."""
    return [day - timedelta(days=back) for back in range(LATE_DAYS_RECOUNTED - 1, -1, -1)]
