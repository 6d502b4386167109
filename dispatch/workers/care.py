"""What the jobs of care do: placing visits ahead, hearing what became of their orders."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.queue import Claimed
from dispatch.services import care


def place_visits(session: Session, job: Claimed) -> None:
    """The day's placing, a job for every hundred schedules."""
    period = str(job.arguments["period"])
    care.place_visits(session, period)
    queue.finish_period(session, job.kind, period)


def place_batch(session: Session, job: Claimed) -> None:
    """Place the visits of some schedules."""
    first, last = int(job.arguments["first"]), int(job.arguments["last"])
    care.place_batch(session, first, last, now=clock.now(session))


def order_changed(session: Session, job: Claimed) -> None:
    """The order of a visit has come to a new state."""
    if job.reference is None:
        raise ValueError("a changed order needs its id")
    care.order_changed(session, job.reference, int(job.arguments["version"]))


WORK: dict[str, Callable[[Session, Claimed], None]] = {
    "care.place_visits": place_visits,
    "care.place_batch": place_batch,
    "care.order_changed": order_changed,
}
