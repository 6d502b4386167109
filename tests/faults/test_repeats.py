"""The same call again: something died after the commit and before the answer, or many send it at once."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from random import Random

import psycopg
import pytest

from tests.faults import checker
from tests.faults.flow import CREATED, PAUSE_SECONDS, Flow
from tests.faults.mischief import is_whole
from tests.faults.sizes import LONG, ORDERS
from tests.faults.town import Town

UNANSWERED, TOO_MANY, UNAVAILABLE = 0, 429, 503
MANY = 8
"""So many ask at once."""
STRIKES_EACH = 5 if LONG else 1
CALLS_PER_STRIKE = 4
COMMITS = (
    "FROM pg_stat_activity WHERE wait_event = 'SyncRep' "
    "AND pid IN (SELECT pid FROM pg_locks WHERE relation = 'idempotency'::regclass)"
)
"""Only what the web server does for a caller writes to this table."""
COMMITTING = f"SELECT count(*) {COMMITS}"
END_COMMITS = f"SELECT pg_terminate_backend(pid) {COMMITS}"
TOLD = {"web server": {UNANSWERED}, "connection": {CREATED, UNAVAILABLE}, "database": {CREATED, UNAVAILABLE}}
"""The statuses that a caller may be told after each strike."""
STORED = "SELECT description, number FROM orders WHERE description = ANY(%(keys)s)"
HOLD_BACK = "ALTER SYSTEM SET synchronous_standby_names = 'nobody'"
LET_GO = "ALTER SYSTEM RESET synchronous_standby_names"
RELOAD = "SELECT pg_reload_conf()"
TOGETHER_SECONDS = 30.0
WHOLE_SECONDS = 180.0


def ask_once(town: Town, key: str, stairwell: int) -> tuple[int, str | None]:
    """One call, sent once: the status (0 when no answer came) and the order's number."""
    content = {"service_code": "locksmith", "description": key, "stairwell_id": stairwell, "urgency": None}
    status, body = town.api("POST", "/api/orders", content, once=key)
    return status, body.get("number") if body else None


def kill_web(town: Town) -> None:
    """The server with the requests in it."""
    town.hit("web")


def end_commits(town: Town) -> None:
    """The connections that commit: whoever committed hears that it was cut off, and not whether it stands."""
    town.hits["connection"] += len(town.rows(END_COMMITS))


def kill_postgres(town: Town) -> None:
    """PostgreSQL with all its processes: what stands on its disk must be found there afterwards."""
    town.hit("postgres")


STRIKES = {"web server": kill_web, "connection": end_commits, "database": kill_postgres}


def strike_before_the_answer(
    town: Town, strike: Callable[[Town], None], keys: list[str], stairwell: int
) -> dict[str, tuple[int, str | None]]:
    """Strike while commits wait for a standby that never comes, then let them go; gives what each caller was told.

    PostgreSQL has written such a commit to its disk and does not say so: it is certain that it stands and certain
    that nobody was answered.
    """
    with ThreadPoolExecutor(len(keys)) as pool:
        town.rows(HOLD_BACK)
        town.rows(RELOAD)
        try:
            asked = {key: pool.submit(ask_once, town, key, stairwell) for key in keys}
            town.until(lambda: town.rows(COMMITTING)[0][0] > 0, "a commit", WHOLE_SECONDS)
            strike(town)
        finally:
            town.until(lambda: is_let_go(town), "the database's return", WHOLE_SECONDS)
        answers = {key: one.result() for key, one in asked.items()}
    town.until(lambda: is_whole(town) and town.rows(COMMITTING)[0][0] == 0, "the return of all", WHOLE_SECONDS)
    return answers


def is_let_go(town: Town) -> bool:
    """Let commits wait for nobody any more; False while the database is away."""
    try:
        town.rows(LET_GO)
        town.rows(RELOAD)
    except psycopg.Error:
        return False
    return True


@pytest.mark.parametrize("name", STRIKES)
def test_what_was_cut_off_between_commit_and_answer_is_the_same_order_for_the_repeat(
    hurt: Town, name: str, record_property: Callable[[str, object], None]
) -> None:
    flow = Flow(hurt, f"cut-off-{name.replace(' ', '-')}", STRIKES_EACH * CALLS_PER_STRIKE, Random(1))  # noqa: S311 - repeatable chance, no secret
    stairwell, stored, told = flow.stairwells[0], dict[str, str](), Counter[int]()
    for first in range(0, flow.orders, CALLS_PER_STRIKE):
        keys = flow.keys[first : first + CALLS_PER_STRIKE]
        answers = strike_before_the_answer(hurt, STRIKES[name], keys, stairwell)
        found = dict(hurt.rows(STORED, {"keys": keys}))
        told.update(status for status, _ in answers.values())
        assert found
        assert {key: number for key, (status, number) in answers.items() if status == CREATED}.items() <= found.items()
        stored |= found
    assert set(told) <= TOLD[name]
    with flow.firms():
        for key in flow.keys:
            flow.call(key, stairwell, "locksmith")
        checker.settle(hurt)
    assert stored.items() <= flow.numbers.items()
    checker.settle(hurt)
    finding = checker.check(hurt, flow)
    figures = f"{finding}; {len(stored)} stood before the repeat, callers were told {dict(told)}"
    record_property("figures", figures)
    print(figures)  # noqa: T201 - the figures, shown with -rP
    assert not finding.wrong


def test_many_who_send_one_call_at_once_get_one_order(
    hurt: Town, record_property: Callable[[str, object], None]
) -> None:
    flow = Flow(hurt, "at-once", ORDERS // 4, Random(1))  # noqa: S311 - repeatable chance, no secret
    together = threading.Barrier(MANY)

    def ask(key: str) -> tuple[int, str | None]:
        together.wait(TOGETHER_SECONDS)
        flow.call(key, flow.stairwells[0], "locksmith")
        status, number = ask_once(hurt, key, flow.stairwells[0])
        while status == TOO_MANY and not flow.over.wait(PAUSE_SECONDS):
            status, number = ask_once(hurt, key, flow.stairwells[0])
        return status, number

    with flow.firms(), ThreadPoolExecutor(MANY) as pool:
        for key in flow.keys:
            answers = {one.result() for one in [pool.submit(ask, key) for _ in range(MANY)]}
            assert answers == {(CREATED, flow.numbers[key])}
    checker.settle(hurt)
    finding = checker.check(hurt, flow)
    record_property("figures", str(finding))
    print(finding, dict(flow.told))  # noqa: T201 - the figures, shown with -rP
    assert not finding.wrong
