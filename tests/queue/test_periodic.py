"""Periods with real commits: each made once by however many tick, none lost over a standstill, each job's work done."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from threading import Barrier

import psycopg
import pytest
from sqlalchemy import func, select

from config.schedule import SCHEDULE
from dispatch import clock, queue
from dispatch.models.reports import ServiceStatement
from dispatch.queue import Job, PeriodRun
from dispatch.rules.queue import Every, Lane, Scheduled
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import reports
from dispatch.workers import run, sweep, system
from tests.conftest import ROOT, Database
from tests.factories.world import make_world

BEFORE = datetime(2026, 9, 29, 12, 0, tzinfo=SHANGHAI)
AFTER = datetime(2026, 10, 1, 12, 0, tzinfo=SHANGHAI)
DAILY = [one.job for one in SCHEDULE if one.every is Every.DAY]


def live_at(database: Database, instant: datetime) -> None:
    """Let the database's one clock show this instant and go on from there."""
    with psycopg.connect(database.owner_url.replace("+psycopg", "")) as connection:
        connection.execute((ROOT / "migrations" / "sql" / "demo_clock.sql").read_bytes())
        connection.execute("DELETE FROM clock_settings")
        connection.execute(
            "INSERT INTO clock_settings (real_anchor, business_anchor, rate) VALUES (clock_timestamp(), %s, 1)",
            (instant,),
        )


@pytest.fixture
def stopped(committed: Database) -> Database:
    """A community that lived until two days before the quarter's end, and then stood still."""
    live_at(committed, BEFORE)
    with committed.session() as session:
        make_world(session)
        session.commit()
    run.tick()
    drain()
    return committed


def drain() -> None:
    """Do all that is due, as the sweeper does, until nothing is."""
    for lane in Lane:
        while run.run_due(lane):
            pass
    sweep.sweep_once()


def periods(database: Database, job: str) -> list[str]:
    """The periods of a job, oldest first."""
    with database.session() as session:
        return list(session.scalars(select(PeriodRun.period).where(PeriodRun.job == job).order_by(PeriodRun.due_at)))


def unfinished(database: Database) -> list[tuple[str, str]]:
    """The periods whose work is not done."""
    with database.session() as session:
        query = select(PeriodRun.job, PeriodRun.period).where(PeriodRun.finished_at.is_(None))
        return [(job, period) for job, period in session.execute(query)]


def test_a_standstill_over_two_days_and_a_quarters_end_loses_nothing_and_doubles_nothing(stopped: Database) -> None:
    assert periods(stopped, "reports.daily_figures") == ["2026-09-29"]
    live_at(stopped, AFTER)
    run.tick()
    run.tick()
    drain()
    for job in DAILY:
        assert periods(stopped, job)[-2:] == ["2026-09-30", "2026-10-01"], job
        assert len(periods(stopped, job)) == len(set(periods(stopped, job)))
    assert periods(stopped, "reports.statement") == ["2026-Q3", "2026-Q4"]
    assert unfinished(stopped) == []
    with stopped.session() as session:
        statements = session.scalars(select(ServiceStatement).order_by(ServiceStatement.quarter)).all()
        assert [(one.quarter, one.version) for one in statements] == [("2026-Q3", 1)]
        assert all(one.published_at for one in statements)
        assert session.scalar(select(func.count()).where(Job.dead_at.is_not(None)).select_from(Job)) == 0
        assert reports.verify(session) == []


def test_many_who_tick_at_once_make_each_period_once(stopped: Database) -> None:
    live_at(stopped, AFTER)
    hands = 4
    together = Barrier(hands)

    def tick() -> int:
        together.wait(10)
        return run.tick()

    with ThreadPoolExecutor(hands) as pool:
        made = sum(future.result(30) for future in [pool.submit(tick) for _ in range(hands)])
    with stopped.session() as session:
        assert session.scalar(select(func.count()).select_from(PeriodRun).where(PeriodRun.due_at > BEFORE)) == made
        dedupes = session.scalars(select(Job.dedupe).where(Job.lane == int(Lane.PERIODIC))).all()
        assert len(dedupes) == len(set(dedupes))


def test_a_tick_that_fails_after_its_insert_leaves_the_period_to_the_next(committed: Database) -> None:
    schedule = (Scheduled("tests.daily", Every.DAY),)
    with committed.session() as session:
        assert len(queue.tick(session, schedule, clock.now(session))) == 1
        session.rollback()
    assert periods(committed, "tests.daily") == []
    with committed.session() as session:
        assert len(queue.tick(session, schedule, clock.now(session))) == 1
        assert queue.tick(session, schedule, clock.now(session)) == []
        session.commit()
    assert len(periods(committed, "tests.daily")) == 1


def test_catch_up_is_bounded_and_comes_back_for_the_rest(committed: Database) -> None:
    schedule = (Scheduled("tests.daily", Every.DAY, most_catch_up=10),)
    with committed.session() as session:
        now = clock.now(session)
        queue.tick(session, schedule, now)
        sizes = [len(queue.tick(session, schedule, now + timedelta(days=25))) for _ in range(4)]
        session.commit()
    assert sizes == [10, 10, 5, 0]
    assert len(set(periods(committed, "tests.daily"))) == 26


def test_a_period_that_ran_late_says_how_late(stopped: Database) -> None:
    live_at(stopped, AFTER)
    run.tick()
    with stopped.session() as session:
        late = session.execute(
            select(PeriodRun.late_seconds).where(
                PeriodRun.job == "reports.daily_figures", PeriodRun.period == "2026-09-30"
            )
        ).scalar_one()
        assert late > 24 * 3600


@pytest.mark.parametrize(("seconds", "agreed"), [(0, True), (60, True), (-60, True), (61, False), (-61, False)])
def test_clocks_may_differ_by_a_minute(seconds: int, agreed: bool) -> None:  # noqa: FBT001 - a table of cases
    assert system.agree(BEFORE, BEFORE + timedelta(seconds=seconds)) is agreed


def test_this_host_and_its_database_agree(committed: Database) -> None:
    with committed.session() as session:
        assert system.clocks_agree(session)
