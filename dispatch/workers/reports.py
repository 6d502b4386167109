"""What the jobs of reports do: a job's period begins at its due instant, its report is about the one before."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.queue import Claimed
from dispatch.rules.reports.periods import day_of, previous_period
from dispatch.services import reports


def daily_figures(session: Session, job: Claimed) -> None:
    """Count yesterday, and anew the days before it; look whether a statement is late."""
    period = str(job.arguments["period"])
    reports.recount(session, day_of(previous_period(period)))
    reports.alarm_late_statements(session, now=clock.now(session))
    queue.finish_period(session, job.kind, period)


def statement(session: Session, job: Claimed) -> None:
    """Make and publish the statements of the quarter that has ended."""
    period = str(job.arguments["period"])
    reports.make_statements(session, previous_period(period), now=clock.now(session))
    queue.finish_period(session, job.kind, period)


WORK: dict[str, Callable[[Session, Claimed], None]] = {
    "reports.daily_figures": daily_figures,
    "reports.statement": statement,
}
