"""The jobs: every period once and none missing, nothing due left lying, no dead job in silence."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch.rules.queue import Scheduled, due_instant, period_start, periods_owed

MOST_NAMED = 20
LYING_SECONDS = 60

RUNS = text("SELECT period, due_at, finished_at FROM period_runs WHERE job = :job ORDER BY due_at, period")
UNFINISHED = text(
    "SELECT run.job, run.period FROM period_runs AS run WHERE run.finished_at IS NULL AND NOT EXISTS ("
    "SELECT FROM jobs WHERE jobs.dedupe = run.job || ':' || run.period AND jobs.done_at IS NULL) "
    "ORDER BY run.due_at LIMIT :most"
)
LYING = text(
    "SELECT id, kind, reference, extract(epoch FROM :now - run_at)::bigint FROM jobs "
    "WHERE done_at IS NULL AND dead_at IS NULL AND run_at < :now - make_interval(secs => :seconds) "
    "AND (lease_until IS NULL OR lease_until < clock_timestamp()) ORDER BY run_at LIMIT :most"
)
DEAD = text(
    "SELECT id, kind, error FROM jobs WHERE dead_at IS NOT NULL AND NOT EXISTS ("
    "SELECT FROM alarms WHERE alarms.kind = 'job_dead' AND alarms.subject = 'job:' || jobs.id) ORDER BY id"
)
RATE = text("SELECT greatest(1, coalesce(max(rate), 1)) FROM clock_settings")


def broken_periods(session: Session, schedule: Sequence[Scheduled]) -> Iterator[str]:
    """One line per period that is missing between a job's first and last, is misnamed, or was made and lost."""
    for scheduled in schedule:
        runs = session.execute(RUNS, {"job": scheduled.job}).all()
        if not runs:
            continue
        known = {run.period for run in runs}
        if len(known) != len(runs):
            yield f"{scheduled.job}: a period stands more than once"
        for period in expected(scheduled, runs[0].due_at, runs[-1].due_at):
            if period not in known and not scheduled.only_newest:
                yield f"{scheduled.job}: period {period} is missing"
    for job, period in session.execute(UNFINISHED, {"most": MOST_NAMED}):
        yield f"{job}: period {period} is neither finished nor waiting"


def expected(scheduled: Scheduled, first: datetime, last: datetime) -> list[str]:
    """The names of every period from the first known to the last known."""
    every = Scheduled(scheduled.job, scheduled.every, scheduled.at)
    before = period_start(scheduled.every, first)
    begin = due_instant(every, before)
    return [due.period for due in periods_owed(every, begin, last)]


def overdue_jobs(session: Session, now: datetime) -> Iterator[str]:
    """One line per job that has been due for more than 60 real seconds and is in nobody's hands (20 at most)."""
    rate = float(session.execute(RATE).scalar_one())
    rows = session.execute(LYING, {"now": now, "seconds": LYING_SECONDS * rate, "most": MOST_NAMED})
    for job_id, kind, reference, seconds in rows:
        yield f"job {job_id} ({kind}, {reference}) has been due for {seconds} s and nobody works at it"


def silent_deaths(session: Session) -> Iterator[str]:
    """One line per dead job that never raised an alarm."""
    for job_id, kind, error in session.execute(DEAD):
        yield f"job {job_id} ({kind}) is dead ({error}) without an alarm"
