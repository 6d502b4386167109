"""A second count of the care calendar: plain questions to the tables, months and days by rules written down here.

Nothing of the product's own arithmetic is used. Each function gives what is not as it must be, in words.
"""

from calendar import monthrange
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

Rows = Callable[..., list[tuple[Any, ...]]]
DAY = timedelta(days=1)
OWED = {"pairing": {"visit", "greeting"}, "voucher": {"monthly_visit"}, "device": {"live_test"}}
MONTHS = {"monthly_visit": 1, "live_test": 3}
VISIT_DAYS, LEAST_GAP, MOST_GAP, LAST_DAY_TO_COUNT = 14, 3, 10, 15
LEVELS = ((0, "notice"), (2, "warning"), (5, "emergency"))
ASKED_BY_TWO = {"away", "disaster", "refused", "other"}

RESTS = (("2025-01-01", 1), ("2025-01-28", 8), ("2025-04-04", 3), ("2025-05-01", 5), ("2025-05-31", 3),
         ("2025-10-01", 8), ("2026-01-01", 3), ("2026-02-15", 9))  # fmt: skip
MADE_UP = {
    "2025-01-26",
    "2025-02-08",
    "2025-04-27",
    "2025-09-28",
    "2025-10-11",
    "2026-01-04",
    "2026-02-14",
    "2026-02-28",
}
"""The State Council's holidays (first day, how many) and the weekend days that are worked instead (调休上班)."""
SATURDAY = 5
BEGINS, ENDS = (8, 30), (17, 30)

ENROLMENTS = (
    "SELECT one.id, programme.kind, one.starts_on, one.ends_on, one.end_code, "
    "coalesce(one.household_id, (SELECT household_id FROM residents WHERE id = one.resident_id), "
    "(SELECT household_id FROM residences WHERE resident_id = one.resident_id ORDER BY id DESC LIMIT 1)) "
    "FROM enrolments AS one JOIN programmes AS programme ON programme.id = one.programme_id ORDER BY one.id"
)
PERIODS = (
    "SELECT duty.enrolment_id, duty.kind, period.id, period.duty_id, period.number, period.name, period.starts_on, "
    "period.until, period.state, period.settled_on, period.contact_id, period.excuse_code, period.absence_id, "
    "period.asked_by, period.approved_by FROM duty_periods AS period JOIN duties AS duty ON duty.id = period.duty_id "
    "ORDER BY period.duty_id, period.number"
)
CONTACTS = (
    "SELECT id, household_id, kind, day, answered, tested, order_id, (recorded_at AT TIME ZONE 'Asia/Shanghai')::date "
    "FROM contacts ORDER BY id"
)
STAYS = (
    "SELECT absence.id, absence.kind, absence.starts_on, absence.until, resident.household_id, resident.id "
    "FROM absences AS absence JOIN residents AS resident ON resident.id = absence.resident_id"
)
TOLD = (
    "SELECT split_part(subject, ':', 2)::bigint, level, "
    "(raised_at AT TIME ZONE 'Asia/Shanghai')::date, (cleared_at AT TIME ZONE 'Asia/Shanghai')::date "
    "FROM alarms WHERE kind = 'duty_missed' ORDER BY id"
)
LIMITS = (
    "SELECT number, (created_at AT TIME ZONE 'Asia/Shanghai')::timestamp, (civic_due_at AT TIME ZONE 'Asia/Shanghai')"
    "::timestamp, services.civic_working_days FROM orders JOIN services ON services.id = orders.service_id "
    "WHERE origin LIKE 'care.%%' AND civic_due_at IS NOT NULL ORDER BY orders.id"
)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Somebody enrolled, from when until when, and where they live."""

    id: int
    programme: str
    starts_on: date
    ends_on: date | None
    end_code: str | None
    household_id: int


@dataclass(frozen=True, slots=True)
class Period:
    """What was owed once, and what became of it."""

    enrolment_id: int
    kind: str
    id: int
    duty_id: int
    number: int
    name: str
    starts_on: date
    until: date
    state: str
    settled_on: date | None
    contact_id: int | None
    excuse: str | None
    absence_id: int | None
    asked_by: int | None
    approved_by: int | None


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody was there, or rang up."""

    id: int
    household_id: int
    kind: str
    day: date
    answered: bool
    tested: bool
    order_id: int | None
    recorded_on: date

    def counts_for(self, kind: str) -> bool:
        """A visit in person counts for visit, call and month, a call for the call, a tried device for the test only."""
        if not self.answered:
            return False
        if kind == "live_test":
            return self.tested
        return self.kind == "visit" or (self.kind, kind) == ("call", "greeting")


@dataclass(frozen=True, slots=True)
class Stay:
    """Days on which somebody was in hospital or away."""

    id: int
    kind: str
    starts_on: date
    until: date | None
    household_id: int | None
    resident_id: int

    def covers(self, first: date, last: date) -> bool:
        """Whether some day of first … last is one of them."""
        return self.starts_on <= last and (self.until is None or self.until >= first)


@dataclass(frozen=True, slots=True)
class Told:
    """An alarm about a miss: its level, from when until when it stood."""

    level: str
    day: date
    cleared: date | None


@dataclass(slots=True)
class Calendar:
    """All of it, read once."""

    today: date
    enrolments: dict[int, Enrolment]
    periods: dict[int, list[Period]] = field(default_factory=lambda: defaultdict(list))
    contacts: dict[int, Contact] = field(default_factory=dict)
    stays: dict[int, Stay] = field(default_factory=dict)
    told: dict[int, list[Told]] = field(default_factory=lambda: defaultdict(list))

    @classmethod
    def read(cls, rows: Rows) -> "Calendar":
        """The tables as they are now."""
        today: date = rows("SELECT (dispatch_now() AT TIME ZONE 'Asia/Shanghai')::date")[0][0]
        found = cls(today, {row[0]: Enrolment(*row) for row in rows(ENROLMENTS)})
        for row in rows(PERIODS):
            found.periods[row[3]].append(Period(*row))
        found.contacts = {row[0]: Contact(*row) for row in rows(CONTACTS)}
        found.stays = {row[0]: Stay(*row) for row in rows(STAYS)}
        for period_id, *told in rows(TOLD):
            found.told[period_id].append(Told(*told))
        return found

    def all(self) -> Iterator[tuple[Enrolment, Period]]:
        """Every period with its enrolment."""
        for periods in self.periods.values():
            for one in periods:
                yield self.enrolments[one.enrolment_id], one


def span(day: date, months: int) -> tuple[date, date]:
    """First and last day of the month or quarter of a day."""
    first = (day.month - 1) // months * months + 1
    last = first + months - 1
    return date(day.year, first, 1), date(day.year, last, monthrange(day.year, last)[1])


def name_of(first: date, months: int) -> str:
    """How a month or a quarter is called."""
    return f"{first:%Y-%m}" if months == 1 else f"{first.year}-Q{(first.month + 2) // 3}"


def months_owed(one: Enrolment, months: int, today: date) -> list[str]:
    """The months (quarters) that an enrolment owes until today or its end: the first where it began early enough."""
    first, last = span(one.starts_on, months)
    if one.starts_on > last.replace(day=LAST_DAY_TO_COUNT):
        first, last = span(last + DAY, months)
    owed = []
    while first <= min(today, one.ends_on or today):
        owed.append(name_of(first, months))
        first, last = span(last + DAY, months)
    return owed


def missing(calendar: Calendar) -> Iterator[str]:
    """Duties, months and quarters that are not there, or twice; gaps and overlaps in what counts from the last time."""
    kinds: dict[int, dict[str, int]] = defaultdict(dict)
    for duty_id, periods in calendar.periods.items():
        kinds[periods[0].enrolment_id][periods[0].kind] = duty_id
    for one in calendar.enrolments.values():
        if set(kinds[one.id]) != OWED[one.programme]:
            yield f"enrolment {one.id} of {one.programme} owes {sorted(kinds[one.id])}"
        for kind, duty_id in kinds[one.id].items():
            periods = calendar.periods[duty_id]
            if [period.number for period in periods] != list(range(1, len(periods) + 1)):
                yield f"duty {duty_id}: numbers {[period.number for period in periods]}"
            yield from of_months(calendar, one, periods) if kind in MONTHS else rolling(calendar, one, periods)


def of_months(calendar: Calendar, one: Enrolment, periods: Sequence[Period]) -> Iterator[str]:
    """Each month or quarter once, in order, and none left out."""
    months = MONTHS[periods[0].kind]
    names = [period.name for period in periods]
    owed = months_owed(one, months, calendar.today)
    if names[: len(owed)] != owed:
        yield f"duty {periods[0].duty_id} ({periods[0].kind}): {names} instead of {owed}"
    for period in periods:
        first, last = span(period.until, months)
        if (
            period.until != last
            or period.starts_on != max(first, one.starts_on)
            or name_of(first, months) != period.name
        ):
            yield f"period {period.id} {period.name}: {period.starts_on} – {period.until}"
    if len(names) != len(set(names)):
        yield f"duty {periods[0].duty_id}: a month twice in {names}"


def rolling(calendar: Calendar, one: Enrolment, periods: Sequence[Period]) -> Iterator[str]:
    """Each begins the day after the last time, and lasts as long as it must; the last one reaches today."""
    begins = one.starts_on
    for period in periods:
        days = (period.until - period.starts_on).days + 1
        fits = days == VISIT_DAYS if period.kind == "visit" else LEAST_GAP <= days <= MOST_GAP
        if period.starts_on != begins or not fits:
            yield f"period {period.id} ({period.kind}) from {period.starts_on}, {days} days, not from {begins}"
        begins = (period.settled_on or period.until) + DAY
    last = periods[-1]
    if one.ends_on is None and (last.state != "due" or last.until < calendar.today):
        yield f"duty {last.duty_id}: nothing is due after {last.until} ({last.state})"


def unfounded(calendar: Calendar) -> Iterator[str]:
    """Periods whose state is not what the facts say: met by nobody, excused by nothing, missed without an alarm."""
    for one, period in calendar.all():
        if period.state == "met":
            yield from met_wrongly(calendar, one, period)
        elif period.state == "excused":
            yield from excused_wrongly(calendar, one, period)
        elif period.state == "missed":
            yield from missed_silently(calendar, one, period)
        elif period.until < calendar.today or one.ends_on is not None:
            yield f"period {period.id} ({period.kind} {period.name}) is due since {period.until}"


def met_wrongly(calendar: Calendar, one: Enrolment, period: Period) -> Iterator[str]:
    """A met period has a contact at that home, of the right kind, on a day of it."""
    contact = calendar.contacts.get(period.contact_id or 0)
    if (
        contact is None
        or contact.household_id != one.household_id
        or not contact.counts_for(period.kind)
        or not period.starts_on <= contact.day <= period.until
        or contact.day != period.settled_on
    ):
        yield f"period {period.id} ({period.kind} {period.name}) met by {contact}"


def excused_wrongly(calendar: Calendar, one: Enrolment, period: Period) -> Iterator[str]:
    """An excuse has its stay in hospital, its end, or two people."""
    first = period.starts_on if period.kind in MONTHS else period.until
    stay = calendar.stays.get(period.absence_id or 0)
    if period.excuse == "hospital" and period.approved_by is None:
        holds = stay is not None and stay.kind == "hospital" and stay.covers(first, period.until)
    elif period.excuse in {"died", "ended"}:
        holds = one.ends_on is not None and period.until >= one.ends_on - DAY
        holds = holds and (period.excuse == "died") == (one.end_code == "died")
    else:
        people = {period.asked_by, period.approved_by}
        holds = period.excuse in {*ASKED_BY_TWO, "hospital"} and None not in people and len(people) == 2
    if not holds:
        yield f"period {period.id} ({period.kind} {period.name}) excused: {period.excuse}, {stay}, {one.ends_on}"


def missed_silently(calendar: Calendar, one: Enrolment, period: Period) -> Iterator[str]:
    """A missed period was alarmed at once and at each level until somebody was there, whatever else was missed then.

    Each level once; each stood until the next one or until it was over, and no longer.
    """
    told, over = calendar.told[period.id], over_on(calendar, one, period)
    levels = [each.level for each in told]
    for days, level in LEVELS:
        if period.until + (days + 1) * DAY < over and level not in levels:
            yield f"period {period.id} ({period.kind} {period.name}) missed, no {level}: {told}, over on {over}"
    if len(levels) != len(set(levels)):
        yield f"period {period.id} was alarmed twice: {told}"
    for number, each in enumerate(told):
        last = told[number + 1].day if number + 1 < len(told) else over
        if each.cleared is None and last < calendar.today:
            yield f"period {period.id}: {each} stands, though it was over on {last}"
        if each.cleared is not None and each.cleared < last:
            yield f"period {period.id}: {each} was swallowed before {last}"


def over_on(calendar: Calendar, one: Enrolment, period: Period) -> date:
    """The day on which a miss was no alarm any more: somebody was there, or nothing is owed; today at the latest."""
    kinds = {"visit", "test"} if period.kind == "live_test" else {"visit"}
    there = (
        each.day
        for each in calendar.contacts.values()
        if each.household_id == one.household_id and each.kind in kinds and each.day > period.until
    )
    return min(*there, one.ends_on or calendar.today, calendar.today)


def unheeded(calendar: Calendar) -> Iterator[str]:
    """Contacts that should have met something that was open on their day, and did not."""
    by_home: dict[int, list[tuple[Enrolment, Period]]] = defaultdict(list)
    for one, period in calendar.all():
        by_home[one.household_id].append((one, period))
    for contact in calendar.contacts.values():
        for one, period in by_home[contact.household_id]:
            inside = period.starts_on <= contact.day <= period.until and contact.recorded_on <= period.until
            alive = one.ends_on is None or contact.day < one.ends_on
            if inside and alive and contact.counts_for(period.kind) and period.state in {"due", "missed"}:
                yield f"contact {contact.id} of {contact.day} left {period.kind} {period.name} {period.state}"


def rates(calendar: Calendar) -> dict[str, dict[str, int]]:
    """月探访率 by month: owed, excused, met, missed and due, counted here."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for _, period in calendar.all():
        if period.kind == "monthly_visit":
            found[period.name]["owed"] += 1
            found[period.name][period.state] += 1
    return {name: dict(counts) for name, counts in sorted(found.items())}


def is_worked(day: date) -> bool:
    """Whether people work on a day."""
    if day.isoformat() in MADE_UP:
        return True
    rests = any(0 <= (day - date.fromisoformat(first)).days < number for first, number in RESTS)
    return not rests and day.weekday() < SATURDAY


def wrong_limits(rows: Rows, since: date) -> Iterator[str]:
    """Orders that came before the day began to be worked, whose limit is not the end of so many working days."""
    for number, created, due, days in rows(LIMITS):
        if created.date() < since or (created.hour, created.minute) >= BEGINS:
            continue
        day, counted = created.date(), 0
        while day <= due.date():
            counted += is_worked(day)
            day += DAY
        if counted != days or not is_worked(due.date()) or (due.hour, due.minute) != ENDS:
            yield f"{number} of {created:%Y-%m-%d %H:%M}: {days} days until {due:%Y-%m-%d %H:%M}, counted {counted}"
