"""`dispatch doctor` says in plain words how the work goes."""

from datetime import date

import pytest
from sqlalchemy import text

from dispatch.commands import health
from tests.conftest import Database
from tests.factories.world import firm, make_world


def said(database: Database) -> dict[str, str]:
    """What was found: sentence → mark."""
    with database.engine.connect() as connection:
        return {finding.sentence: finding.mark for finding in health.examine(connection)}


def marks(database: Database, word: str) -> dict[str, str]:
    """The findings about one thing."""
    return {sentence: mark for sentence, mark in said(database).items() if sentence.startswith(word)}


def change(database: Database, statement: str, **values: object) -> None:
    """Change something as the application may."""
    with database.session() as session:
        session.execute(text(statement), values)
        session.commit()


def test_an_empty_installation_is_well(committed: Database) -> None:
    found = said(committed)
    assert set(found.values()) == {"ok"}
    assert "jobs: nothing is due and waiting" in found
    assert "jobs: none is dead" in found


def test_what_lies_and_what_is_dead_is_named(committed: Database) -> None:
    change(
        committed,
        "INSERT INTO jobs (kind, lane, run_at, dead_at, error) VALUES "
        "('tests.lying', 1, dispatch_now() - interval '90 seconds', NULL, NULL), "
        "('tests.dead', 1, dispatch_now(), dispatch_now(), 'Fault')",
    )
    assert marks(committed, "jobs: 1 due in lane dispatch") == {
        "jobs: 1 due in lane dispatch, the oldest for 90 s": "!!"
    }
    assert marks(committed, "jobs: dead") == {"jobs: dead: 1 tests.dead (Fault)": "!!"}
    assert marks(committed, "workers") == {"workers: none has finished a job yet (2 wait)": "!!"}


@pytest.mark.parametrize(("seconds", "mark"), [(10, "ok"), (400, "!!")])
def test_silence_of_the_workers_is_told(committed: Database, seconds: int, mark: str) -> None:
    change(
        committed,
        "INSERT INTO jobs (kind, lane, run_at, done_at) VALUES "
        "('tests.done', 1, dispatch_now(), dispatch_now() - make_interval(secs => :seconds))",
        seconds=seconds,
    )
    assert marks(committed, "workers") == {f"workers: the last job was finished {seconds} s ago": mark}


def test_a_year_without_calendar_is_wrong_and_expired_papers_are_noted(committed: Database) -> None:
    with committed.session() as session:
        world = make_world(session)
        firm(session, world.district, world.community, [], papers_until=date(2020, 12, 31))
        session.commit()
        name = world.district.name
    (sentence, mark), *_ = marks(committed, f"calendar: {name} has none for").items()
    assert "limits are assumed" in sentence
    assert mark == "!!"
    assert marks(committed, "papers") == {"papers: 1 performers have an expired one and get no orders": "--"}
