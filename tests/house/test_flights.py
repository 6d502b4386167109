"""What of a transaction travels together: COMMIT with the statement that is said to be the last."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch.rules.access.roles import EVERYTHING
from dispatch.transaction import end_with, transaction
from tests.conftest import Database

ENDS_OF_FLIGHTS = ("Sync", "Query", "Terminate")
COUNT = text("SELECT count(*) FROM jobs WHERE kind = 'test.flight'")
INSERT = text("INSERT INTO jobs (kind, lane, dedupe) VALUES ('test.flight', 1, :dedupe)")


@pytest.fixture
def wire(committed: Database, tmp_path: Path) -> Iterator[Path]:
    """What the one connection of the pool says to PostgreSQL, a line a message (libpq's own trace).

    It is a new one: a connection that has served other tests has one more flight for a statement that it prepares.
    """
    path = tmp_path / "wire"
    committed.engine.dispose()
    with transaction(EVERYTHING) as session:
        session.execute(COUNT)
        driver = session.connection().connection.driver_connection
    assert driver is not None
    with path.open("wb") as file:
        driver.pgconn.trace(file.fileno())
        yield path
        driver.pgconn.untrace()
    assert committed.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def flights(wire: Path) -> int:
    """How often the client waited for an answer."""
    messages = [line.split("\t") for line in wire.read_text(encoding="utf-8", errors="replace").splitlines()]
    return sum(1 for parts in messages if "F" in parts[:2] and any(part.strip() in ENDS_OF_FLIGHTS for part in parts))


def test_the_last_statement_travels_with_the_commit(wire: Path) -> None:
    with transaction(EVERYTHING) as session:
        end_with(session, INSERT, {"dedupe": "one"})
    together = flights(wire)
    with transaction(EVERYTHING) as session:
        session.execute(INSERT, {"dedupe": "two"})
    apart = flights(wire) - together
    assert (together, apart) == (3, 4)


def place_twice(session: Session) -> None:
    """A new row, and as the last statement one that exists."""
    session.execute(INSERT, {"dedupe": "two"})
    end_with(session, INSERT, {"dedupe": "one"})


@pytest.mark.usefixtures("committed")
def test_the_last_statement_is_committed_and_one_that_fails_leaves_nothing_of_its_transaction() -> None:
    with transaction(EVERYTHING) as session:
        end_with(session, INSERT, {"dedupe": "one"})
        with transaction(EVERYTHING) as other:
            assert other.scalar(COUNT) == 1
    with pytest.raises(IntegrityError), transaction(EVERYTHING) as session:
        place_twice(session)
    with transaction(EVERYTHING) as session:
        assert session.scalar(COUNT) == 1


def insert_late(session: Session) -> None:
    """As the last statement one that breaks a rule which only the commit looks at."""
    session.execute(text("CREATE TEMPORARY TABLE late (id integer UNIQUE DEFERRABLE INITIALLY DEFERRED)"))
    end_with(session, text("INSERT INTO late VALUES (1), (1)"), {})


@pytest.mark.usefixtures("committed")
def test_what_only_the_commit_finds_wrong_is_told_by_the_last_statement() -> None:
    with pytest.raises(IntegrityError), transaction(EVERYTHING) as session:
        insert_late(session)
