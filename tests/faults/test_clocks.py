"""One machine of two has a wrong clock: its worker, its sweeper and its beat are minutes, hours or a day away.

Orders flow on through it; deadlines and periods are left to the machine whose clock agrees with the database's.
"""

import threading
from collections.abc import Callable, Iterator
from random import Random

import pytest

from dispatch.queue import LIVING
from dispatch.rules.queue import Lane
from tests.faults import checker
from tests.faults.crew import RIGHT, WITHOUT_WORKER, Crew, crew
from tests.faults.flow import Flow
from tests.faults.mischief import Fault, happening
from tests.faults.sizes import LONG, ORDERS
from tests.faults.town import Town, town

DAY = "+1d"
AWAY = {"minutes": ("+5m", "-5m"), "hours": ("+3h", "-3h"), "a day": (DAY, "-1d")}
AWAY_IN_SHORT = ("a day",)
FAST = "60"
"""So many business seconds in a real one: hold times of minutes end within the test."""
FLOWING_SECONDS = 120.0
TICKS_SEEN = 2
LAPSED = "SELECT count(*) FROM offers WHERE outcome = 'lapsed'"
HELD = "SELECT count(*) FROM offers WHERE closed_at IS NULL AND hold_until <= dispatch_now()"
UNSENT = "SELECT count(*) FROM notices WHERE state = 'waiting'"
PERIODS = "SELECT count(*) FROM period_runs WHERE job <> 'system.canary'"
MINUTES = "SELECT count(*) FROM period_runs WHERE job = 'system.canary'"
OWED = "SELECT count(*) FROM period_runs WHERE finished_at IS NULL"
DONE_BY_OTHERS = (
    "SELECT count(*) FROM jobs WHERE kind = 'notify.deliver' AND done_at IS NOT NULL AND holder <> ALL (%(sane)s)"
)
"""What a worker sends is not in its log; who held the job is in its row."""
WAITING = (
    "SELECT count(*) FROM jobs WHERE done_at IS NULL AND attempts > 0 AND lane IN "  # noqa: S608 - numbers of ours
    f"({Lane.DEADLINE:d}, {Lane.PERIODIC:d})"
)


@pytest.fixture(scope="module")
def place() -> Iterator[Town]:
    """A town without workers of its own: the tests bring them."""
    with town("--workers", "0", "--sweeps", "0", "--beats", "0") as started:
        started.command("demo", "--clock", started.next_working_morning().isoformat())
        started.let_firms_take_all()
        yield started


@pytest.fixture
def sane(place: Town) -> Iterator[list[int]]:
    """A machine whose clock is right, without a worker, so that the other has a part; its numbers as a holder."""
    with crew(place, "sane", members=WITHOUT_WORKER):
        place.until(lambda: place.rows(LIVING) != [], "a holder", FLOWING_SECONDS)
        yield [number for (number,) in place.rows(LIVING)]


@pytest.fixture
def astray(place: Town) -> Iterator[Crew]:
    """A machine whose clock is a day ahead."""
    with crew(place, "astray", DAY) as started:
        yield started


def count(place: Town, query: str, sane: list[int] | None = None) -> int:
    """The one number that a query gives."""
    return int(place.rows(query, {"sane": sane})[0][0])


def wandering(astray: Crew, ways: tuple[str, ...]) -> Fault:
    """The machine's clock jumps from one wrong time to the next, every two seconds."""

    def jump(town: Town, _chance: Random, over: threading.Event) -> None:
        while not over.is_set():
            for away in ways:
                astray.set_clock(away)
                town.hits["jump"] += 1
                over.wait(2.0)

    return jump


def test_alone_it_does_orders_and_leaves_deadlines_and_periods_until_its_clock_is_right(
    place: Town, astray: Crew, record_property: Callable[[str, object], None]
) -> None:
    flow = Flow(place, "alone", ORDERS // 2, Random(1))  # noqa: S311 - repeatable chance, no secret
    flow.place_all()
    checker.settle(place, up_to=Lane.NOTIFY)
    assert count(place, UNSENT) == 0
    periods, ticks = count(place, PERIODS), astray.said("clocks_differ", "sweep")
    place.command("demo", "--clock", place.next_working_morning().isoformat())
    place.until(lambda: astray.said("clocks_differ", "sweep") >= ticks + TICKS_SEEN, "two ticks", FLOWING_SECONDS)
    held = count(place, HELD)
    assert held > 0
    assert (count(place, LAPSED), count(place, PERIODS), count(place, WAITING)) == (0, periods, 0)
    said = place.command("doctor", expected=1, environment=astray.environment)
    assert "differ by 864" in said
    assert "no deadline and no periodic work is done from here" in said
    astray.set_clock(RIGHT)
    place.until(lambda: count(place, LAPSED) >= held, "lapses", FLOWING_SECONDS)
    place.until(lambda: count(place, PERIODS) > periods and count(place, OWED) == 0, "periods", FLOWING_SECONDS)
    checker.settle(place)
    finding = checker.check(place, flow)
    record_property("figures", str(finding))
    print(finding, dict(flow.told))  # noqa: T201 - the figures, shown with -rP
    assert not finding.wrong


@pytest.mark.parametrize("name", AWAY if LONG else AWAY_IN_SHORT)
def test_orders_survive_a_wrong_clock(
    place: Town, sane: list[int], astray: Crew, name: str, record_property: Callable[[str, object], None]
) -> None:
    place.command("demo", "--clock", place.next_working_morning().isoformat(), "--rate", FAST)
    lapsed, minutes, done = count(place, LAPSED), count(place, MINUTES), count(place, DONE_BY_OTHERS, sane)
    flow = Flow(place, f"clock-{name.replace(' ', '-')}", ORDERS, Random(name))  # noqa: S311 - repeatable chance, no secret
    with flow.firms(), happening(wandering(astray, AWAY[name]), place, seed=1):
        flow.place_all()
        place.until(lambda: count(place, DONE_BY_OTHERS, sane) > done, "its part of the work", FLOWING_SECONDS)
        place.until(lambda: count(place, LAPSED) > lapsed, "a lapse", FLOWING_SECONDS)
        place.until(lambda: count(place, MINUTES) > minutes, "a period", FLOWING_SECONDS)
    place.command("demo", "--clock", "now")
    checker.settle(place)
    place.until(lambda: count(place, OWED) == 0, "periods", FLOWING_SECONDS)
    finding = checker.check(place, flow)
    record_property("figures", str(finding))
    print(finding, dict(flow.told))  # noqa: T201 - the figures, shown with -rP
    assert not finding.wrong


def test_the_promise_holds_after_all_of_it(place: Town) -> None:
    with crew(place, "sane"):
        checker.settle(place)
        place.command("verify")
