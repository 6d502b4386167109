"""What is said of the periods of duties: soon over, missed level by level. Each has alarms of its own.

So a second miss is told while the first one's alarm stands, and takes nothing from it.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.models.care import Contact, DutyPeriod
from dispatch.rules.care.alarming import Level, is_to_be_told, is_warned, levels_of, reached
from dispatch.rules.care.terms import PeriodState
from dispatch.services import notify
from dispatch.services.access import policies
from dispatch.services.care.cases import Case
from dispatch.services.care.ordering import NOBODY, UNPLACED
from dispatch.services.care.periods import subject_of

LEVELS = "care.missed_levels"
WARNING, MISSED = "duty_warning", "duty_missed"
OF_DUE = (WARNING, NOBODY, UNPLACED)
"""What is said only while there is time left."""


def warn(session: Session, found: Sequence[Case], *, today: date, now: datetime) -> None:
    """Warn of what is due soon and not made yet, each once (每月20日提醒)."""
    for case in found:
        for _, period in case.due():
            if period.warned_at is None and is_warned(period.warn_on, today):
                period.warned_at = now
                raise_about(session, WARNING, "notice", case, period=period)
    session.flush()


def escalate(session: Session, found: Sequence[Case], *, today: date, now: datetime) -> None:
    """Tell of what was missed, level by level, each once, until somebody was there."""
    if not found:
        return
    levels = levels_of(policies.policy(session, found[0].enrolment.community_id, LEVELS))
    case_of = {duty_id: case for case in found for duty_id in case.duties}
    seen = last_seen(session, found)
    rows = session.scalars(
        select(DutyPeriod)
        .where(DutyPeriod.duty_id.in_(case_of), DutyPeriod.state == PeriodState.MISSED, DutyPeriod.level < len(levels))
        .order_by(DutyPeriod.until)
    )
    for period in rows:
        case = case_of[period.duty_id]
        there = seen.get(case.home.household_id) if case.home is not None else None
        count = reached(levels, period.until, today)
        if is_to_be_told(count, period.level, period.until, there):
            period.level = count
            tell(session, case, period, levels[count - 1], now=now)
    session.flush()


def last_seen(session: Session, found: Sequence[Case]) -> dict[int, date]:
    """The last day on which somebody was at each home."""
    homes = {case.home.household_id for case in found if case.home is not None}
    query = select(Contact.household_id, func.max(Contact.day)).where(
        Contact.household_id.in_(homes), Contact.kind == "visit"
    )
    return dict(session.execute(query.group_by(Contact.household_id)).all())


def tell(session: Session, case: Case, period: DutyPeriod, level: Level, *, now: datetime) -> None:
    """Raise a level's alarm of a miss in place of its own one below."""
    if period.level > 1:
        notify.clear_alarms(session, subject=subject_of(period), kinds=(MISSED,), now=now)
    raise_about(session, MISSED, level.level, case, period=period, tell=level.tell, days=level.after_days)


def raise_about(session: Session, kind: str, level: str, case: Case, *, period: DutyPeriod, **facts: str | int) -> None:
    """An alarm about a period."""
    notify.raise_alarm(
        session,
        kind=kind,
        subject=subject_of(period),
        level=level,
        community_id=case.enrolment.community_id,
        facts={"duty": str(case.kind_of(period)), "period": period.name, "enrolment": case.enrolment.id, **facts},
    )


def hush(
    session: Session, periods: Iterable[DutyPeriod], *, kinds: Collection[str] | None = None, now: datetime
) -> None:
    """These periods are no alarm any more; or no alarm of these kinds."""
    notify.clear_together(session, [subject_of(one) for one in periods], kinds=kinds, now=now)


def hush_settled(session: Session, settled: Sequence[DutyPeriod], *, now: datetime) -> None:
    """What is over is not soon over any more; what was excused by rule is no alarm at all."""
    missed = [one for one in settled if one.state == PeriodState.MISSED]
    hush(session, missed, kinds=OF_DUE, now=now)
    hush(session, [one for one in settled if one.state != PeriodState.MISSED], now=now)


def hush_missed(session: Session, duty_ids: Collection[int], *, now: datetime) -> None:
    """Somebody was there: what was missed of these duties is no alarm any more."""
    hush(session, missed_of(session, duty_ids), kinds=(MISSED,), now=now)


def hush_ended(session: Session, found: Iterable[Case], *, now: datetime) -> None:
    """Who has left a programme is owed nothing by it, neither what is open nor what was missed."""
    found = list(found)
    open_ones = [one for case in found for periods in case.periods.values() for one in periods]
    missed = missed_of(session, [duty_id for case in found for duty_id in case.duties])
    hush(session, {one.id: one for one in (*open_ones, *missed)}.values(), now=now)


def missed_of(session: Session, duty_ids: Collection[int]) -> Sequence[DutyPeriod]:
    """What was missed of some duties and told."""
    query = select(DutyPeriod).where(
        DutyPeriod.duty_id.in_(duty_ids), DutyPeriod.state == PeriodState.MISSED, DutyPeriod.level > 0
    )
    return session.scalars(query).all()
