"""Every kind of job that somewhere is enqueued, scheduled or expected by a programme has one that does it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.schedule import SCHEDULE
from dispatch.workers.run import HANDLERS

SOURCE = Path(__file__).parent.parent.parent / "dispatch"
ORIGINS = ("care", "market")
KIND_AT = {"enqueue": 1, "NewJob": 0}


def enqueued_kinds() -> Iterator[str]:
    """The kinds named in calls of enqueue() and NewJob()."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            place = KIND_AT.get(getattr(node.func, "attr", "")) if isinstance(node, ast.Call) else None
            if place is not None and isinstance(node, ast.Call) and len(node.args) > place:
                kind = node.args[place]
                if isinstance(kind, ast.Constant):
                    yield str(kind.value)


def test_kinds_are_found_in_the_source() -> None:
    assert {"orders.lapse", "notify.deliver", "orders.archive"} <= set(enqueued_kinds())


@pytest.mark.parametrize("kind", sorted(set(enqueued_kinds())))
def test_an_enqueued_kind_has_a_handler(kind: str) -> None:
    assert kind in HANDLERS


@pytest.mark.parametrize("scheduled", SCHEDULE, ids=lambda scheduled: scheduled.job)
def test_a_scheduled_job_has_a_handler(scheduled: object) -> None:
    assert getattr(scheduled, "job", None) in HANDLERS


@pytest.mark.parametrize("origin", ORIGINS)
def test_a_programme_that_places_orders_hears_of_their_end(origin: str) -> None:
    assert f"{origin}.order_changed" in HANDLERS
