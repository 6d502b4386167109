"""The demo's clock: set, fast, standing still, given back, and only the owner's."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from config.settings import get_settings
from dispatch import clock
from dispatch.boot import database_problems
from dispatch.demo.clock import OnlyInTheDemo, read_clock, reset_clock, set_clock
from dispatch.errors import Invalid
from dispatch.rules.access.roles import EVERYTHING
from dispatch.transaction import transaction
from tests.conftest import Database

NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)


def business_now() -> datetime:
    with transaction(EVERYTHING) as session:
        return clock.now(session)


def test_a_set_clock_is_read_by_the_next_transaction_of_the_application(committed: Database) -> None:
    set_clock(committed.owner_url, NEW_YEAR)

    assert timedelta(0) <= business_now() - NEW_YEAR < timedelta(minutes=1)


def test_a_fast_clock_runs_its_rate_times_as_fast(committed: Database) -> None:
    set_clock(committed.owner_url, NEW_YEAR, rate=100_000)

    first = business_now()
    with committed.engine.connect() as connection:
        connection.execute(text("SELECT pg_sleep(0.05)"))

    assert business_now() - first >= timedelta(seconds=5_000)


def test_a_clock_of_rate_nought_stands_still(committed: Database) -> None:
    set_clock(committed.owner_url, NEW_YEAR, rate=0)

    assert business_now() == business_now() == NEW_YEAR


def test_a_new_rate_without_an_instant_goes_on_from_what_the_clock_shows(committed: Database) -> None:
    set_clock(committed.owner_url, NEW_YEAR, rate=0)

    reading = set_clock(committed.owner_url, None, rate=60)

    assert reading.instant == NEW_YEAR
    assert read_clock(committed.owner_url).rate == 60


def test_a_reset_clock_is_the_machines_and_leaves_no_row(committed: Database) -> None:
    set_clock(committed.owner_url, NEW_YEAR)

    reset_clock(committed.owner_url)

    assert abs(business_now() - datetime.now(UTC)) < timedelta(minutes=1)
    assert database_problems(committed.engine) == []


def test_a_shifted_clock_is_a_reason_not_to_start_outside_the_demo(committed: Database) -> None:
    set_clock(committed.owner_url, NEW_YEAR)

    assert any("clock" in reason for reason in database_problems(committed.engine))


def test_the_application_role_cannot_write_the_clock(committed: Database) -> None:
    with pytest.raises(ProgrammingError, match="permission denied"):
        set_clock(committed.url, NEW_YEAR)


@pytest.mark.parametrize("rate", [-1, 100_001])
def test_a_rate_that_no_clock_can_have_is_refused(committed: Database, rate: float) -> None:
    with pytest.raises(Invalid, match="Invalid"):
        set_clock(committed.owner_url, NEW_YEAR, rate=rate)


def test_an_instant_without_its_zone_is_refused(committed: Database) -> None:
    with pytest.raises(Invalid):
        set_clock(committed.owner_url, datetime(2027, 1, 1))  # noqa: DTZ001 - that is the point


def test_outside_the_demo_no_clock_is_set(committed: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPATCH_DEMO", "0")
    get_settings.cache_clear()
    try:
        with pytest.raises(OnlyInTheDemo):
            set_clock(committed.owner_url, NEW_YEAR)
    finally:
        monkeypatch.undo()
        get_settings.cache_clear()
