"""What the jobs of reports do: a job's period begins at its due instant, its report is about the one before."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.queue import Claimed
from dispatch.rules.queue import Lane
from dispatch.rules.reports.periods import previous_period
from dispatch.services import reports


def count(session: Session, job: Claimed) -> None:
    """Count what has changed, a bounded batch at a time; comes back while there is more."""
    if reports.count_changes(session, now=clock.now(session)) >= reports.MOST_AT_ONCE:
        queue.enqueue(session, "reports.count", lane=Lane.PERIODIC, dedupe=f"reports.count:after:{job.id}")


def daily_figures(session: Session, job: Claimed) -> None:
    """The day is over: have counted what still waits, look whether a statement is late."""
    reports.ask_for_count(session, now=clock.now(session))
    reports.alarm_late_statements(session, now=clock.now(session))
    reports.disclose_emergencies(session, now=clock.now(session))
    reports.alarm_late_disclosures(session, now=clock.now(session))
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


def statement(session: Session, job: Claimed) -> None:
    """Make and publish the statements of the quarter that has ended."""
    period = str(job.arguments["period"])
    reports.make_statements(session, previous_period(period), now=clock.now(session))
    reports.disclose_quarter(session, previous_period(period), now=clock.now(session))
    queue.finish_period(session, job.kind, period)


WORK: dict[str, Callable[[Session, Claimed], None]] = {
    "reports.count": count,
    "reports.daily_figures": daily_figures,
    "reports.statement": statement,
}
