"""The town that most faults hurt; the clocks have one of their own, so that two processes share the work."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.town import Town, town

HERE = Path(__file__).parent


@pytest.fixture(scope="session")
def hurt() -> Iterator[Town]:
    """One town with two workers, two sweepers and two beats, hurt by every test after the other."""
    with town("--workers", "2", "--sweeps", "2", "--beats", "2") as started:
        started.command("demo", "--clock", started.next_working_morning().isoformat())
        started.let_firms_take_all()
        yield started


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what hurts one town, in its order (`pytest -n 2 --dist loadgroup`)."""
    for item in items:
        if item.path.parent == HERE:
            item.add_marker(pytest.mark.xdist_group("clocks" if item.path.stem == "test_clocks" else "hurt"))
