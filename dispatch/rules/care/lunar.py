"""Days of the lunar calendar as days of the solar one."""

from datetime import date
from functools import lru_cache

from lunar_python import Lunar, LunarMonth

from dispatch.errors import Invalid

FIRST_YEAR, LAST_YEAR = 1900, 2199
MONTHS = 12
LONGEST_MONTH = 30


@lru_cache(maxsize=1024)
def solar_day(year: int, month: int, day: int, *, leap: bool = False) -> date:
    """The solar day of a lunar one; in a month of 29 days its 30th is the 29th (除夕). Raises Invalid("day").

    `leap` is the month that is inserted behind the plain one of the same number. Source: GB/T 33661-2017,
    as lunar_python reckons it; rules.md §4 (重阳 9/9, 春节 1/1, lunar birthdays).
    """
    if not FIRST_YEAR <= year <= LAST_YEAR or not 1 <= month <= MONTHS or not 1 <= day <= LONGEST_MONTH:
        raise Invalid("day", "没有这个农历日子")
    number = -month if leap else month
    found = LunarMonth.fromYm(year, number)
    if found is None:
        raise Invalid("day", "这一年没有这个闰月")
    solar = Lunar.fromYmd(year, number, min(day, found.getDayCount())).getSolar()
    return date(solar.getYear(), solar.getMonth(), solar.getDay())
