"""Periods of duties: made ahead, and settled when they are over."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import Duty, DutyPeriod
from dispatch.rules.care import excuses, periods
from dispatch.rules.care.periods import MONTHS_OF, Period, Terms
from dispatch.rules.care.terms import DutyKind, Excuse, PeriodState
from dispatch.services.access import policies
from dispatch.services.care.cases import Case
from dispatch.services.care.helping import Bench, ask

POLICIES = (
    "care.visit_interval_days",
    "care.greeting_gap_days",
    "care.return_visit_enrol_day",
    "care.return_visit_warning_day",
    "care.periods_days_ahead",
)


def terms_of(session: Session, community_id: int) -> tuple[Terms, timedelta]:
    """The Q values that periods are made by, and how far ahead they are."""
    values = policies.policies(session, community_id, POLICIES)
    least, most = values["care.greeting_gap_days"]
    terms = Terms(
        visit_days=int(values["care.visit_interval_days"]),
        greeting_least=int(least),
        greeting_most=int(most),
        enrol_day=int(values["care.return_visit_enrol_day"]),
        warning_day=int(values["care.return_visit_warning_day"]),
    )
    return terms, timedelta(days=int(values["care.periods_days_ahead"]))


def renew(session: Session, cases: Iterable[Case], bench: Bench, *, now: datetime) -> list[DutyPeriod]:
    """Make the periods that the cases owe next, each with its helper; the new ones.

    Of the calendar as far ahead as the policy says; those that count from the last time as soon as that is known.
    """
    made: list[DutyPeriod] = []
    for case in cases:
        if case.enrolment.ends_on is not None:
            continue
        terms, ahead = terms_of(session, case.enrolment.community_id)
        for duty in case.duties.values():
            fresh = [row_of(duty, one, now) for one in owed(case, duty, terms, clock.today(now) + ahead)]
            case.periods[duty.id] += fresh
            ask(bench, case, fresh)
            made += fresh
    session.add_all(made)
    session.flush()
    return made


def owed(case: Case, duty: Duty, terms: Terms, horizon: date) -> list[Period]:
    """The periods of a duty that are not there yet."""
    kind, found = DutyKind(duty.kind), []
    known = case.periods[duty.id]
    if not known:
        found.append(periods.first_period(kind, duty.id, case.enrolment.starts_on, terms))
    elif kind not in MONTHS_OF and known[-1].state != PeriodState.DUE:
        settled_on = known[-1].settled_on or known[-1].until
        found.append(periods.next_period(kind, duty.id, value_of(known[-1]), settled_on, terms))
    newest = found[-1] if found else value_of(known[-1])
    while kind in MONTHS_OF and newest.until < horizon:
        newest = periods.next_period(kind, duty.id, newest, newest.until, terms)
        found.append(newest)
    return found


def value_of(row: DutyPeriod) -> Period:
    """A stored period as the rules have it."""
    return Period(row.number, row.name, row.starts_on, row.planned_on, row.warn_on, row.until)


def row_of(duty: Duty, period: Period, now: datetime) -> DutyPeriod:
    """A period to be kept."""
    return DutyPeriod(
        uid=uuid4(),
        community_id=duty.community_id,
        duty_id=duty.id,
        number=period.number,
        name=period.name,
        starts_on=period.starts_on,
        planned_on=period.planned_on,
        warn_on=period.warn_on,
        until=period.until,
        state=str(PeriodState.DUE),
        level=0,
        version=1,
        changed_at=now,
    )


def settle(session: Session, case: Case, *, today: date, now: datetime) -> list[DutyPeriod]:
    """Settle the due periods of a case that are over: excused by a hospital stay, else missed; those settled."""
    settled = []
    for kind, period in case.due():
        if period.until >= today:
            continue
        stay = excuses.excused_by(kind, period.starts_on, period.until, case.stays())
        if stay is not None:
            excuse(period, Excuse.HOSPITAL, absence_id=stay, now=now)
        else:
            change(period, PeriodState.MISSED, period.until, now=now)
        settled.append(period)
    session.flush()
    return settled


def change(period: DutyPeriod, state: PeriodState, settled_on: date, *, now: datetime) -> None:
    """Settle a period."""
    period.state, period.settled_on = str(state), settled_on
    touch(period, now=now)


def subject_of(period: DutyPeriod) -> str:
    """What an alarm about a period is about."""
    return f"duty_period:{period.id}"


def touch(period: DutyPeriod, *, now: datetime) -> None:
    """A period has changed: its number in calendars grows."""
    period.version += 1
    period.changed_at = now


def excuse(period: DutyPeriod, code: Excuse, *, absence_id: int | None = None, now: datetime) -> None:
    """Excuse a period by rule."""
    period.excuse_code, period.absence_id = str(code), absence_id
    change(period, PeriodState.EXCUSED, period.settled_on or period.until, now=now)


def excuse_ended(session: Session, cases: Sequence[Case], *, now: datetime) -> list[DutyPeriod]:
    """Excuse what an ended enrolment owes no more, with its end; of a death also what was already missed by then."""
    excused: list[DutyPeriod] = []
    for case in cases:
        ends_on, end_code = case.enrolment.ends_on, case.enrolment.end_code
        if ends_on is None or end_code is None:
            continue
        code = excuses.excuse_of_end(end_code)
        states = [PeriodState.DUE] + [PeriodState.MISSED] * (code is Excuse.DIED)
        rows = session.scalars(
            select(DutyPeriod).where(
                DutyPeriod.duty_id.in_(case.duties),
                DutyPeriod.state.in_(states),
                DutyPeriod.until >= ends_on - periods.ONE_DAY,
            )
        ).all()
        for period in rows:
            excuse(period, code, now=now)
        excused += rows
    session.flush()
    return excused


def owners_of(session: Session, period_ids: Sequence[int]) -> list[int]:
    """The enrolments that periods belong to, by id."""
    query = (
        select(Duty.enrolment_id)
        .join(DutyPeriod, DutyPeriod.duty_id == Duty.id)
        .where(DutyPeriod.id.in_(period_ids))
        .distinct()
        .order_by(Duty.enrolment_id)
    )
    return list(session.scalars(query))
