"""A year of the care calendar through the real processes ends with every duty met, excused or alarmed.

Short by default (three weeks); DISPATCH_TEST_LONG=1 lives the whole of 2025: a leap month (闰六月), make-up workdays,
spring festivals at both ends.
"""

import json
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from dispatch.demo.care_year.readers import FOLDER
from dispatch.demo.day.wire import Wire
from dispatch.demo.year.screen import Screen
from dispatch.supervisor.home import read_json
from tests.care_year import count, outside, past
from tests.care_year.count import Calendar
from tests.faults.town import Town, town

LONG = os.environ.get("DISPATCH_TEST_LONG") == "1"
DAYS = 372 if LONG else 21
BEGINS = "2024-12-28T08:00+08:00"
SETTLE_SECONDS = 120.0
PRESSED = "1101"
LEFT_AT_MOST = timedelta(days=14)
UNSETTLED = (
    "SELECT count(*) FROM jobs WHERE done_at IS NULL AND dead_at IS NULL AND run_at < dispatch_now() "
    "AND kind NOT LIKE 'system.%'"
)
ENDED = ["closed", "archived", "answered", "voided", "merged"]
PLACED_AFTER = (
    "SELECT orders.number FROM orders JOIN duty_orders AS link ON link.order_id = orders.id "
    "JOIN duty_periods AS period ON period.id = link.period_id JOIN duties AS duty ON duty.id = period.duty_id "
    "WHERE duty.enrolment_id = ANY (%(enrolments)s) "
    "AND (orders.created_at AT TIME ZONE 'Asia/Shanghai')::date > %(day)s"
)
FIGURE = re.compile(r"应做 (\d+)，免做 (\d+)，计入 (\d+)：已做 (\d+)，待做 (\d+)，漏做 (\d+)")
FEWEST = {"met": 400, "missed": 5, "excused": 10} if LONG else {"met": 40, "missed": 1, "excused": 1}
FESTIVALS = {"重阳节": [date(2025, 10, 29)], "春节": [date(2025, 1, 29)]}


@dataclass
class Lived:
    """A town in which the year has been lived, what was told of it, and what the people kept."""

    town: Town
    told: str
    diary: dict[str, Any]

    @cached_property
    def calendar(self) -> Calendar:
        """The care calendar, read once."""
        return Calendar.read(self.town.rows)

    @cached_property
    def desk(self) -> Screen:
        """Somebody of the desk."""
        words = {one["login"]: one["password"] for one in read_json(self.town.home / "demo.json")["accounts"]}
        return Screen(Wire(f"http://127.0.0.1:{self.town.port}"), "dispatcher1", words["dispatcher1"])


@pytest.fixture(scope="module")
def lived() -> Iterator[Lived]:
    """The year, once for all tests."""
    with tempfile.TemporaryDirectory(prefix="hq-", dir="/tmp", ignore_cleanup_errors=True) as fresh:
        past.begin(Path(fresh), datetime.fromisoformat(BEGINS))
        with town("--workers", "2", "--beats", "8", folder=Path(fresh)) as started:
            told = started.command("demo", "--care-year", f"--days={DAYS}", expected=None)
            started.until(lambda: started.rows(UNSETTLED)[0][0] == 0, "settling", SETTLE_SECONDS)
            yield Lived(started, told, read_json(started.home / "care-year.json"))


def test_nothing_was_otherwise_than_it_must_be(lived: Lived) -> None:
    print(lived.told)  # noqa: T201 - the table, shown with -rP
    assert "意外 · SURPRISE" not in lived.told
    assert "一年结束" in lived.told
    assert len(lived.diary["seconds"]) == DAYS
    assert lived.diary["kills"]


def test_every_duty_of_every_period_is_there_once(lived: Lived) -> None:
    assert lived.calendar.enrolments
    assert list(count.missing(lived.calendar)) == []


def test_every_duty_is_met_excused_or_alarmed(lived: Lived) -> None:
    states = [period.state for _, period in lived.calendar.all()]
    print({state: states.count(state) for state in sorted(set(states))})  # noqa: T201
    assert list(count.unfounded(lived.calendar)) == []
    assert not {state: number for state, number in FEWEST.items() if states.count(state) < number}


def test_nothing_that_was_done_was_lost(lived: Lived) -> None:
    assert list(count.unheeded(lived.calendar)) == []
    told = {one["order"] for one in lived.diary["given"]["records"]}
    assert len(told) == len(lived.diary["given"]["records"])
    twice = lived.town.rows("SELECT order_id FROM contacts WHERE order_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1")
    assert twice == []


def test_the_rates_are_those_of_a_second_count(lived: Lived) -> None:
    found = count.rates(lived.calendar)
    assert len(found) >= (12 if LONG else 2)
    for month, counted in found.items():
        shown = FIGURE.search(lived.desk.read(f"/care/month?month={month}").text)
        assert shown is not None, month
        owed, excused, met = counted["owed"], counted.get("excused", 0), counted.get("met", 0)
        rest = (owed - excused, met, counted.get("due", 0), counted.get("missed", 0))
        assert tuple(map(int, shown.groups())) == (owed, excused, *rest), month


def test_limits_know_the_make_up_workdays_and_the_holidays(lived: Lived) -> None:
    since = date.fromisoformat(lived.diary["begins"])
    assert list(count.wrong_limits(lived.town.rows, since)) == []


def test_chores_and_visits_of_condolence_are_done_or_alarmed(lived: Lived) -> None:
    chores = lived.town.rows(
        "SELECT one.state, EXISTS (SELECT FROM alarms WHERE kind = 'visit_missed' "
        "AND subject LIKE 'visit:' || one.schedule_id || ':%%') FROM visit_occurrences AS one"
    )
    assert chores
    assert [row for row in chores if row[0] == "missed" and not row[1]] == []
    visits = lived.town.rows(
        "SELECT one.id, one.state, one.due_at < dispatch_now(), EXISTS (SELECT FROM alarms "
        "WHERE kind LIKE 'condolence%%' AND subject = 'condolences:' || one.id) FROM condolences AS one"
    )
    assert visits
    assert [row for row in visits if row[1] not in {"done", "ended"} and row[2] and not row[3]] == []


def test_nothing_is_owed_to_the_dead(lived: Lived) -> None:
    dead = lived.diary["given"]["dead"]
    assert dead
    for one in dead:
        day = date.fromisoformat(one["day"])
        for number in one["enrolments"]:
            enrolment = lived.calendar.enrolments[number]
            assert (enrolment.ends_on, enrolment.end_code) == (day, "died")
            periods = [period for owner, period in lived.calendar.all() if owner.id == number]
            assert all(period.state == "excused" for period in periods if period.until > day)
        after = lived.town.rows(PLACED_AFTER, {"enrolments": one["enrolments"], "day": day})
        assert after == []


def test_the_device_of_the_dead_was_fetched_back(lived: Lived) -> None:
    for one in lived.diary["given"]["dead"]:
        fetched = lived.town.rows(
            "SELECT device.id, device.state, device.recovered_at::date >= %(day)s, orders.state = ANY (%(ended)s) "
            "FROM alarm_devices AS device JOIN enrolments ON enrolments.resident_id = device.resident_id "
            "JOIN orders ON orders.id = device.recovery_order_id WHERE enrolments.id = ANY (%(enrolments)s)",
            {"day": date.fromisoformat(one["day"]), "ended": ENDED, "enrolments": one["enrolments"]},
        )
        assert fetched
        known = {one["device"] for one in lived.diary["given"].get("fetched", [])}
        assert [row for row in fetched if row[0] not in known or row[1:] != ("recovered", True, True)] == []


def test_all_three_kinds_of_helper_came(lived: Lived) -> None:
    came = lived.town.rows(
        "SELECT DISTINCT pair.kind FROM contacts JOIN pairing_helpers AS pair USING (performer_id) "
        "JOIN performers ON performers.id = pair.performer_id "
        "AND (performers.kind = 'team_worker') = (pair.kind = 'community_worker')"
    )
    asked_each_fortnight = set() if LONG else {"party_member"}
    assert {"community_worker", "party_member", "volunteer"} - {kind for (kind,) in came} <= asked_each_fortnight


def test_what_was_read_outside_is_what_the_calendar_says(lived: Lived) -> None:
    given, today = lived.diary["given"], lived.calendar.today
    over = {f"helper-{one['helper']}": one["day"] for one in given.get("left", [])}
    over |= {f"{kind}-{number}": one["day"] for one in given["dead"] for number in one["enrolments"]
             for kind in ("family", "page")}  # fmt: skip
    assert given["read"]
    for one in given["read"]:
        assert one["status"] == (404 if over.get(one["whose"], "9999") <= one["day"] else 200), one
    assert list(outside.unnumbered(lived.town.home, given["read"])) == []
    names = {
        name for (name,) in lived.town.rows("SELECT name FROM residents JOIN enrolments ON resident_id = residents.id")
    }
    for kept in (lived.town.home / FOLDER).iterdir():
        assert not {name for name in names if name in kept.read_text(encoding="utf-8")}, kept.name
    for link in given["links"]:
        kind, _, number = link["whose"].partition("-")
        if link["whose"] not in over:
            text = lived.desk.wire.ask("GET", link["path"]).text
            assert outside.WRONG[kind](lived.town.rows, int(number), today, text) == {}, link["whose"]


def test_days_in_hospital_are_excused(lived: Lived) -> None:
    stays = [stay for stay in lived.calendar.stays.values() if stay.kind == "hospital"]
    assert stays
    for stay in stays:
        last = stay.until or lived.calendar.today
        for one, period in lived.calendar.all():
            if one.household_id == stay.household_id and stay.starts_on <= period.until <= last:
                assert period.state != "missed", period


def test_every_order_of_care_has_ended_or_is_still_to_come(lived: Lived) -> None:
    open_ones = lived.town.rows(
        "SELECT number, state, origin, wanted_until FROM orders WHERE origin LIKE 'care.%%' "
        "AND state <> ALL (%(ended)s)",
        {"ended": ENDED},
    )
    begun = lived.calendar.today - LEFT_AT_MOST
    late = [row for row in open_ones if row[3] is not None and row[3].date() < begun]
    assert late == []
    loose = lived.town.rows(
        "SELECT number FROM orders JOIN duty_orders AS link ON link.order_id = orders.id WHERE state = ANY (%(ended)s) "
        "AND link.outcome = 'under_way'",
        {"ended": ENDED},
    )
    assert loose == []


def test_every_report_of_a_device_is_an_event_once_and_every_alarm_an_order_that_ended(lived: Lived) -> None:
    sent = {(one["device"], one["sequence"]): one for one in lived.diary["given"]["frames"]}
    rows = lived.town.rows(
        "SELECT event.device_id, event.sequence, event.code, event.is_test, orders.state FROM alarm_events AS event "
        "LEFT JOIN orders ON orders.id = event.order_id WHERE event.received_at >= %(begins)s ORDER BY event.id",
        {"begins": lived.diary["begins"]},
    )
    kept = {(device, sequence): (code, is_test, state) for device, sequence, code, is_test, state in rows}
    assert len(rows) == len(kept)
    assert set(kept) == set(sent)
    for place, (code, is_test, state) in kept.items():
        assert is_test == sent[place]["is_test"]
        assert code == sent[place]["data"].partition(" ")[0]
        if code == PRESSED and not is_test:
            assert state in ENDED, (place, state)
    called = lived.town.rows(
        "SELECT count(DISTINCT order_id) FROM alarm_calls WHERE outcome = 'confirmed' AND called_at >= %(begins)s",
        {"begins": lived.diary["begins"]},
    )
    assert called == [(len({one["order"] for one in lived.diary["given"].get("alarms", [])}),)]


def test_a_dead_device_is_alarmed_and_somebody_is_sent(lived: Lived) -> None:
    for one in lived.diary["given"]["silent"]:
        day = {"subject": f"device:{one['device']}", "day": date.fromisoformat(one["day"])}
        told = lived.town.rows(
            "SELECT count(*) FROM alarms WHERE kind = 'device_silent' AND subject = %(subject)s "
            "AND raised_at::date BETWEEN %(day)s AND %(day)s + 4",
            day,
        )
        assert told == [(1,)]
        if LONG:
            words = "SELECT state FROM orders WHERE origin = 'care.device' AND description LIKE '%长时间没有信号%'"
            states = lived.town.rows(words)
            assert states
            assert {state for (state,) in states} <= set(ENDED)


def test_festivals_planned_themselves_and_invited_everybody_once(lived: Lived) -> None:
    planned: dict[str, list[date]] = {}
    for name, day, invited, people in lived.town.rows(
        "SELECT festival.name, event.held_on, count(*), count(DISTINCT resident_id) FROM festival_events AS event "
        "JOIN festivals AS festival ON festival.id = event.festival_id JOIN festival_invitations AS one "
        "ON one.event_id = event.id WHERE event.held_on >= %(begins)s GROUP BY event.id, 1, 2 ORDER BY 2",
        {"begins": lived.diary["begins"]},
    ):
        planned.setdefault(name, []).append(day)
        assert invited == people > 0
    last = lived.calendar.today + timedelta(days=30)
    expected = {name: days for name, days in FESTIVALS.items() if days[0] <= last}
    assert {name: planned.get(name) for name in expected} == expected


def test_the_books_hold_by_the_product_s_own_proof(lived: Lived) -> None:
    assert lived.town.command("verify") == ""
    kept = json.dumps(lived.diary["counts"], ensure_ascii=False, sort_keys=True)
    print(kept)  # noqa: T201
