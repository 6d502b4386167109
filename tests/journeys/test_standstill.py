"""The whole system stopped over the end of a quarter: no period lost, none twice, no order lost."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from pathlib import Path

from dispatch.clock import SHANGHAI
from dispatch.rules.queue import Every, next_period_start, period_name, period_start
from tests.faults.town import ROOT, Town, running
from tests.journeys.people import People
from tests.processes import free_port

NEXT_QUARTER = next_period_start(Every.QUARTER, period_start(Every.QUARTER, datetime.now(SHANGHAI) + timedelta(days=4)))
BEFORE = NEXT_QUARTER - timedelta(hours=38)
AFTER = NEXT_QUARTER + timedelta(hours=34)
DAYS = [str(BEFORE.date() + timedelta(days=number)) for number in range(4)]
OPEN_PERIODS = "SELECT count(*) FROM period_runs WHERE finished_at IS NULL"
PERIOD = "SELECT count(*) FROM period_runs WHERE job = %(job)s AND period = %(period)s"
CATCH_UP_SECONDS = 120.0


def caught_up(town: Town, job: str, period: str) -> bool:
    """Whether a period of a job is there and done, with every other."""
    there = town.rows(PERIOD, {"job": job, "period": period})[0][0] == 1
    return bool(there and town.rows(OPEN_PERIODS)[0][0] == 0)


def periods(town: Town, job: str) -> list[str]:
    """The periods of a job from the day before the standstill on, in order."""
    query = "SELECT period FROM period_runs WHERE job = %(job)s AND due_at >= %(since)s ORDER BY due_at"
    return [row[0] for row in town.rows(query, {"job": job, "since": BEFORE - timedelta(hours=10)})]


@contextmanager
def beside(town: Town, name: str) -> Iterator[None]:
    """A process that is started by itself, as on another machine of the same installation."""
    command = [sys.executable, "-m", "dispatch.cli", name]
    with subprocess.Popen(command, cwd=ROOT, env=town.environment, stdout=subprocess.DEVNULL) as process:
        try:
            yield
        finally:
            process.terminate()


def test_two_days_and_a_quarters_end_pass_while_everything_is_stopped() -> None:
    with tempfile.TemporaryDirectory(prefix="hq-", dir="/tmp", ignore_cleanup_errors=True) as folder:
        home, port = Path(folder), free_port()
        with running(home, port) as town:
            people = People(town)
            people.sets_clock(BEFORE)
            town.until(lambda: caught_up(town, "reports.daily_figures", DAYS[0]), "first day", CATCH_UP_SECONDS)
            number = str(people.call("年底水管冻裂")["number"])
            people.offer(number)
        with running(home, port, "--workers", "0", "--sweeps", "0", "--beats", "0") as town, ExitStack() as others:
            People(town).sets_clock(AFTER)
            for name in ("worker", "sweep", "beat"):
                others.enter_context(beside(town, name))
            town.until(lambda: caught_up(town, "reports.daily_figures", DAYS[-1]), "catch-up", CATCH_UP_SECONDS)
            for job in ("reports.daily_figures", "care.place_visits", "catalogue.papers_expiring", "system.purge"):
                assert periods(town, job) == DAYS, job
            assert periods(town, "reports.statement") == [period_name(Every.QUARTER, NEXT_QUARTER)]
            published = (
                "SELECT count(*) FROM service_statements WHERE quarter = %(quarter)s AND published_at IS NOT NULL"
            )
            ended = period_name(Every.QUARTER, period_start(Every.QUARTER, BEFORE))
            assert town.rows(published, {"quarter": ended})[0][0] == 1
            assert town.rows("SELECT count(*) FROM orders WHERE description = '年底水管冻裂'") == [(1,)]
            people = People(town)
            town.until(lambda: people.state(number) in {"offered", "awaiting_human"}, "order", CATCH_UP_SECONDS)
            town.command("verify")
