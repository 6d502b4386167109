"""Orders flow while processes are killed, frozen and wiped; afterwards every one of them is accounted for.

Short by default; DISPATCH_TEST_LONG=1 sends a few hundred orders through each fault.
"""

import os
import threading
from collections.abc import Callable, Iterator
from random import Random

import pytest

from tests.faults import checker, mischief
from tests.faults.flow import Flow
from tests.faults.mischief import Fault, happening
from tests.faults.town import Town, town

LONG = os.environ.get("DISPATCH_TEST_LONG") == "1"
ORDERS = 300 if LONG else 24
AT_LEAST_SECONDS = 20.0 if LONG else 5.0
FAULTS: dict[str, Fault] = {
    "nothing": mischief.no_fault,
    "workers killed": mischief.kill_workers,
    "web killed": mischief.kill_web,
    "sweepers and beats killed": mischief.kill_sweepers,
    "redis wiped": mischief.wipe_redis,
    "redis killed": mischief.kill_redis,
    "redis frozen": mischief.freeze_redis,
    "connections broken": mischief.break_connections,
    "postgres killed": mischief.kill_postgres,
}


@pytest.fixture(scope="module")
def hurt() -> Iterator[Town]:
    """One town with two workers, two sweepers and two beats, hurt by every test after the other."""
    with town("--workers", "2", "--sweeps", "2", "--beats", "2") as started:
        started.command("demo", "--clock", started.next_working_morning().isoformat())
        yield started


@pytest.mark.parametrize("name", FAULTS)
def test_orders_survive(hurt: Town, name: str, record_property: Callable[[str, object], None]) -> None:
    flow = Flow(hurt, name.replace(" ", "-"), ORDERS, Random(name))  # noqa: S311 - repeatable chance, no secret
    with flow.firms(), happening(FAULTS[name], hurt, seed=1):
        least = threading.Timer(AT_LEAST_SECONDS, lambda: None)
        least.start()
        flow.place_all(each_twice=name == "nothing")
        least.join()
    checker.settle(hurt)
    finding = checker.check(hurt, flow)
    record_property("figures", str(finding))
    print(finding, dict(flow.told))  # noqa: T201 - the figures, shown with -rP
    assert not finding.wrong


def test_poison_reaches_the_desk_and_stops_nobody(hurt: Town) -> None:
    hurt.rows(
        "INSERT INTO jobs (kind, lane, run_at, attempts, error) VALUES "
        "('nobody.knows', 1, dispatch_now(), 0, NULL), ('nobody.survives', 1, dispatch_now(), 5, NULL)"
    )
    flow = Flow(hurt, "poison", ORDERS // 2, Random(1))  # noqa: S311 - repeatable chance, no secret
    with flow.firms():
        flow.place_all()
    checker.settle(hurt)
    finding = checker.check(hurt, flow)
    print(finding)  # noqa: T201 - the figures, shown with -rP
    assert not finding.wrong
    dead = hurt.rows("SELECT kind, attempts FROM jobs WHERE dead_at IS NOT NULL AND kind LIKE 'nobody.%' ORDER BY kind")
    assert [kind for kind, _ in dead] == ["nobody.knows", "nobody.survives"]
    assert hurt.rows("SELECT count(*) FROM alarms WHERE kind = 'job_dead' AND cleared_at IS NULL")[0][0] >= 2


def test_the_promise_holds_after_all_of_it(hurt: Town) -> None:
    hurt.until(lambda: hurt.rows(checker.UNSETTLED)[0][0] == 0, "settling", checker.SETTLE_SECONDS)
    hurt.command("verify")
    twice = hurt.rows("SELECT job, period FROM period_runs GROUP BY 1, 2 HAVING count(*) > 1")
    assert twice == []
