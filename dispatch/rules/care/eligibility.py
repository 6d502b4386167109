"""Who may be enrolled: of age on the day of pairing, in an empty nest; two elders are one household.

Source: rules.md §4: 10户70岁以上“空巢”老人结成对子 (70 by birth date on the day of pairing; lunar birthdays
converted; Q empty-nest state checked yearly); 10名服务对象; 8位“空巢”老人.
"""

from collections.abc import Sequence
from datetime import date

from dispatch.errors import Invalid
from dispatch.rules.care.terms import Programme

LEAST_AGE = 70
"""70岁以上."""
PARENTS_ARE_OLDER_BY = 16
"""Nobody's child is less than sixteen years younger: such a pair are husband and wife, or brother and sister."""
COUPLE = 2

PLACES: dict[Programme, int] = {Programme.PAIRING: 10, Programme.VOUCHER: 10, Programme.DEVICE: 8}
"""10户, 10名, 8位: what a programme begins with; a community may change it."""
OF_HOUSEHOLDS = frozenset({Programme.PAIRING})
FOR_EMPTY_NESTS = frozenset({Programme.PAIRING, Programme.DEVICE})
"""Where the document says 空巢; the holder of a voucher need not live alone."""
AGED = frozenset({Programme.PAIRING})
"""Where the document says 70岁以上."""


def age_on(birth_date: date, day: date) -> int:
    """Years completed on a day: the birthday completes one; of 29 February, in other years, 1 March does."""
    before_birthday = (day.month, day.day) < (birth_date.month, birth_date.day)
    return day.year - birth_date.year - before_birthday


def is_of_age(birth_date: date | None, day: date, least_age: int = LEAST_AGE) -> bool:
    """Whether somebody has completed that many years on a day; of an unknown birth date it is not known, so no."""
    return birth_date is not None and age_on(birth_date, day) >= least_age


def is_empty_nest(
    births: Sequence[date | None], day: date, least_age: int = LEAST_AGE, *, is_couple: bool = False
) -> bool:
    """Whether those who live in a home, by their birth dates, are elders on their own.

    All of them are of age, or two of whom one is, and the other is too old to be the first one's child; or the two are
    said to be husband and wife, which the register does not know; then the age of one of them is enough.
    """
    of_age = [one for one in births if is_of_age(one, day, least_age)]
    if len(of_age) == len(births):
        return bool(of_age)
    if len(births) != COUPLE or not of_age:
        return False
    known = sorted(one for one in births if one is not None)
    return is_couple or (len(known) == COUPLE and known[1] < years_after(known[0], PARENTS_ARE_OLDER_BY))


def years_after(day: date, years: int) -> date:
    """The same day so many years later (29 February: 1 March where there is none)."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def check_enrolment(
    births: Sequence[date | None],
    day: date,
    *,
    least_age: int | None,
    empty_nest: bool,
    field: str,
    is_couple: bool = False,
) -> None:
    """Refuse whom a programme is not for; raises Invalid naming the field and saying what is missing.

    `births`: of everybody in the home; for a person's programme with a least age, that person first.
    """
    if not births:
        raise Invalid(field, "这一户没有登记居民,请先在居民台账里补上")
    asked = births[:1] if field == "resident_id" else births
    if least_age is not None and not any(is_of_age(one, day, least_age) for one in asked):
        raise Invalid(field, "加入当天要年满%(age)s周岁,请核对出生日期", age=least_age)
    if empty_nest and not is_empty_nest(births, day, least_age or LEAST_AGE, is_couple=is_couple):
        raise Invalid(field, "这一户不是只住着老人,不算空巢,请核对同住的人;两人是夫妻的请勾选")
