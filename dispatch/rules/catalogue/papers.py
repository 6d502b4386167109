"""Papers of performers: until when those held are valid without a gap, seen from the day the work is wanted."""

from collections.abc import Collection, Iterable
from datetime import date, datetime, timedelta

from dispatch.rules.shanghai import SHANGHAI

NEVER = date.min
"""Until when papers are valid of which one is missing, or has not begun."""

HeldPaper = tuple[str, date, date]
"""Kind, first and last valid day."""


def valid_until(held: Iterable[HeldPaper], needed: Collection[str], day: date) -> date | None:
    """The last day until which every kind of paper held or needed is valid without a gap from `day` on.

    Before `day` where one has ended, NEVER where one is missing or has not begun, None where nothing is held
    or needed. A paper that is not needed counts too: with an expired one nobody is offered anything.
    Source: issue “Orders to the highest in the field”, Firms (papers that expire); hotline.md §2 step 3.
    """
    terms: dict[str, list[tuple[date, date]]] = {kind: [] for kind in needed}
    for kind, first, last in held:
        terms.setdefault(kind, []).append((first, last))
    return min((unbroken(each, day) for each in terms.values()), default=None)


def unbroken(terms: Collection[tuple[date, date]], day: date) -> date:
    """The last day until which papers of one kind follow each other from `day` on; before it where none is valid."""
    end = day - timedelta(days=1)
    for first, last in sorted(terms):
        if first <= end + timedelta(days=1):
            end = max(end, last)
    if end >= day:
        return end
    return max((last for _, last in terms if last < day), default=NEVER)


def hold(held: Iterable[HeldPaper], needed: Collection[str], first: date, last: date, *, demanded: bool) -> bool:
    """Whether papers are valid on every day from `first` to `last`; without any, whether none is demanded."""
    until = valid_until(held, needed, first)
    return not demanded if until is None else last <= until


def days_wanted(wanted_from: datetime | None, wanted_until: datetime | None, at: datetime) -> tuple[date, date]:
    """The first and the last day in Shanghai on which the work may be done; what is over by `at` counts as then."""
    first = max(wanted_from or at, at)
    return day_of(first), day_of(max(wanted_until or first, at))


def day_of(moment: datetime) -> date:
    """The day of an instant in Shanghai."""
    return moment.astimezone(SHANGHAI).date()
