"""What the jobs of care do: its calendar day by day, visits ahead, what became of orders, appointments."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.queue import Claimed
from dispatch.services import care
from dispatch.services.care import alarms, asking, celebrating, condoling, vouchers


def place_visits(session: Session, job: Claimed) -> None:
    """The day's placing, a job for every hundred schedules."""
    period = str(job.arguments["period"])
    care.place_visits(session, period)
    queue.finish_period(session, job.kind, period)


def place_batch(session: Session, job: Claimed) -> None:
    """Place the visits of some schedules."""
    first, last = int(job.arguments["first"]), int(job.arguments["last"])
    care.place_batch(session, first, last, now=clock.now(session))


def keep_duties(session: Session, job: Claimed) -> None:
    """The day's work of the care calendar, a job for every hundred enrolments."""
    period = str(job.arguments["period"])
    care.keep_duties(session, period)
    queue.finish_period(session, job.kind, period)


def keep_batch(session: Session, job: Claimed) -> None:
    """The day's work of some enrolments of a community."""
    first, last = int(job.arguments["first"]), int(job.arguments["last"])
    care.keep_batch(session, job.about, first, last, now=clock.now(session))


def check_nests(session: Session, job: Claimed) -> None:
    """Look at the empty nests whose year is over, and at who moved within the community."""
    care.check_nests(session, now=clock.now(session))
    care.tell_moves(session)
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


def order_changed(session: Session, job: Claimed) -> None:
    """An order of care has come to a new state: each part of it looks whether it is its own."""
    version, now = int(job.arguments["version"]), clock.now(session)
    care.order_changed(session, job.about, version, now=now)
    alarms.order_changed(session, job.about, version, now=now)


def watch_devices(session: Session, job: Claimed) -> None:
    """The minute's look at the alarm devices."""
    alarms.watch(session, now=clock.now(session))
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


def review_devices(session: Session, job: Claimed) -> None:
    """The day's look at the alarm devices."""
    alarms.review(session, now=clock.now(session))
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


def answer_due(session: Session, job: Claimed) -> None:
    """The days are over within which an entry of 三问 is answered."""
    asking.answer_due(session, job.about)


def visit_again(session: Session, job: Claimed) -> None:
    """The day's look at everybody who is in hospital: who is to be visited again."""
    condoling.visit_again(session, now=clock.now(session))
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


def condolence_due(session: Session, job: Claimed) -> None:
    """A visit of 三访 should have been paid by now."""
    condoling.condolence_due(session, job.about)


def lapse_vouchers(session: Session, job: Claimed) -> None:
    """A job for each voucher whose last day is over."""
    vouchers.lapse_vouchers(session, now=clock.now(session))
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


def lapse_voucher(session: Session, job: Claimed) -> None:
    """The last day of a voucher is over: what is left goes back to the fund."""
    vouchers.lapse_voucher(session, job.about, now=clock.now(session))


def warn_vouchers(session: Session, job: Claimed) -> None:
    """The day's look at what vouchers are not used up and end soon."""
    vouchers.warn_vouchers(session, now=clock.now(session))
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


def plan_festivals(session: Session, job: Claimed) -> None:
    """The day's look at what is celebrated soon."""
    celebrating.plan_festivals(session, now=clock.now(session))
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


WORK: dict[str, Callable[[Session, Claimed], None]] = {
    "care.place_visits": place_visits,
    "care.place_batch": place_batch,
    "care.keep_duties": keep_duties,
    "care.keep_batch": keep_batch,
    "care.check_nests": check_nests,
    "care.watch_devices": watch_devices,
    "care.review_devices": review_devices,
    "care.order_changed": order_changed,
    "care.answer_due": answer_due,
    "care.visit_again": visit_again,
    "care.plan_festivals": plan_festivals,
    "care.condolence_due": condolence_due,
    "care.lapse_vouchers": lapse_vouchers,
    "care.lapse_voucher": lapse_voucher,
    "care.warn_vouchers": warn_vouchers,
}
