"""At what time somebody comes: within the helper's own hours, one home after the other.

Source: issue 5 (helpers' availability).
"""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta

from dispatch.rules.catalogue.calendar import WeeklyPeriods
from dispatch.rules.shanghai import SHANGHAI

MINUTES_OF_A_DAY = 24 * 60
ONE_DAY = timedelta(days=1)

Window = tuple[datetime, datetime]


def days_by_preference(planned: date, first: date, last: date) -> list[date]:
    """The days first … last, the planned one first, then the nearest, the earlier of two before the later."""
    days = [first + ahead * ONE_DAY for ahead in range((last - first).days + 1)]
    return sorted(days, key=lambda day: (abs((day - planned).days), day))


def free_window(
    day: date, shifts: WeeklyPeriods, taken: Sequence[Window], minutes: int, *, not_before: datetime
) -> Window | None:
    """The first stretch of a helper's hours on a day that meets nothing else; None when there is none left."""
    for begins, ends in stretches(day, shifts, minutes):
        if begins >= not_before and not any(first < ends and begins < last for first, last in taken):
            return begins, ends
    return None


def stretches(day: date, shifts: WeeklyPeriods, minutes: int) -> Iterator[Window]:
    """The hours of a day in pieces of so many minutes; a shift over midnight ends at midnight."""
    midnight = datetime.combine(day, time(), SHANGHAI)
    for period in sorted(shifts.get(day.weekday(), ()), key=lambda one: one.start):
        end = MINUTES_OF_A_DAY if period.is_over_midnight else period.end
        for start in range(period.start, end - minutes + 1, minutes):
            yield midnight + timedelta(minutes=start), midnight + timedelta(minutes=start + minutes)
