"""Kinds of jobs that exist only here: one that may be done once only, one that kills its process, two periods."""

from datetime import time

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.queue import Claimed
from dispatch.rules.queue import Every, Scheduled
from dispatch.workers import run
from tests.simulation.fate import Killed

MARK = "simulation.mark"
POISON = "simulation.poison"
DAILY = "simulation.daily"
QUARTERLY = "simulation.quarterly"
SCHEDULE = (Scheduled(DAILY, Every.DAY, time(0, 10)), Scheduled(QUARTERLY, Every.QUARTER, time(2, 0)))
INSERT_MARK = text("INSERT INTO simulation_marks (job_id) VALUES (:job_id)")


def mark(session: Session, job: Claimed) -> None:
    """Work that is not harmless when it is done twice: one line more each time."""
    session.execute(INSERT_MARK, {"job_id": job.id})


def mark_period(session: Session, job: Claimed) -> None:
    """The same for a period, which is then finished."""
    mark(session, job)
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


def kill(_session: Session, _job: Claimed) -> None:
    """Work that takes its process along, each time."""
    raise Killed(POISON)


HANDLERS = {
    MARK: run.Handler(work=mark),
    POISON: run.Handler(work=kill),
    DAILY: run.Handler(work=mark_period),
    QUARTERLY: run.Handler(work=mark_period),
}
