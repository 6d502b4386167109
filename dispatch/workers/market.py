"""What the jobs of the love supermarket do: the day's work of its facilities, what became of its orders, re-checks."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.queue import Claimed
from dispatch.services import market
from dispatch.services.market import hand_outs, rechecks


def keep_facilities(session: Session, job: Claimed) -> None:
    """A new day: each facility has its work, in a job of its own."""
    period = str(job.arguments["period"])
    market.keep_facilities(session, period)
    queue.finish_period(session, job.kind, period)


def keep_facility(session: Session, job: Claimed) -> None:
    """The day's work of one facility."""
    if job.reference is None:
        raise ValueError("a facility's work needs its id")
    market.keep_facility(session, job.reference, now=clock.now(session))


def order_changed(session: Session, job: Claimed) -> None:
    """An order of the supermarket has come to a new state: each part of it looks whether it is its own."""
    if job.reference is None:
        raise ValueError("a changed order needs its id")
    version, now = int(job.arguments["version"]), clock.now(session)
    market.disposal_order_changed(session, job.reference, version, now=now)
    market.giving_order_changed(session, job.reference, version)


def recheck_beneficiaries(session: Session, job: Claimed) -> None:
    """Tell which approvals end soon or have ended."""
    rechecks.recheck(session, now=clock.now(session))
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


def lapse_hand_out(session: Session, job: Claimed) -> None:
    """The time to sign for what was reserved is over."""
    if job.reference is None:
        raise ValueError("a reservation that lapses needs its id")
    hand_outs.lapse(session, job.reference, now=clock.now(session))


WORK: dict[str, Callable[[Session, Claimed], None]] = {
    "market.keep_facilities": keep_facilities,
    "market.keep_facility": keep_facility,
    "market.order_changed": order_changed,
    "market.recheck_beneficiaries": recheck_beneficiaries,
    "market.lapse_hand_out": lapse_hand_out,
}
