"""Orders flow while processes are killed, frozen and wiped; afterwards every one of them is accounted for.

Short by default; DISPATCH_TEST_LONG=1 sends a few hundred orders through each fault.
"""

import threading
from collections.abc import Callable
from random import Random

import pytest

from tests.faults import checker, mischief
from tests.faults.flow import Flow
from tests.faults.mischief import Fault, happening
from tests.faults.sizes import AT_LEAST_SECONDS, AT_MOST_SECONDS, ORDERS
from tests.faults.town import Town

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


@pytest.mark.parametrize("name", FAULTS)
def test_orders_survive(hurt: Town, name: str, record_property: Callable[[str, object], None]) -> None:
    flow = Flow(hurt, name.replace(" ", "-"), ORDERS, Random(name))  # noqa: S311 - repeatable chance, no secret
    with flow.firms():
        with happening(FAULTS[name], hurt, seed=1, most_seconds=AT_MOST_SECONDS):
            least = threading.Timer(AT_LEAST_SECONDS, lambda: None)
            least.start()
            flow.place_all(each_twice=name == "nothing")
            least.join()
        checker.settle(hurt)
    checker.settle(hurt)
    finding = checker.check(hurt, flow)
    record_property("figures", str(finding))
    print(finding, dict(flow.told))  # noqa: T201 - the figures, shown with -rP
    assert not finding.wrong
    assert finding.accepted >= flow.orders // 2
    assert bool(finding.hits) is (name != "nothing")
