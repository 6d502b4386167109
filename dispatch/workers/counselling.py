"""What the jobs of counselling and station do: offers that lapse, reminders, and what has been kept its time."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.queue import Claimed
from dispatch.rules.queue import Lane
from dispatch.services.care import counselling
from dispatch.services.care.station import jobs


def lapse_offer(session: Session, job: Claimed) -> None:
    """The time to answer an offer of the waiting list is over."""
    counselling.lapse(session, job.about, now=clock.now(session))


def remind_appointment(session: Session, job: Claimed) -> None:
    """A client is told of the time that comes."""
    counselling.remind(session, job.about, now=clock.now(session))


def forget_counselling(session: Session, job: Claimed) -> None:
    """What has been kept its years goes; the job comes back at once while there is more."""
    now = clock.now(session)
    if counselling.forget(session, now=now) >= counselling.AT_ONCE:
        queue.enqueue(session, job.kind, lane=Lane.PERIODIC, **job.arguments)
        return
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


def forget_seekers(session: Session, job: Claimed) -> None:
    """Who sought work is forgotten when their consent is over."""
    jobs.forget_seekers(session, now=clock.now(session))
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


WORK: dict[str, Callable[[Session, Claimed], None]] = {
    "care.lapse_offer": lapse_offer,
    "care.remind_appointment": remind_appointment,
    "care.forget_counselling": forget_counselling,
    "care.forget_seekers": forget_seekers,
}
