"""The birthday that somebody says, by either calendar, as the day that an age is counted from.

Source: rules.md §4 (70 by birth date on the day of pairing; lunar birthdays converted).
"""

from dataclasses import dataclass
from datetime import date

from dispatch.errors import Invalid
from dispatch.rules.care.festivals import Calendar
from dispatch.rules.care.lunar import LONGEST_MONTH, solar_day

FIELD = "birthday"


@dataclass(frozen=True, slots=True)
class Birthday:
    """Year, month and day as they were said; `leap`: of the lunar month that is inserted (闰)."""

    calendar: Calendar
    year: int
    month: int
    day: int
    leap: bool = False


def birth_date(said: Birthday) -> date:
    """The solar day of a birthday; raises Invalid("birthday") for a day that there was not.

    A 30th in a lunar month of 29 days is refused: nobody was born on it, so something was heard wrong.
    """
    if said.calendar is Calendar.SOLAR:
        try:
            return date(said.year, said.month, said.day)
        except ValueError as error:
            raise Invalid(FIELD, "没有这个公历日子，请核对年月日") from error
    try:
        found = solar_day(said.year, said.month, said.day, leap=said.leap)
    except Invalid as error:
        raise Invalid(FIELD, "没有这个农历日子，请核对年月日和闰月") from error
    if said.day == LONGEST_MONTH and found == solar_day(said.year, said.month, said.day - 1, leap=said.leap):
        raise Invalid(FIELD, "这个农历月只有29天，没有三十，请核对")
    return found
