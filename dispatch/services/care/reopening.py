"""An enrolment that ended by mistake goes on: the same one, with its helpers and what it owed."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict
from dispatch.models.care import DutyPeriod, Enrolment, PairedHelper
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.terms import Excuse, PeriodState
from dispatch.services.access import audit
from dispatch.services.care import cases, helping, periods


class StillEnrolled(Conflict):
    """没有退出这个项目，不用恢复"""


def reopen(session: Session, enrolment_id: int, *, actor: Actor, now: datetime) -> Enrolment:
    """Let an enrolment go on whose end was taken back; what its end had excused is due again.

    The database refuses where no event was taken back, and where somebody else has the place. Raises StillEnrolled.
    """
    (case,) = cases.load(session, [enrolment_id], locked=True)
    enrolment, ended_on = case.enrolment, case.enrolment.ends_on
    if ended_on is None:
        raise StillEnrolled
    enrolment.ends_on = enrolment.end_code = enrolment.end_reason = None
    enrolment.ended_by = enrolment.ended_at = None
    enrolment.version += 1
    paired = select(PairedHelper).where(PairedHelper.enrolment_id == enrolment.id, PairedHelper.ends_on == ended_on)
    for one in session.scalars(paired).all():
        one.ends_on = None
    session.flush()
    owe_again(session, case, now=now)
    found = cases.load(session, [enrolment.id], locked=True)
    community_id = enrolment.community_id
    periods.renew(session, found, helping.bench_of(session, community_id, today=clock.today(now)), now=now)
    audit.record(session, "care.reopen_enrolment", "enrolments", enrolment.id, actor=actor, community_id=community_id)
    return enrolment


def owe_again(session: Session, case: cases.Case, *, now: datetime) -> None:
    """What was excused with the end is due; what of it is over by now is settled by the next day's job."""
    by_end = (Excuse.DIED, Excuse.ENDED)
    query = select(DutyPeriod).where(
        DutyPeriod.duty_id.in_(case.duties),
        DutyPeriod.state == PeriodState.EXCUSED,
        DutyPeriod.excuse_code.in_(by_end),
        DutyPeriod.approved_by.is_(None),
    )
    for period in session.scalars(query).all():
        period.state, period.settled_on, period.excuse_code = str(PeriodState.DUE), None, None
        periods.touch(period, now=now)
    session.flush()
