"""What the jobs of the funds do: whether the month before was reconciled with the bank."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.queue import Claimed
from dispatch.services import funds


def check_reconciled(session: Session, job: Claimed) -> None:
    """Alarm every bank account whose month before waits too long for its confirmation."""
    funds.alarm_unreconciled(session, now=clock.now(session))
    queue.finish_period(session, job.kind, str(job.arguments["period"]))


WORK: dict[str, Callable[[Session, Claimed], None]] = {"funds.check_reconciled": check_reconciled}
