"""Who is enrolled, from when until when; what they are owed begins and ends with it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.db import constraint_of
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.care import Duty, Enrolment, Programme
from dispatch.models.grid import Household, Resident
from dispatch.rules.access.roles import Actor
from dispatch.rules.care import eligibility
from dispatch.rules.care.terms import OWED_BY, End
from dispatch.rules.care.terms import Programme as Kind
from dispatch.services.access import audit, policies, vault
from dispatch.services.care import cases, helping, misses, part, periods
from dispatch.services.care.checks import resident_in_reach
from dispatch.services.care.ordering import sent_for, withdraw
from dispatch.services.care.programmes import find_programme

LONGEST_REASON = 500
DAYS_BACK = "care.enrol_days_back"
EXCLUSION_VIOLATION = "23P01"


class AlreadyEnrolled(Conflict):
    """已经在这个项目里了"""


class ProgrammeFull(Conflict):
    """这个项目的名额已满,请先调整名额或等有人退出"""


class EnrolmentEnded(Conflict):
    """已经退出这个项目"""


@dataclass(frozen=True, slots=True)
class EnrolmentDraft:
    """Who is to be enrolled: a household for pairing, else a resident; from which day (today without one).

    `is_couple`: the two of the home are husband and wife, whatever their ages are.
    """

    programme: str
    household_id: int | None = None
    resident_id: int | None = None
    starts_on: date | None = None
    is_couple: bool = False


def enrol(session: Session, draft: EnrolmentDraft, *, actor: Actor, now: datetime) -> Enrolment:
    """Enrol a household or person: their duties begin, and the first periods stand at once.

    Raises Invalid naming the field, AlreadyEnrolled, ProgrammeFull.
    """
    community_id = community_of(session, draft, actor=actor)
    programme = find_programme(session, community_id, draft.programme)
    day = draft.starts_on or clock.today(now)
    check(session, programme, draft, day, now=now)
    enrolment = Enrolment(
        uid=uuid4(),
        community_id=community_id,
        programme_id=programme.id,
        household_id=draft.household_id,
        resident_id=draft.resident_id,
        starts_on=day,
        checked_on=clock.today(now),
        is_couple=draft.is_couple,
        enrolled_by=actor.user_id,
        enrolled_at=now,
        version=1,
    )
    keep(session, enrolment)
    owes = OWED_BY[Kind(programme.kind)]
    session.add_all([Duty(community_id=community_id, enrolment_id=enrolment.id, kind=str(kind)) for kind in owes])
    session.flush()
    audit.record(session, "care.enrol", "enrolments", enrolment.id, actor=actor, community_id=community_id)
    found = cases.load(session, [enrolment.id], locked=True)
    periods.renew(session, found, helping.bench_of(session, community_id, today=clock.today(now)), now=now)
    return enrolment


def keep(session: Session, enrolment: Enrolment) -> None:
    """Insert it; the database counts the places, and refuses a second one and one for who has left."""
    try:
        with session.begin_nested():
            session.add(enrolment)
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == EXCLUSION_VIOLATION:
            raise AlreadyEnrolled from error
        name = constraint_of(error)
        if name == "places_of_programme":
            raise ProgrammeFull from error
        if name == "who_left":
            field = "household_id" if enrolment.household_id is not None else "resident_id"
            raise Invalid(field, "这一户已经没有人在本社区居住,不能再加入") from error
        raise


def community_of(session: Session, draft: EnrolmentDraft, *, actor: Actor) -> int:
    """The community of whom is to be enrolled, in reach; raises Invalid for the other kind of subject or none."""
    wants_household = draft.programme in {str(kind) for kind in eligibility.OF_HOUSEHOLDS}
    if draft.programme not in set(Kind):
        raise Invalid("programme", "请选择一个项目")
    if wants_household:
        if draft.household_id is None or draft.resident_id is not None:
            raise Invalid("household_id", "结对按户登记,请选择住户")
        found = session.scalars(
            select(Household.community_id).where(Household.id == draft.household_id, part.visible(Household, actor))
        ).one_or_none()
        if found is None:
            raise Invalid("household_id", "没有这一户,请重新选择")
        return found
    if draft.resident_id is None or draft.household_id is not None:
        raise Invalid("resident_id", "这个项目按人登记,请选择居民")
    resident = resident_in_reach(session, draft.resident_id, actor=actor)
    part.check_resident(session, resident, actor=actor)
    return resident.community_id


def check(session: Session, programme: Programme, draft: EnrolmentDraft, day: date, *, now: datetime) -> None:
    """Refuse whom the programme is not for on the day of pairing, and a day long past or to come."""
    today, days = clock.today(now), int(policies.policy(session, programme.community_id, DAYS_BACK))
    if not today - timedelta(days=days) <= day <= today:
        raise Invalid("starts_on", "加入的日子请填今天或最近%(days)s天以内", days=days)
    eligibility.check_enrolment(
        births_at(session, draft.household_id, draft.resident_id),
        day,
        least_age=programme.least_age,
        empty_nest=programme.empty_nest,
        field="household_id" if draft.household_id is not None else "resident_id",
        is_couple=draft.is_couple,
    )


def births_at(session: Session, household_id: int | None, resident_id: int | None) -> list[date | None]:
    """The birth dates of who lives in a home, of a person's home the person's first."""
    if household_id is None:
        own = select(Resident.household_id).where(Resident.id == resident_id)
        home = Resident.household_id == own.scalar_subquery()
    else:
        home = Resident.household_id == household_id
    rows = session.execute(
        select(Resident.birth_date)
        .where(home, Resident.left_at.is_(None))
        .order_by(Resident.id != (resident_id or 0), Resident.id)
    )
    return list(rows.scalars())


def find_enrolment(session: Session, enrolment_id: int, *, actor: Actor) -> Enrolment:
    """The enrolment, if the actor may see it; others are NotFound like missing ones."""
    found = session.scalars(
        select(Enrolment).where(Enrolment.id == enrolment_id, part.visible(Enrolment, actor))
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def end_enrolment(
    session: Session,
    enrolment_id: int,
    *,
    code: str,
    reason: str,
    ends_on: date | None = None,
    actor: Actor,
    now: datetime,
) -> Enrolment:
    """End an enrolment: what is open is excused with it, its orders are withdrawn. Raises NotFound, EnrolmentEnded."""
    find_enrolment(session, enrolment_id, actor=actor)
    if code not in set(End):
        raise Invalid("code", "请选择为什么退出")
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Invalid("reason", "请写明原因,不超过500字")
    day = ends_on or clock.today(now)
    if day > clock.today(now) + timedelta(days=1) or (code != End.DIED and day < clock.today(now)):
        raise Invalid("ends_on", "退出的日子请填今天")
    return end_cases(session, [enrolment_id], code=End(code), reason=reason, ends_on=day, actor=actor, now=now)[0]


def end_cases(
    session: Session, ids: Sequence[int], *, code: End, reason: str, ends_on: date, actor: Actor, now: datetime
) -> list[Enrolment]:
    """End several enrolments in the caller's transaction, as a death does; those ended already stay as they are."""
    found = [one for one in cases.load(session, ids, locked=True) if one.enrolment.ends_on is None]
    if not found:
        raise EnrolmentEnded
    for case in found:
        periods.settle(session, case, today=clock.today(now), now=now)
        enrolment = case.enrolment
        enrolment.ends_on, enrolment.end_code = max(ends_on, enrolment.starts_on), str(code)
        enrolment.end_reason = vault.seal(f"enrolments.end_reason.{enrolment.uid}", reason)
        enrolment.ended_by, enrolment.ended_at = actor.user_id, now
        enrolment.version += 1
        for paired in case.paired:
            paired.ends_on = max(enrolment.ends_on, paired.starts_on)
    session.flush()
    periods.excuse_ended(session, found, now=now)
    misses.hush_ended(session, found, now=now)
    withdraw(session, sent_for(session, found), reason="已退出关爱项目", now=now)
    for case in found:
        one = case.enrolment
        audit.record(
            session, "care.end_enrolment", "enrolments", one.id, actor=actor, community_id=one.community_id,
            fields={"code": str(code)},
        )  # fmt: skip
    return [case.enrolment for case in found]
