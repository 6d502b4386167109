"""What was read outside in the lived year, counted anew: calendars, as two readers of RFC 5545 have them, and pages."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import vobject
from icalendar import Calendar

from dispatch.demo.care_year.readers import FOLDER
from tests.care_year.count import Rows

TERMS = re.compile(r"<dt>([\d-]+)</dt><dd>([^<]*)</dd>")
TOLD = {"met": "去过了", "due": "还没去", "missed": "没有去", "excused": "没有去"}
VISIT, DONE = "上门探访", "上门探访(已完成)"
BEHIND, MOST_MONTHS = 60, 12
CONSENT = "SELECT min(consented_on) FROM care_feeds JOIN enrolments USING (resident_id) WHERE enrolments.id = %(who)s"
ASKED = (
    "SELECT DISTINCT coalesce('order ' || orders.id, 'period ' || period.id), orders.wanted_from, "
    "CASE WHEN orders.id IS NULL THEN period.planned_on END FROM duty_periods AS period "
    "LEFT JOIN LATERAL (SELECT max(order_id) AS id FROM duty_orders "
    "WHERE period_id = period.id AND outcome <> 'failed') AS newest ON true "
    "LEFT JOIN orders ON orders.id = newest.id WHERE period.helper_id = %(who)s AND period.state IN ('due', 'met') "
    "AND period.planned_on BETWEEN %(today)s - 60 AND %(today)s + 100 UNION ALL "
    "SELECT 'order ' || id, wanted_from, NULL FROM orders WHERE named_performer_id = %(who)s AND origin = 'care.visit' "
    "AND state NOT IN ('voided', 'merged', 'answered') "
    "AND (wanted_from AT TIME ZONE 'Asia/Shanghai')::date BETWEEN %(today)s - 60 AND %(today)s + 99"
)
MONTHS = (
    "SELECT period.name, period.state, coalesce(period.settled_on, period.planned_on), period.planned_on, period.until "
    "FROM duty_periods AS period JOIN duties AS duty ON duty.id = period.duty_id "
    "WHERE duty.enrolment_id = %(who)s AND duty.kind = 'monthly_visit'"
)


@dataclass(frozen=True, slots=True)
class Shown:
    """An event of a calendar; what somebody who subscribes sees, and its number."""

    begins: date | datetime
    summary: str
    status: str
    sequence: int


def read(text: str) -> dict[str, Shown]:
    """The events by their names, the same to two readers."""
    found: dict[str, Shown] = {}
    events, again = Calendar.from_ical(text).walk("VEVENT"), getattr(vobject.readOne(text), "vevent_list", ())
    for one, other in zip(events, again, strict=True):
        begins = one.decoded("dtstart")
        assert begins == other.dtstart.value
        begins = begins.astimezone(UTC) if isinstance(begins, datetime) else begins
        found[str(one["uid"])] = Shown(begins, str(one["summary"]), str(one["status"]), int(one["sequence"]))
    assert len(found) == len(events)
    return found


def unnumbered(home: Path, kept: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Events that changed from one reading to the next and kept their number: a telephone would go on with the old."""
    texts: dict[str, list[str]] = defaultdict(list)
    for one in kept:
        if one["status"] == 200 and not one["whose"].startswith("page"):
            texts[one["whose"]].append((home / FOLDER / f"{one['whose']}-{one['day']}").read_text(encoding="utf-8"))
    for whose, readings in texts.items():
        before: dict[str, Shown] = {}
        for events in map(read, readings):
            for uid, event in events.items():
                old = before.get(uid, event)
                if event != old and event.sequence <= old.sequence:
                    yield f"{whose}: {uid} was {old}, is {event}"
            before |= events


def wrong_helper(rows: Rows, who: int, today: date, text: str) -> dict[str, Any]:
    """What a helper's calendar has at other times than the tables say, or not at all; nothing where they agree."""
    wanted = Counter(begins or day for _, begins, day in rows(ASKED, {"who": who, "today": today}))
    shown = Counter(one.begins for one in read(text).values() if one.status == "CONFIRMED")
    return differing(wanted, shown)


def wrong_family(rows: Rows, who: int, today: date, text: str) -> dict[str, Any]:
    """The same of a family's calendar: each month on the day on which somebody came, else on the day planned."""
    (since,) = rows(CONSENT, {"who": who})[0]
    wanted: Counter[tuple[date, str, str]] = Counter()
    for _, state, settled, planned, until in rows(MONTHS, {"who": who}):
        if until >= since and (today - until).days <= BEHIND:
            day, words = (settled, DONE) if state == "met" else (planned, VISIT)
            wanted[day, words, "CONFIRMED" if state in {"due", "met"} else "CANCELLED"] += 1
    return differing(wanted, Counter((one.begins, one.summary, one.status) for one in read(text).values()))


def wrong_page(rows: Rows, who: int, today: date, text: str) -> dict[str, Any]:
    """The same of a family's page: of each month since the consent whether somebody came."""
    (since,) = rows(CONSENT, {"who": who})[0]
    first, last = f"{since:%Y-%m}", f"{today:%Y-%m}"
    months = {(name, TOLD[state]) for name, state, *_ in rows(MONTHS, {"who": who}) if first <= name <= last}
    shown = {(name, words) for name, words in TERMS.findall(text) if len(name) == len(first)}
    return differing(Counter(sorted(months)[-MOST_MONTHS:]), Counter(shown))


def differing(wanted: Counter[Any], shown: Counter[Any]) -> dict[str, Any]:
    """What stands in one of two counts only."""
    found = {"only in the tables": wanted - shown, "only shown": shown - wanted}
    return {name: dict(count) for name, count in found.items() if count}


WRONG = {"helper": wrong_helper, "family": wrong_family, "page": wrong_page}
"""How what somebody reads is held against the tables, by who reads."""
