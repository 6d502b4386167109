"""The day book: the journal of a period as everybody may have it, from which the statement can be replayed.

Source: rules.md §6 (捐赠资金和物资逐笔登记造册, 每季度向居民公开一次; beneficiary counts under 3 are suppressed);
decision 0009, 12 and 16.

What came, was bought, sold, destroyed or spent on running the place stands by the day. What reached people stands by
the month and never says on which ground: a line of a single hand-out would tell when somebody was here and what for,
and so would lines that can be added up to the sum of one ground.
"""

from calendar import monthrange
from collections.abc import Iterable, Mapping
from datetime import date
from hashlib import sha256
from typing import Any, Final

from dispatch.rules.access.chain import canonical
from dispatch.rules.funds.shown import AID
from dispatch.rules.funds.terms import GROUNDS, Purpose
from dispatch.rules.reports.merkle import LEAF, root_of
from dispatch.rules.reports.replay import Moved

BY_THE_DAY: Final = frozenset({None, str(Purpose.RUNNING)})
"""Purposes whose lines stand by the day: nobody was reached by them."""

Line = dict[str, Any]


def days_told(day: date, purpose: str | None, first: date, last: date) -> tuple[date, date]:
    """The days that a line says: its own, or those of its month within the period."""
    if purpose in BY_THE_DAY:
        return day, day
    end = day.replace(day=monthrange(day.year, day.month)[1])
    return max(day.replace(day=1), first), min(end, last)


def day_book(moved: Iterable[tuple[date, Moved]], first: date, last: date) -> list[Line]:
    """The lines of a period in a fixed order; what came to nothing has none."""
    sums: dict[tuple[str, ...], int] = {}
    for day, one in moved:
        begin, until = days_told(day, one.purpose, first, last)
        purpose = AID if one.purpose in GROUNDS else one.purpose or ""
        key = (begin.isoformat(), until.isoformat(), one.fund, one.commodity, str(one.kind), purpose)
        sums[key] = sums.get(key, 0) + one.amount
    names = ("from", "until", "fund", "commodity", "kind", "purpose")
    return [dict(zip(names, key, strict=True)) | {"amount": amount} for key, amount in sorted(sums.items()) if amount]


def root_of_lines(lines: Iterable[Mapping[str, Any]]) -> bytes:
    """The root over the lines, by the same tree as that of the gifts."""
    return root_of(sha256(LEAF + sha256(canonical(line)).digest()).digest() for line in lines)
