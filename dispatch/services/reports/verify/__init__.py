"""The check of the promise's invariants on a live database (promise.md, “How it is proven” 3)."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from config.schedule import SCHEDULE
from dispatch import clock
from dispatch.rules.queue import Scheduled
from dispatch.services import funds
from dispatch.services.access import audit
from dispatch.services.care import vouchers
from dispatch.services.reports.verify.callers import broken_callers
from dispatch.services.reports.verify.counter import wrong_hand_outs
from dispatch.services.reports.verify.figures import wrong_figures
from dispatch.services.reports.verify.history import broken_histories
from dispatch.services.reports.verify.money import wrong_money
from dispatch.services.reports.verify.places import lost_orders
from dispatch.services.reports.verify.stock import wrong_stock
from dispatch.services.reports.verify.uniqueness import broken_facts
from dispatch.services.reports.verify.work import broken_periods, overdue_jobs, silent_deaths

__all__ = ["verify"]


def verify(session: Session, *, schedule: Sequence[Scheduled] = SCHEDULE) -> list[str]:
    """One line per broken invariant, orders by their number; empty when every one holds.

    Reads only; the caller gives one snapshot (REPEATABLE READ), so that a system at work does not look broken.
    The history is streamed.
    """
    return list(lines(session, schedule, clock.now(session)))


def lines(session: Session, schedule: Sequence[Scheduled], now: datetime) -> Iterator[str]:
    """The same, one by one."""
    yield from broken_facts(session)
    yield from broken_histories(session)
    yield from broken_periods(session, schedule)
    yield from overdue_jobs(session, now)
    yield from silent_deaths(session)
    yield from lost_orders(session)
    yield from broken_callers(session)
    yield from wrong_figures(session, now)
    yield from wrong_stock(session)
    yield from wrong_hand_outs(session)
    yield from wrong_money(session)
    yield from funds.broken_journals(session)
    yield from vouchers.broken_vouchers(session)
    yield from audit.verify_chain(session)
