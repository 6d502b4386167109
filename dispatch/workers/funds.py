"""What the jobs of the funds do: whether the month before was reconciled, and what waits for its approval."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.queue import Claimed
from dispatch.services import funds


def check_reconciled(session: Session, job: Claimed) -> None:
    """Alarm every bank account whose month before, and spending that, waits too long for a second person."""
    now = clock.now(session)
    funds.alarm_unreconciled(session, now=now)
    funds.alarm_waiting(session, now=now)
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


WORK: dict[str, Callable[[Session, Claimed], None]] = {"funds.check_reconciled": check_reconciled}
