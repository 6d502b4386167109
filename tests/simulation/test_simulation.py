"""Thousands of short histories full of faults: nothing lost, nothing twice, everything in a known place."""

import os
from collections.abc import Iterator

import pytest
from structlog.testing import capture_logs

from tests.conftest import Servers
from tests.simulation import jobs
from tests.simulation.house import House, open_house, table_with
from tests.simulation.invariants import broken
from tests.simulation.story import play

SEEDS = int(os.environ.get("DISPATCH_TEST_SEEDS", "20"))
FIRST = int(os.environ.get("DISPATCH_TEST_FIRST_SEED", "1"))
AT_ONCE = 50


@pytest.fixture(scope="module")
def house(servers: Servers) -> Iterator[House]:
    """One house for all seeds; each seed begins with it empty."""
    with open_house(servers, "simulation") as opened, table_with(jobs.HANDLERS):
        yield opened


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, AT_ONCE))
def test_whatever_fails_nothing_is_lost_and_nothing_happens_twice(house: House, first: int) -> None:
    for seed in range(first, min(first + AT_ONCE, FIRST + SEEDS)):
        with capture_logs():
            wrong = broken(play(house, seed))
        assert not wrong, f"seed {seed}"
