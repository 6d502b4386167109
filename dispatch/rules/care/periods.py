"""The periods of a duty, each on its own clock, one after the other without a gap and without an overlap.

Source: rules.md §4: visit (Q every 14 days), calls at irregular gaps (Q 3–10 days, jittered), at least one return visit
in EVERY calendar month (31 January and 1 March is a miss of February; Q enrolled on or before the 15th: that month
counts; Q warned on the 20th), live test (Q quarterly). The numbers come as `Terms`.
"""

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256

from dispatch.rules.care.terms import DutyKind

ONE_DAY = timedelta(days=1)
MONTHS_OF_A_YEAR = 12
MONTHS_OF: dict[DutyKind, int] = {DutyKind.MONTHLY_VISIT: 1, DutyKind.LIVE_TEST: 3}
"""The duties of the calendar and how many months a period has; the others count from the last time."""


@dataclass(frozen=True, slots=True)
class Terms:
    """The Q values: gaps in days, the day of the month until which the first one counts, and of the warning."""

    visit_days: int
    greeting_least: int
    greeting_most: int
    enrol_day: int
    warning_day: int


@dataclass(frozen=True, slots=True)
class Period:
    """One period of a duty: its number from 1, its name, first and last day, for when it is planned, when to warn."""

    number: int
    name: str
    starts_on: date
    planned_on: date
    warn_on: date | None
    until: date


def first_period(kind: DutyKind, duty_id: int, enrolled_on: date, terms: Terms) -> Period:
    """The first period of a duty.

    A month (quarter) counts when the enrolment is on or before the given day of it (of its last month).
    """
    if kind not in MONTHS_OF:
        return rolling(kind, duty_id, 1, enrolled_on - ONE_DAY, terms)
    first, last = span_of(enrolled_on, MONTHS_OF[kind])
    if enrolled_on <= day_within(last, terms.enrol_day):
        return of_calendar(kind, duty_id, 1, max(first, enrolled_on), terms)
    return of_calendar(kind, duty_id, 1, last + ONE_DAY, terms)


def next_period(kind: DutyKind, duty_id: int, before: Period, settled_on: date, terms: Terms) -> Period:
    """The period after another: of the calendar the next month or quarter, of the others from when that was settled.

    `settled_on` is the day of the contact that met it, else its last day.
    """
    if kind in MONTHS_OF:
        return of_calendar(kind, duty_id, before.number + 1, before.until + ONE_DAY, terms)
    return rolling(kind, duty_id, before.number + 1, settled_on, terms)


def rolling(kind: DutyKind, duty_id: int, number: int, after: date, terms: Terms) -> Period:
    """A period that ends so many days after the last time; a visit is planned for the day before its last."""
    gap = terms.visit_days if kind is DutyKind.VISIT else greeting_gap(duty_id, number, terms)
    starts_on, until = after + ONE_DAY, after + gap * ONE_DAY
    spare = ONE_DAY if kind is DutyKind.VISIT and gap > 1 else timedelta()
    return Period(number, starts_on.isoformat(), starts_on, until - spare, None, until)


def of_calendar(kind: DutyKind, duty_id: int, number: int, day: date, terms: Terms) -> Period:
    """The month or quarter of a day, from that day on; planned for some day before the warning, not all for one."""
    months = MONTHS_OF[kind]
    _, until = span_of(day, months)
    warn_on = max(day, day_within(until, terms.warning_day))
    room = max((warn_on - day).days, 1)
    planned_on = day + drawn(duty_id, number, room) * ONE_DAY
    name = f"{day:%Y-%m}" if months == 1 else f"{day.year}-Q{(day.month - 1) // months + 1}"
    return Period(number, name, day, planned_on, warn_on, until)


def day_within(last: date, number: int) -> date:
    """The day of that number in the month that ends with `last`; where there is none, its last."""
    return last.replace(day=min(number, last.day))


def span_of(day: date, months: int) -> tuple[date, date]:
    """First and last day of the month (1) or quarter (3) that a day lies in."""
    first = (day.month - 1) // months * months + 1
    last = first + months - 1
    return date(day.year, first, 1), date(day.year, last, monthrange(day.year, last)[1])


def greeting_gap(duty_id: int, number: int, terms: Terms) -> int:
    """The days until a call: irregular, yet told again the same (不定期的电话问候; Q 3–10 days, jittered)."""
    irregular = max(terms.greeting_most - terms.greeting_least, 0)
    return terms.greeting_least + drawn(duty_id, number, irregular + 1)


def drawn(duty_id: int, number: int, most: int) -> int:
    """A number of 0 … most - 1, drawn from duty and number of the period and always the same for them."""
    return int.from_bytes(sha256(f"{duty_id}/{number}".encode()).digest()[:8]) % most
