"""Days on which somebody cannot be visited: in hospital or away. Orders to an empty home are withdrawn."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.care import Absence, DutyPeriod, Enrolment
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import Actor
from dispatch.rules.care import excuses
from dispatch.rules.care.terms import AbsenceKind, Excuse, PeriodState
from dispatch.services.access import audit
from dispatch.services.care import cases, misses, part, periods
from dispatch.services.care.cases import Case
from dispatch.services.care.checks import resident_in_reach
from dispatch.services.care.ordering import withdraw

NOBODY_HOME = "近日家中无人,暂不上门"


class ByDischarge(Conflict):
    """住院要按“出院”登记,不能在这里结束"""


class DaysKnown(Conflict):
    """这些天里有的已经登记过不在家,请先核对日子"""


def begin_absence(
    session: Session,
    resident_id: int,
    kind: AbsenceKind,
    *,
    starts_on: date,
    until: date | None = None,
    actor: Actor,
    now: datetime,
) -> Absence:
    """Somebody is in hospital or away from a day on; said twice is said once.

    Who is away on that day already, as one who comes back to hospital on the day of the discharge, is away on. Raises
    Invalid naming the field, DaysKnown.
    """
    resident = resident_in_reach(session, resident_id, actor=actor)
    if until is not None and until < starts_on:
        raise Invalid("until", "结束的日子不能早于开始")
    made = open_absence(session, resident_id, kind) or absence_on(session, resident_id, kind, starts_on)
    if made is not None and (made.until is None or (until is not None and until <= made.until)):
        return made
    made = made or Absence(
        community_id=resident.community_id,
        resident_id=resident_id,
        kind=str(kind),
        starts_on=starts_on,
        recorded_by=actor.user_id,
        recorded_at=now,
    )
    keep(session, made, until=until)
    audit.record(session, "care.begin_absence", "absences", made.id, actor=actor, community_id=made.community_id)
    follow(session, resident, made, now=now)
    return made


def keep(session: Session, absence: Absence, *, until: date | None) -> None:
    """Write an absence until a day; raises DaysKnown where another of its kind has some of its days."""
    try:
        with session.begin_nested():
            absence.until = until
            session.add(absence)
    except IntegrityError as error:
        raise DaysKnown from error


def absence_on(session: Session, resident_id: int, kind: AbsenceKind, day: date) -> Absence | None:
    """The absence of a kind that has a day in it, locked."""
    return session.scalars(
        select(Absence)
        .where(
            Absence.resident_id == resident_id,
            Absence.kind == str(kind),
            Absence.starts_on <= day,
            Absence.until >= day,
        )
        .with_for_update()
    ).one_or_none()


def open_absence(session: Session, resident_id: int, kind: AbsenceKind) -> Absence | None:
    """The absence of a kind that goes on, locked."""
    return session.scalars(
        select(Absence)
        .where(Absence.resident_id == resident_id, Absence.kind == str(kind), Absence.until.is_(None))
        .with_for_update()
    ).one_or_none()


def end_absence(session: Session, resident_id: int, kind: AbsenceKind, *, until: date, actor: Actor) -> Absence | None:
    """Somebody came home; `until` is the last day of the absence. None when none went on."""
    found = open_absence(session, resident_id, kind)
    if found is None:
        return None
    found.until = max(until, found.starts_on)
    session.flush()
    audit.record(session, "care.end_absence", "absences", found.id, actor=actor, community_id=found.community_id)
    return found


def end_away(session: Session, absence_id: int, *, until: date, actor: Actor) -> Absence:
    """Somebody who stayed elsewhere is home.

    Raises NotFound, Invalid("until"), ByDischarge for a stay in hospital, DaysKnown.
    """
    found = session.scalars(
        select(Absence).where(Absence.id == absence_id, part.visible(Absence, actor)).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound
    if found.kind == AbsenceKind.HOSPITAL:
        raise ByDischarge
    if until < found.starts_on:
        raise Invalid("until", "结束的日子不能早于开始")
    keep(session, found, until=until)
    audit.record(session, "care.end_absence", "absences", found.id, actor=actor, community_id=found.community_id)
    return found


def follow(session: Session, resident: Resident, absence: Absence, *, now: datetime) -> None:
    """Withdraw the orders to homes where nobody is, and excuse what a stay that is known only now had excused."""
    query = select(Enrolment.id).where(
        Enrolment.ends_on.is_(None),
        or_(Enrolment.resident_id == resident.id, Enrolment.household_id == resident.household_id),
    )
    found = cases.load(session, list(session.scalars(query)), locked=True)
    empty = [case for case in found if case.is_away(clock.today(now))]
    withdraw(session, [period for case in empty for _, period in case.due()], reason=NOBODY_HOME, now=now)
    if absence.kind == AbsenceKind.HOSPITAL:
        excuse_late(session, found, absence.starts_on, now=now)


def excuse_late(session: Session, found: Sequence[Case], since: date, *, now: datetime) -> int:
    """Excuse what was missed while somebody was in hospital and nobody knew, and end its alarms; how many."""
    case_of = {duty_id: case for case in found for duty_id in case.duties}
    rows = session.scalars(
        select(DutyPeriod).where(
            DutyPeriod.duty_id.in_(case_of), DutyPeriod.state == PeriodState.MISSED, DutyPeriod.until >= since
        )
    ).all()
    excused = []
    for period in rows:
        case = case_of[period.duty_id]
        stay = excuses.excused_by(case.kind_of(period), period.starts_on, period.until, case.stays())
        if stay is not None:
            periods.excuse(period, Excuse.HOSPITAL, absence_id=stay, now=now)
            excused.append(period)
    session.flush()
    misses.hush(session, excused, now=now)
    return len(excused)
