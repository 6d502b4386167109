"""Weekly shifts as they are stored: {"1": ["08:00-12:00", …], … "7": […]}, 1 is Monday."""

import re
from collections.abc import Iterable, Mapping, Sequence

from dispatch.errors import Invalid
from dispatch.rules.catalogue.calendar import Period, WeeklyPeriods

_HOURS = re.compile(r"([1-7])-([1-7]) (\S+)")


def shifts_of(hours: Iterable[str]) -> dict[str, list[str]]:
    """The stored form of lines “first weekday-last weekday from-until”, as “1-5 08:00-18:00”.

    Raises Invalid("shifts" | "period", …) for another shape.
    """
    shifts: dict[str, list[str]] = {}
    for line in hours:
        found = _HOURS.fullmatch(line)
        if found is None:
            raise Invalid("shifts", "班次请写成“1-5 08:00-18:00”的样子。")
        Period.of(found[3])
        for weekday in range(int(found[1]), int(found[2]) + 1):
            shifts.setdefault(str(weekday), []).append(found[3])
    return shifts


def weekly(shifts: Mapping[str, Sequence[str]]) -> WeeklyPeriods:
    """The periods of stored shifts by weekday, 0 is Monday. Raises Invalid("shifts" | "period", …)."""
    if not {*shifts} <= {str(weekday) for weekday in range(1, 8)}:
        raise Invalid("shifts", "班次的星期应为1(星期一)到7(星期日)。")
    return {int(weekday) - 1: tuple(Period.of(text) for text in texts) for weekday, texts in shifts.items()}
