"""Routing without a database, the size of its record, and other rules that must be quick."""

import time
from collections.abc import Callable
from datetime import datetime
from random import Random
from statistics import median

from benchmarks.measure import in_turns, tell, tell_pair
from dispatch.rules.catalogue.calendar import Period, WorkingCalendar
from dispatch.rules.catalogue.search import rank, search_key
from dispatch.rules.orders.decision import Weights
from dispatch.rules.orders.panel import Panel, panel_of
from dispatch.rules.orders.record import MOST_BYTES, encode
from dispatch.rules.orders.routing import decide_among
from dispatch.rules.shanghai import SHANGHAI
from tests.rules.orders.factories import AT, a_request, realistic_performers

AIM = 10.0
COUNTS = (60, 200)
RUNS = 9
MOMENTS = 20
WEIGHTS = Weights()
MORNING = datetime(2026, 11, 23, 10, tzinfo=SHANGHAI)
WEEK = {day: (Period.of("08:30-12:00"), Period.of("14:30-17:30")) for day in range(5)}
FIVE_DAYS_SECONDS = 5 * int(6.5 * 3600)
NAMES = ("管道疏通", "水电修理", "家电维修", "开锁换锁", "防水补漏", "门窗维修", "空调清洗", "电脑网络")


def seconds_each(work: Callable[[], object], repeats: int) -> float:
    """The median over several runs of the seconds that one call takes."""
    runs = []
    for _ in range(RUNS):
        began = time.perf_counter()
        for _ in range(repeats):
            work()
        runs.append((time.perf_counter() - began) / repeats)
    return median(runs)


def measure(peer: Callable[[], float], *, rounds: int) -> None:
    """Measure and print; `peer` is Celery's no-op drain, measured in turns with the largest number of performers."""
    tell("== Routing, pure: filters, score, record; one process; peer: no-op tasks of Celery")
    for count in COUNTS:
        rate, record = decisions_a_second(count), size(count)
        tell(f"    {count} performers: {rate:,.0f} decisions/s; record {record:,} bytes an order")
    pair = in_turns(lambda: decisions_a_second(COUNTS[-1]), peer, rounds)
    tell_pair("decisions : no-op tasks done", pair, "/s", f"≥ {AIM:.0f}", reached=pair.ratio >= AIM)
    tell(f"    the record at {COUNTS[-1]} performers may have {MOST_BYTES:,} bytes")
    measure_rules()


def panels(count: int) -> list[Panel]:
    """The same performers side by side with the work of several moments: what routing has of them for each order."""
    firms = realistic_performers(count, Random(count))  # noqa: S311 - made-up firms
    first = panel_of(a_request(), firms)
    turns = [Random(seed) for seed in range(MOMENTS)]  # noqa: S311 - made-up work
    return [
        first._replace(
            queue_minutes=tuple(turn.randint(0, 300) for _ in firms),
            travel_minutes=tuple(turn.randint(1, 60) for _ in firms),
            open_work=tuple(turn.randint(0, 9) for _ in firms),
            last_offered=tuple(turn.randint(0, 40_000) for _ in firms),
        )
        for turn in turns
    ]


def decisions_a_second(count: int) -> float:
    """How many orders a second are decided among so many performers, each with its record."""
    request, moments = a_request(), panels(count)

    def decide_all() -> None:
        for panel in moments:
            encode(decide_among(request, panel, WEIGHTS, AT))

    return MOMENTS / seconds_each(decide_all, 100 // MOMENTS)


def size(count: int) -> int:
    """The bytes of the largest record of such decisions."""
    return max(len(encode(decide_among(a_request(), panel, WEIGHTS, AT))) for panel in panels(count))


def measure_rules() -> None:
    """What stands in the way of a call: the calendar and the search for a kind."""
    calendar = WorkingCalendar(WEEK, {}, frozenset({2026}))
    adding = seconds_each(lambda: calendar.add_working_seconds(MORNING, FIVE_DAYS_SECONDS), 500)
    entries = [(number, search_key(NAMES[number % 8], NAMES), 0) for number in range(32)]
    searching = seconds_each(lambda: rank("我家下水道堵了满地都是水快点来人", entries), 20)
    tell(f"    five working days added in {adding * 1e6:.1f} µs (aim ≤ 20 µs)")
    tell(f"    a sentence ranked over 32 kinds in {searching * 1e3:.2f} ms (aim ≤ 10 ms)")
