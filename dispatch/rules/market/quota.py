"""What a household may take in a calendar month, in points (领用额度).

Source: rules.md §6 (Q quota per household and month); the month is that of Asia/Shanghai in which it was reserved.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dispatch.errors import Invalid


@dataclass(frozen=True, slots=True)
class Quota:
    """A household's month: what it may take, and what it has taken or reserved, in points."""

    month: date
    allowed: int
    used: int

    @property
    def left(self) -> int:
        """What may still be taken; never below zero, even where less was allowed later."""
        return max(0, self.allowed - self.used)


def month_of(day: date) -> date:
    """The first day of a day's calendar month."""
    return day.replace(day=1)


def allowance(*, of_household: int, of_each_more: int, persons: int) -> int:
    """The points of a household's month: so many for one person, so many for each more."""
    return of_household + of_each_more * max(0, persons - 1)


def cost(lines: Iterable[tuple[int, int]]) -> int:
    """What lines of (number, points of one) take."""
    return sum(number * points for number, points in lines)


def check_quota(quota: Quota, wanted: int) -> None:
    """Refuse what goes beyond the month; raises Invalid("lines") that says what is left."""
    if wanted > quota.left:
        raise Invalid("lines", "本月还可领 %(left)s 分,所选共 %(wanted)s 分,请减少一些", left=quota.left, wanted=wanted)
