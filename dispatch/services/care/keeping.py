"""The day's work of the care calendar: what is over is settled, what is due is made and sent, misses are told."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch import clock, queue
from dispatch.models.care import Contact, DutyPeriod, Enrolment
from dispatch.rules.care.alarming import Level, is_warned, levels_of, reached
from dispatch.rules.care.terms import PeriodState
from dispatch.rules.queue import Lane
from dispatch.services import notify
from dispatch.services.access import policies
from dispatch.services.care import cases, helping, periods
from dispatch.services.care.cases import Case
from dispatch.services.care.ordering import place_due

BATCH = 100
LEVELS = "care.missed_levels"
WARNING, MISSED = "duty_warning", "duty_missed"


def keep_duties(session: Session, period: str) -> int:
    """Enqueue the day's work, a job for every hundred enrolments of a community; returns the number of jobs.

    Each job has its own transaction, so that one batch does not stop the others.
    """
    rows = session.execute(
        select(Enrolment.community_id, Enrolment.id)
        .where(Enrolment.ends_on.is_(None))
        .order_by(Enrolment.community_id, Enrolment.id)
    )
    of_community: dict[int, list[int]] = {}
    for community_id, enrolment_id in rows:
        of_community.setdefault(community_id, []).append(enrolment_id)
    made = 0
    for community_id, ids in of_community.items():
        for first in range(0, len(ids), BATCH):
            batch = ids[first : first + BATCH]
            queue.enqueue(
                session,
                "care.keep_batch",
                lane=Lane.PERIODIC,
                reference=community_id,
                dedupe=f"care.keep_batch:{period}:{batch[0]}",
                first=batch[0],
                last=batch[-1],
            )
            made += 1
    return made


def keep_batch(session: Session, community_id: int, first: int, last: int, *, now: datetime) -> int:
    """Do the day's work of the open enrolments first … last of a community; how many orders were placed."""
    ids = session.scalars(
        select(Enrolment.id).where(
            Enrolment.community_id == community_id, Enrolment.id.between(first, last), Enrolment.ends_on.is_(None)
        )
    ).all()
    found, today = cases.load(session, ids, locked=True), clock.today(now)
    for case in found:
        periods.settle(session, case, today=today, now=now)
    warn(session, found, today=today, now=now)
    escalate(session, found, today=today)
    bench = helping.bench_of(session, community_id, today=today)
    periods.renew(session, found, bench, now=now)
    for case in found:
        helping.ask(bench, case, [period for _, period in case.due()])
    return place_due(session, found, bench, now=now)


def warn(session: Session, found: Sequence[Case], *, today: date, now: datetime) -> None:
    """Warn of what is due soon and not made yet, each once (每月20日提醒)."""
    for case in found:
        for _, period in case.due():
            if period.warned_at is None and is_warned(period.warn_on, today):
                period.warned_at = now
                raise_about(session, WARNING, "notice", case, period=period)
    session.flush()


def escalate(session: Session, found: Sequence[Case], *, today: date) -> None:
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
        met_since = case.home is not None and seen.get(case.home.household_id, date.min) > period.until
        count = reached(levels, period.until, today)
        if count > period.level and not met_since:
            period.level = count
            tell(session, case, period, levels[count - 1])
    session.flush()


def last_seen(session: Session, found: Sequence[Case]) -> dict[int, date]:
    """The last day on which somebody was at each home."""
    homes = {case.home.household_id for case in found if case.home is not None}
    query = select(Contact.household_id, func.max(Contact.day)).where(
        Contact.household_id.in_(homes), Contact.kind == "visit"
    )
    return dict(session.execute(query.group_by(Contact.household_id)).all())


def tell(session: Session, case: Case, period: DutyPeriod, level: Level) -> None:
    """Raise a level's alarm in place of the one below it."""
    if period.level > 1:
        notify.clear_alarms(session, subject=f"duty:{period.duty_id}", kinds=(MISSED,), now=clock.now(session))
    raise_about(session, MISSED, level.level, case, period=period, tell=level.tell, days=level.after_days)


def raise_about(session: Session, kind: str, level: str, case: Case, *, period: DutyPeriod, **facts: str | int) -> None:
    """An alarm about a duty."""
    notify.raise_alarm(
        session,
        kind=kind,
        subject=f"duty:{period.duty_id}",
        level=level,
        community_id=case.enrolment.community_id,
        facts={"duty": str(case.kind_of(period)), "period": period.name, "enrolment": case.enrolment.id, **facts},
    )
