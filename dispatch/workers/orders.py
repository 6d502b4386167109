"""What the jobs of orders do: routing (one or many), lapses, escalation, alarms, callbacks, archiving."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.queue import Claimed
from dispatch.services import orders


def route(session: Session, job: Claimed) -> None:
    """Move one order on."""
    orders.route(session, job.about, now=clock.now(session))


def route_many(session: Session, jobs: list[Claimed]) -> None:
    """Move many orders on in one transaction."""
    orders.route_many(session, [job.about for job in jobs], now=clock.now(session))


def lapse(session: Session, job: Claimed) -> None:
    """The hold time of a round is over."""
    orders.lapse(session, job.about, now=clock.now(session))


def escalate(session: Session, job: Claimed) -> None:
    """A level of lateness is reached."""
    orders.escalate(session, job.about, now=clock.now(session))


def escalation_digest(session: Session, job: Claimed) -> None:
    """The minutes in which notices to one person were gathered are over."""
    orders.tell_digest(session, job.about, now=clock.now(session))


def sign_due(session: Session, job: Claimed) -> None:
    """The time to sign is over."""
    orders.sign_due(session, job.about)


def place_alarm(session: Session, job: Claimed) -> None:
    """Nobody has settled a place in time."""
    orders.place_alarm(session, orders.lock(session, job.about), now=clock.now(session))


def feed_back(session: Session, job: Claimed) -> None:
    """Nobody has answered the resident in time."""
    orders.feed_back_by_clock(session, job.about, now=clock.now(session))


def callback_due(session: Session, job: Claimed) -> None:
    """The day to call back has come."""
    orders.callback_due(session, job.about, now=clock.now(session))


def archive(session: Session, job: Claimed) -> None:
    """A closed order is put away."""
    orders.archive(session, job.about, now=clock.now(session))


def arrival_due(session: Session, job: Claimed) -> None:
    """The time to arrive is over."""
    orders.arrival_due(session, job.about, now=clock.now(session))


def wake(session: Session, job: Claimed) -> None:
    """A shift begins that an order waits for."""
    orders.wake(session, job.about, cycle=int(job.arguments["cycle"]), now=clock.now(session))


def request_due(session: Session, job: Claimed) -> None:
    """The time to decide a request is over."""
    orders.request_due(session, job.about, now=clock.now(session))


def complaint_due(session: Session, job: Claimed) -> None:
    """The time to answer a complaint is over."""
    orders.complaint_due(session, job.about, now=clock.now(session))


def resume(session: Session, job: Claimed) -> None:
    """A hold has come to its end date."""
    orders.resume_by_clock(session, job.about, now=clock.now(session))


def supervision_due(session: Session, job: Claimed) -> None:
    """A supervision has come to its own due date."""
    orders.supervision_due(session, job.about, now=clock.now(session))


def recompute_due(session: Session, job: Claimed) -> None:
    """A calendar was corrected: the limits of its open orders follow, a batch at a time."""
    after = int(job.arguments.get("after", 0))
    orders.recompute_due(session, job.about, after=after, now=clock.now(session))


WORK: dict[str, Callable[[Session, Claimed], None]] = {
    "orders.route": route,
    "orders.lapse": lapse,
    "orders.escalate": escalate,
    "orders.escalation_digest": escalation_digest,
    "orders.sign_due": sign_due,
    "orders.place_alarm": place_alarm,
    "orders.feed_back": feed_back,
    "orders.callback_due": callback_due,
    "orders.archive": archive,
    "orders.arrival_due": arrival_due,
    "orders.request_due": request_due,
    "orders.complaint_due": complaint_due,
    "orders.wake": wake,
    "orders.resume": resume,
    "orders.supervision_due": supervision_due,
    "orders.recompute_due": recompute_due,
}
BATCHES: dict[str, Callable[[Session, list[Claimed]], None]] = {"orders.route": route_many}
