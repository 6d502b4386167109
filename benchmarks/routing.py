"""Routing without a database, the size of its record, and other rules that must be quick."""

import time
from collections.abc import Callable
from datetime import datetime
from random import Random
from statistics import median

from benchmarks.measure import tell
from dispatch.rules.catalogue.calendar import Period, WorkingCalendar
from dispatch.rules.catalogue.search import rank, search_key
from dispatch.rules.orders.decision import Weights
from dispatch.rules.orders.record import MOST_BYTES, encode
from dispatch.rules.orders.routing import evaluate
from dispatch.rules.shanghai import SHANGHAI
from tests.rules.orders.factories import AT, a_request, realistic_performers

AIM = 10.0
COUNTS = (60, 200)
RUNS = 9
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


def measure(celery_rate: float | None) -> None:
    """Measure and print; `celery_rate` is what the no-op drain reached in this run."""
    tell("== Routing, pure: evaluate and encode, one process")
    for count in COUNTS:
        request, firms = a_request(), realistic_performers(count, Random(count))  # noqa: S311 - made-up firms
        rate = 1 / seconds_each(lambda r=request, f=firms: encode(evaluate(r, f, WEIGHTS, AT)), 100)  # type: ignore[misc]
        size = len(encode(evaluate(request, firms, WEIGHTS, AT)))
        tell(f"    {count} performers: {rate:,.0f} decisions/s; record {size:,} bytes an order")
    if celery_rate is not None:
        ratio = rate / celery_rate
        verdict = "reached" if ratio >= AIM else "NOT REACHED"
        tell(f"routing at {COUNTS[-1]} performers : Celery no-op drain = {ratio:.1f} (aim ≥ {AIM:.0f}: {verdict})")
    tell(f"    the record at {COUNTS[-1]} performers may have {MOST_BYTES:,} bytes")
    measure_rules()


def measure_rules() -> None:
    """What stands in the way of a call: the calendar and the search for a kind."""
    calendar = WorkingCalendar(WEEK, {}, frozenset({2026}))
    adding = seconds_each(lambda: calendar.add_working_seconds(MORNING, FIVE_DAYS_SECONDS), 500)
    entries = [(number, search_key(NAMES[number % 8], NAMES), 0) for number in range(32)]
    searching = seconds_each(lambda: rank("我家下水道堵了满地都是水快点来人", entries), 20)
    tell(f"    five working days added in {adding * 1e6:.1f} µs (aim ≤ 20 µs)")
    tell(f"    a sentence ranked over 32 kinds in {searching * 1e3:.2f} ms (aim ≤ 10 ms)")
