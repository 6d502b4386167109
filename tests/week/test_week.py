"""A busy week through the real processes ends with books that balance: paths, promise and figures.

Short by default (two days, each path at least once); DISPATCH_TEST_LONG=1 lives seven days, each path ten times.
"""

import os
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from dispatch.demo.day.wire import Wire
from tests.faults.town import Town, town
from tests.week import count
from tests.week.count import GROUPINGS, Counted
from tests.week.taken import TAKEN

LONG = os.environ.get("DISPATCH_TEST_LONG") == "1"
LENGTH = ("--days=7", "--calls=120", "--times=12") if LONG else ("--days=2", "--calls=12", "--times=2")
FEWEST = 10 if LONG else 1
KILLS = "--kill-every=10"
SETTLE_SECONDS = 120.0
UNSETTLED = (
    "SELECT (SELECT count(*) FROM jobs WHERE done_at IS NULL AND dead_at IS NULL AND run_at < dispatch_now() "
    "AND kind NOT LIKE 'system.%') + (SELECT count(*) FROM order_changes) "
    "+ (SELECT count(*) FROM order_counts WHERE count_again_at < dispatch_now())"
)
AROUND = timedelta(days=20)
TREND = timedelta(days=30)


@pytest.fixture(scope="module")
def lived() -> Iterator[tuple[Town, str]]:
    """A town in which the week has been lived while workers were killed, and what it told of itself.

    A path that was short is told and judged by the first test; the books are asked all the same.
    """
    with town("--workers", "2") as started:
        told = started.command("demo", "--week", KILLS, *LENGTH, expected=None)
        started.until(lambda: started.rows(UNSETTLED)[0][0] == 0, "settling", SETTLE_SECONDS)
        yield started, told


@pytest.fixture
def days(lived: tuple[Town, str]) -> tuple[date, date]:
    """Days around the week."""
    rows = lived[0].rows("SELECT dispatch_now()")
    today: date = rows[0][0].date()
    return today - AROUND, today + timedelta(days=1)


def asked(town: Town, path: str) -> Any:
    """What the API shows."""
    return Wire(f"http://127.0.0.1:{town.port}").api(town.keys["read"], "GET", path).json()


def report(town: Town, by: str, days: tuple[date, date]) -> tuple[Counted, dict[str, Any]]:
    """A report of the product: its rows by id, and the whole."""
    whole = asked(town, f"/api/reports?from={days[0]}&until={days[1]}&by={by}")
    return {row["id"]: row["counts"] for row in whole["items"]}, whole


def test_every_side_path_was_taken_and_nothing_is_lost(lived: tuple[Town, str]) -> None:
    told = lived[1]

    print(told)  # noqa: T201 - the table, shown with -rP
    assert "守约 · nothing lost, nothing twice" in told
    assert "不足 · SHORT" not in told


def test_the_books_know_of_every_side_path(lived: tuple[Town, str]) -> None:
    times = {path: lived[0].rows(question)[0][0] for path, question in TAKEN.items()}

    print(times)  # noqa: T201 - the table, shown with -rP
    assert not {path: count for path, count in times.items() if count < FEWEST}


def test_the_promise_holds_in_the_books(lived: tuple[Town, str]) -> None:
    assert lived[0].command("verify") == ""


@pytest.mark.parametrize("by", GROUPINGS)
def test_the_figures_are_those_of_a_second_count(lived: tuple[Town, str], days: tuple[date, date], by: str) -> None:
    shown, whole = report(lived[0], by, days)
    counted = count.count(lived[0].rows, by, *days)

    total = count.total(counted)
    assert total["placed"] > 0
    assert not count.differences(by, shown, counted)
    assert not count.differences("all", {None: whole["counts"]}, {None: total})
    rates = {figure["figure"]: figure["shown"] for figure in whole["figures"]}
    for name, rate in count.rates(total).items():
        assert rates[name] == (None if rate is None else str(rate)), name


def test_each_day_is_that_of_a_second_count(lived: tuple[Town, str], days: tuple[date, date]) -> None:
    begin, end = days[1] - TREND, days[1]
    steps = asked(lived[0], f"/api/reports/trend?from={begin}&until={end}")["items"]

    shown = {step["first"]: step["counts"] for step in steps}
    assert not count.differences("day", shown, count.by_day(lived[0].rows, begin, end))
