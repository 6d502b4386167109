"""What the jobs of the love supermarket do: the day's work of its facilities, what became of its orders, re-checks."""

from collections.abc import Callable
from datetime import date

from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.queue import Claimed
from dispatch.rules.market.double_dip import Programme
from dispatch.services import market
from dispatch.services.market import benefits, hand_outs, rechecks


def keep_facilities(session: Session, job: Claimed) -> None:
    """A new day: each facility has its work, in a job of its own."""
    period = str(job.arguments["period"])
    market.keep_facilities(session, period)
    queue.finish_period(session, job.kind, period)


def keep_facility(session: Session, job: Claimed) -> None:
    """The day's work of one facility."""
    market.keep_facility(session, job.about, now=clock.now(session))


def order_changed(session: Session, job: Claimed) -> None:
    """An order of the supermarket has come to a new state: each part of it looks whether it is its own."""
    version, now = int(job.arguments["version"]), clock.now(session)
    market.disposal_order_changed(session, job.about, version, now=now)
    market.giving_order_changed(session, job.about, version)


def recheck_beneficiaries(session: Session, job: Claimed) -> None:
    """Tell which approvals end soon or have ended."""
    rechecks.recheck(session, now=clock.now(session))
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


def lapse_hand_out(session: Session, job: Claimed) -> None:
    """The time to sign for what was reserved is over."""
    hand_outs.lapse(session, job.about, now=clock.now(session))


def voucher_given(session: Session, job: Claimed) -> None:
    """A person of a household was granted a voucher: the counter of the supermarket will know."""
    benefits.record(
        session,
        community_id=int(job.arguments["community_id"]),
        household_id=int(job.arguments["household_id"]),
        programme=Programme.VOUCHER,
        given_on=date.fromisoformat(job.arguments["given_on"]),
        origin="care.voucher",
        origin_id=job.about,
    )


WORK: dict[str, Callable[[Session, Claimed], None]] = {
    "market.keep_facilities": keep_facilities,
    "market.keep_facility": keep_facility,
    "market.order_changed": order_changed,
    "market.recheck_beneficiaries": recheck_beneficiaries,
    "market.lapse_hand_out": lapse_hand_out,
    "market.voucher_given": voucher_given,
}
