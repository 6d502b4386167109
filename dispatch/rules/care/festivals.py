"""Festivals with the elders: on which day, when it is planned, who is invited.

Source: rules.md §4 (每年的重阳节和春节等重大节日: events planned by themselves for lunar 9/9 and 1/1, the list is data;
the invitation list is the three groups without duplicates; helpers 党员, 文艺骨干).
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from dispatch.errors import Invalid
from dispatch.rules.care.lunar import LONGEST_MONTH, MONTHS, solar_day

LEAP_YEAR = 2000


class Calendar(StrEnum):
    """By which calendar a festival returns."""

    LUNAR = "lunar"
    SOLAR = "solar"


class Answer(StrEnum):
    """What became of an invitation."""

    ASKED = "asked"
    COMES = "comes"
    DECLINES = "declines"
    LAPSED = "lapsed"


ANSWER_LABELS: dict[Answer, str] = {
    Answer.ASKED: "等回话",
    Answer.COMES: "来",
    Answer.DECLINES: "不来",
    Answer.LAPSED: "不再邀请",
}


@dataclass(frozen=True, slots=True)
class Yearly:
    """A day that returns each year."""

    calendar: Calendar
    month: int
    day: int


@dataclass(frozen=True, slots=True)
class Guest:
    """Somebody who may be invited, and the home that is fetched from."""

    resident_id: int
    household_id: int | None


def check_yearly(yearly: Yearly) -> None:
    """Refuse a day that never comes; raises Invalid naming the field."""
    if not 1 <= yearly.month <= MONTHS:
        raise Invalid("month", "月份请填1到12")
    longest = LONGEST_MONTH if yearly.calendar is Calendar.LUNAR else monthrange(LEAP_YEAR, yearly.month)[1]
    if not 1 <= yearly.day <= longest:
        raise Invalid("day", "这个月没有这一天")


def day_in(yearly: Yearly, year: int) -> date:
    """The festival's day of a year of its own calendar; the last of the month where the month is shorter.

    Where a month is doubled the festival is that of the plain one, so it comes once a year.
    """
    if yearly.calendar is Calendar.LUNAR:
        return solar_day(year, yearly.month, yearly.day)
    return date(year, yearly.month, min(yearly.day, monthrange(year, yearly.month)[1]))


def next_days(yearly: Yearly, today: date, days_ahead: int) -> tuple[tuple[int, date], ...]:
    """The festivals (year of its calendar, day) that fall from today to `days_ahead` days on, the nearest first."""
    found = [(year, day_in(yearly, year)) for year in range(today.year - 1, today.year + 2)]
    last = today + timedelta(days=days_ahead)
    return tuple((year, day) for year, day in found if today <= day <= last)


def guests(groups: Iterable[Iterable[Guest]]) -> tuple[Guest, ...]:
    """The union of the groups without doubles, by rising id: who is in two programmes is invited once."""
    return tuple(sorted({one.resident_id: one for group in groups for one in group}.values(), key=by_id))


def by_id(guest: Guest) -> int:
    """What guests are sorted by."""
    return guest.resident_id


def rides(coming: Iterable[Guest], wants: Mapping[int, bool]) -> tuple[tuple[Guest, ...], ...]:
    """Who is fetched with whom: two of one home share one ride; who has no home here is fetched alone."""
    shared: dict[tuple[str, int], list[Guest]] = {}
    for guest in guests([coming]):
        if wants.get(guest.resident_id, False):
            home = ("alone", guest.resident_id) if guest.household_id is None else ("home", guest.household_id)
            shared.setdefault(home, []).append(guest)
    return tuple(tuple(ride) for ride in shared.values())
