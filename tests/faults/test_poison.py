"""An order that kills whoever works on it: it ends on the desk with an alarm, and stops nobody else."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from random import Random

import psycopg
import pytest

from dispatch.rules.queue import MOST_ATTEMPTS
from tests.faults import checker
from tests.faults.flow import Flow
from tests.faults.mischief import happening
from tests.faults.sizes import ORDERS
from tests.faults.town import Town
from tests.processes import descendants

POISONED = "poison-0000"
TRAP = """
CREATE FUNCTION hold_the_poisoned() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_sleep(60);
    RETURN NEW;
END $$;
CREATE TRIGGER hold_the_poisoned BEFORE UPDATE ON orders FOR EACH ROW
    WHEN (NEW.description = 'poison-0000' AND NEW.state <> OLD.state AND NEW.state <> 'awaiting_human')
    EXECUTE FUNCTION hold_the_poisoned()
"""
"""Who routes the poisoned order stands still in the middle of it, and is then found and killed."""
NO_TRAP = "DROP FUNCTION hold_the_poisoned CASCADE"
HELD = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND usename = 'dispatch_app'"
END = "SELECT pg_terminate_backend(%(pid)s)"
TRIED = (
    "SELECT coalesce(max(attempts), 0) FROM jobs JOIN orders ON orders.id = jobs.reference "
    "WHERE kind = 'orders.route' AND description = 'poison-0000'"
)
BURIED = (
    "SELECT state, waits_for, (SELECT count(*) FROM alarms WHERE alarms.order_id = orders.id AND kind = 'job_dead') "
    "FROM orders WHERE description = 'poison-0000'"
)
NOBODY = (
    "INSERT INTO jobs (kind, lane, run_at, attempts, error) VALUES "
    "('nobody.knows', 1, dispatch_now(), 0, NULL), ('nobody.survives', 1, dispatch_now(), 5, NULL)"
)
"""A kind that nobody knows, and one that killed its process so often that it is not tried any more."""
DEAD = "SELECT kind FROM jobs WHERE dead_at IS NOT NULL ORDER BY kind"
ALARMED = "SELECT count(*) FROM alarms WHERE kind = 'job_dead' AND cleared_at IS NULL"
TO_THE_DESK_SECONDS = 240.0
LOOKS = 20


@pytest.fixture
def trap(hurt: Town) -> Iterator[None]:
    """The database holds whoever routes the poisoned order."""
    hurt.rows(TRAP)
    yield
    hurt.rows(NO_TRAP)


def kill_who_touches_it(town: Town, _chance: Random, over: threading.Event) -> None:
    """kill -9 of every worker and sweeper at the first try, later of the child in which the sweeper runs a suspect.

    Other suspects are run at the same time and are innocent: a child is killed when it was there each time that the
    poisoned order was seen to hold somebody, LOOKS times one after the other. An innocent one ends long before.
    """
    seen: dict[int, list[set[int]]] = {}
    while not over.wait(0.05):
        try:
            held = [pid for (pid,) in town.rows(HELD)]
            tries = town.rows(TRIED)[0][0]
            if held and tries == 1:
                for name in [name for name in town.processes if name.startswith(("worker", "sweep"))]:
                    town.hit(name)
                for pid in held:
                    town.rows(END, {"pid": pid})
        except psycopg.Error:
            continue
        seen = {pid: [*seen.get(pid, []), children_of_sweepers(town)] for pid in held}
        for pid, looks in seen.items():
            if len(looks) == LOOKS:
                kill_child(town, set.intersection(*looks))
                town.rows(END, {"pid": pid})


def children_of_sweepers(town: Town) -> set[int]:
    """What the sweepers have forked."""
    sweepers = [number for name, number in town.processes.items() if name.startswith("sweep")]
    return {child.number for number in sweepers for child in descendants(number)}


def kill_child(town: Town, children: set[int]) -> None:
    """kill -9 of the child that was held all the while."""
    for number in children:
        os.kill(number, signal.SIGKILL)
        town.hits["child"] += 1


@pytest.mark.usefixtures("trap")
def test_an_order_that_kills_its_worker_reaches_the_desk_and_stops_nobody(
    hurt: Town, record_property: Callable[[str, object], None]
) -> None:
    flow = Flow(hurt, "poison", ORDERS // 2, Random(1))  # noqa: S311 - repeatable chance, no secret
    assert flow.keys[0] == POISONED
    hurt.rows(NOBODY)
    with flow.firms(), happening(kill_who_touches_it, hurt, seed=1):
        flow.place_all()
        hurt.until(lambda: hurt.rows(BURIED)[0][0] == "awaiting_human", "the desk", TO_THE_DESK_SECONDS)
    checker.settle(hurt)
    finding = checker.check(hurt, flow)
    record_property("figures", str(finding))
    print(finding, dict(flow.told))  # noqa: T201 - the figures, shown with -rP
    assert not finding.wrong
    assert hurt.rows(BURIED) == [("awaiting_human", "job_dead", 1)]
    assert hurt.rows(TRIED) == [(MOST_ATTEMPTS,)]
    assert [kind for (kind,) in hurt.rows(DEAD)] == ["nobody.knows", "nobody.survives", "orders.route"]
    assert hurt.rows(ALARMED)[0][0] >= len(hurt.rows(DEAD))
