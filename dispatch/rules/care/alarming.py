"""When what is due, or was missed, is said to whom: a warning before the end, then level by level, each once.

Source: rules.md §4 (Q due on the 1st, warned on the 20th, overdue at month end); issue 5 (missed → levels of
escalation).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from dispatch.errors import Invalid

ALARM_LEVELS = ("notice", "warning", "emergency")
MOST_LEVELS = 10


@dataclass(frozen=True, slots=True)
class Level:
    """So many days after a miss: the alarm's level, and whose it is (desk, area_chief, centre)."""

    after_days: int
    level: str
    tell: str


def levels_of(value: object) -> tuple[Level, ...]:
    """The levels of a policy, by rising days; raises Invalid("value") for what is none."""
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_LEVELS:
        raise Invalid("value", "漏做的提醒级别请按格式填写")
    found = []
    for one in value:
        if not isinstance(one, dict) or one.get("level") not in ALARM_LEVELS:
            raise Invalid("value", "漏做的提醒级别请按格式填写")
        found.append(Level(int(one["after_days"]), str(one["level"]), str(one["tell"])))
    return tuple(sorted(found, key=lambda level: level.after_days))


def reached(levels: Sequence[Level], until: date, today: date) -> int:
    """How many levels a missed period has come to; the first is reached on the day after its last."""
    late = (today - until).days - 1
    return sum(1 for level in levels if level.after_days <= late)


def is_to_be_told(reached: int, told: int, until: date, last_seen: date | None) -> bool:
    """Whether a miss has come to a level that was not told of it, and nobody was there since.

    Each miss has levels of its own: another one of the same duty neither hushes it nor takes its place.
    """
    return reached > told and (last_seen is None or last_seen <= until)


def is_warned(warn_on: date | None, today: date) -> bool:
    """Whether it is time to warn of a period that is still due."""
    return warn_on is not None and warn_on <= today


def both_unanswered(calls: Sequence[datetime], this: datetime, window_hours: int) -> bool:
    """Whether of the calls that nobody answered another lies within the window of this one (Q 2 h).

    Before or after it: calls are not always written down in their order.
    Source: rules.md §4 (two calls unanswered within 2 h: the stairwell leader is sent).
    """
    return sum(1 for one in calls if abs(one - this) <= timedelta(hours=window_hours)) > 1
