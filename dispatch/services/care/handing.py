"""Helpers come and go: paired and unpaired, on leave or gone for good; what they were asked for goes to others."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.care import Duty, DutyHandover, DutyPeriod, HelperLeave, PairedHelper
from dispatch.models.catalogue import Performer, PerformerService, Service
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.sharing import Leave
from dispatch.rules.care.terms import DutyKind, HelperKind, PeriodState
from dispatch.services import notify
from dispatch.services.access import audit, reach
from dispatch.services.care import cases, helping, part, periods
from dispatch.services.care.cases import Case
from dispatch.services.care.enrolling import EXCLUSION_VIOLATION, EnrolmentEnded, find_enrolment
from dispatch.services.care.helping import SERVICE_OF
from dispatch.services.care.ordering import NOBODY, place_due, withdraw
from dispatch.services.care.schedules import give_to_others

GIVEN_TO_ANOTHER = "改由另一位帮扶人上门"


class AlreadyPaired(Conflict):
    """这位帮扶人已经与这一户结对"""


class AlreadyOnLeave(Conflict):
    """这位帮扶人在这些天已经请假"""


class NotOpen(Conflict):
    """这一次已经有了结果,不用再换人"""


def pair(
    session: Session, enrolment_id: int, performer_id: int, *, kind: str, actor: Actor, now: datetime
) -> PairedHelper:
    """Pair a helper with an enrolment from today on. Raises NotFound, Invalid, EnrolmentEnded, AlreadyPaired."""
    enrolment = find_enrolment(session, enrolment_id, actor=actor)
    if enrolment.ends_on is not None:
        raise EnrolmentEnded
    if kind not in set(HelperKind):
        raise Invalid("kind", "请选择社区工作者、党员或志愿者")
    helper_in_reach(session, performer_id, enrolment.community_id)
    does = check_able(session, performer_id, enrolment.id)
    made = PairedHelper(
        community_id=enrolment.community_id,
        enrolment_id=enrolment.id,
        performer_id=performer_id,
        kind=kind,
        starts_on=clock.today(now),
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == EXCLUSION_VIOLATION:
            raise AlreadyPaired from error
        raise
    audit.record(session, "care.pair", "pairing_helpers", made.id, actor=actor, community_id=enrolment.community_id)
    at_home = cases.same_home(session, enrolment)
    meant = [period for period, kind in without_helper(session, at_home) if SERVICE_OF[DutyKind(kind)] in does]
    give_again(session, at_home, meant, code="swap", actor=actor, now=now)
    return made


def helper_in_reach(session: Session, performer_id: int, community_id: int) -> Performer:
    """A helper or worker of the community, in use; raises Invalid("performer_id")."""
    found = session.scalars(
        select(Performer).where(
            Performer.id == performer_id,
            Performer.community_id == community_id,
            Performer.kind != "firm",
            Performer.is_active,
        )
    ).one_or_none()
    if found is None:
        raise Invalid("performer_id", "没有这位帮扶人,请重新选择")
    return found


def check_able(session: Session, performer_id: int, enrolment_id: int) -> set[str]:
    """The kinds of visits and calls that a helper makes; raises Invalid("performer_id") for none that is owed."""
    owed = session.scalars(select(Duty.kind).where(Duty.enrolment_id == enrolment_id))
    does = (
        select(Service.code)
        .join(PerformerService, PerformerService.service_id == Service.id)
        .where(PerformerService.performer_id == performer_id, Service.code.in_(helping.OF_DUTIES))
    )
    found = set(session.scalars(does))
    if not found & {SERVICE_OF[DutyKind(kind)] for kind in owed}:
        raise Invalid("performer_id", "这位帮扶人不做这个项目的上门或电话,请换一位")
    return found


def without_helper(session: Session, enrolment_ids: Sequence[int]) -> list[tuple[DutyPeriod, str]]:
    """The due periods of enrolments for which nobody is asked, or somebody who is paired with none of them."""
    paired = select(PairedHelper.performer_id).where(
        PairedHelper.enrolment_id.in_(enrolment_ids), PairedHelper.ends_on.is_(None)
    )
    query = (
        select(DutyPeriod, Duty.kind)
        .join(Duty, Duty.id == DutyPeriod.duty_id)
        .where(Duty.enrolment_id.in_(enrolment_ids), DutyPeriod.state == PeriodState.DUE)
        .where(DutyPeriod.helper_id.is_(None) | DutyPeriod.helper_id.not_in(paired))
        .order_by(DutyPeriod.id)
    )
    return [(row[0], row[1]) for row in session.execute(query)]


def find_pairing(session: Session, pairing_id: int, *, actor: Actor) -> PairedHelper:
    """A pairing in reach, locked; raises NotFound."""
    found = session.scalars(
        select(PairedHelper).where(PairedHelper.id == pairing_id, part.visible(PairedHelper, actor)).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def unpair(session: Session, pairing_id: int, *, actor: Actor, now: datetime) -> PairedHelper:
    """End a pairing today; what was asked of the helper there goes to others. Raises NotFound."""
    found = find_pairing(session, pairing_id, actor=actor)
    if found.ends_on is None:
        found.ends_on = max(clock.today(now), found.starts_on)
        session.flush()
        audit.record(session, "care.unpair", "pairing_helpers", found.id, actor=actor, community_id=found.community_id)
        asked = asked_of(session, found.performer_id, enrolment_id=found.enrolment_id)
        give_again(session, [found.enrolment_id], asked, code="unpaired", actor=actor, now=now)
    return found


def asked_of(session: Session, performer_id: int, *, enrolment_id: int | None = None) -> list[DutyPeriod]:
    """The due periods for which a helper is asked, of one enrolment or of all."""
    query = (
        select(DutyPeriod)
        .join(Duty, Duty.id == DutyPeriod.duty_id)
        .where(DutyPeriod.helper_id == performer_id, DutyPeriod.state == PeriodState.DUE)
    )
    if enrolment_id is not None:
        query = query.where(Duty.enrolment_id == enrolment_id)
    return list(session.scalars(query.order_by(DutyPeriod.planned_on, DutyPeriod.id)))


def record_leave(
    session: Session, performer_id: int, *, starts_on: date, until: date | None, actor: Actor, now: datetime
) -> HelperLeave:
    """A helper cannot come for some days, or (`until` None) at all any more: what they were asked for goes to others.

    No reason is asked. Raises NotFound, Invalid, AlreadyOnLeave.
    """
    helper = helper_seen(session, performer_id, actor=actor)
    today = clock.today(now)
    if starts_on < today or (until is not None and until < starts_on):
        raise Invalid("until" if starts_on >= today else "starts_on", "请假的日子请从今天起,结束不早于开始")
    made = keep_leave(session, helper, starts_on, until, actor=actor, now=now)
    if until is None:
        end_pairings(session, performer_id, starts_on)
    pass_on(session, performer_id, Leave(starts_on, until), actor=actor, now=now)
    return made


def pass_on(session: Session, performer_id: int, leave: Leave, *, actor: Actor, now: datetime) -> None:
    """What a helper was asked for in the days of a leave goes to others: duties and planned visits."""
    today = clock.today(now)
    meant = [one for one in asked_of(session, performer_id) if leave.covers(max(one.planned_on, today))]
    give_again(
        session,
        periods.owners_of(session, [one.id for one in meant]),
        meant,
        code="leave" if leave.until else "left",
        actor=actor,
        now=now,
    )
    give_to_others(session, performer_id, leave, reason=GIVEN_TO_ANOTHER, now=now)


def keep_leave(
    session: Session, helper: Performer, starts_on: date, until: date | None, *, actor: Actor, now: datetime
) -> HelperLeave:
    """Keep a leave; raises AlreadyOnLeave for days that are taken."""
    made = HelperLeave(
        community_id=helper.community_id,
        performer_id=helper.id,
        starts_on=starts_on,
        until=until,
        recorded_by=actor.user_id,
        recorded_at=now,
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError as error:
        if getattr(error.orig, "sqlstate", None) == EXCLUSION_VIOLATION:
            raise AlreadyOnLeave from error
        raise
    audit.record(session, "care.record_leave", "helper_leaves", made.id, actor=actor, community_id=made.community_id)
    return made


def end_leave(session: Session, leave_id: int, *, until: date, actor: Actor) -> HelperLeave:
    """A helper is back: `until` is the last day of the leave. Raises NotFound, Invalid("until")."""
    found = session.scalars(
        select(HelperLeave).where(HelperLeave.id == leave_id, reach.visible(HelperLeave, actor)).with_for_update()
    ).one_or_none()
    if found is None:
        raise NotFound
    if until < found.starts_on or (found.until is not None and until > found.until):
        raise Invalid("until", "请填请假期间的一天")
    found.until = until
    session.flush()
    audit.record(session, "care.end_leave", "helper_leaves", found.id, actor=actor, community_id=found.community_id)
    return found


def helper_seen(session: Session, performer_id: int, *, actor: Actor) -> Performer:
    """A helper or worker in reach; raises NotFound."""
    found = session.scalars(
        select(Performer).where(
            Performer.id == performer_id,
            Performer.kind != "firm",
            Performer.community_id.is_not(None),
            reach.visible(Performer, actor),
        )
    ).one_or_none()
    if found is None:
        raise NotFound
    return found


def end_pairings(session: Session, performer_id: int, day: date) -> list[int]:
    """A helper who leaves is paired with nobody any more; the pairings that ended."""
    rows = select(PairedHelper).where(PairedHelper.performer_id == performer_id, PairedHelper.ends_on.is_(None))
    found = session.scalars(rows.with_for_update()).all()
    for paired in found:
        paired.ends_on = max(day, paired.starts_on)
    session.flush()
    return [one.id for one in found]


def swap(session: Session, period_id: int, performer_id: int, *, actor: Actor, now: datetime) -> DutyPeriod:
    """Give what is due to another helper by hand. Raises NotFound, Invalid, NotOpen."""
    period = session.scalars(
        select(DutyPeriod).where(DutyPeriod.id == period_id, part.visible(DutyPeriod, actor))
    ).one_or_none()
    if period is None:
        raise NotFound
    found = cases.load(session, periods.owners_of(session, [period.id]), locked=True)
    if period.state != PeriodState.DUE:
        raise NotOpen
    bench = helping.bench_of(session, period.community_id, today=clock.today(now))
    case = found[0]
    able = {one.id for one in bench.able(SERVICE_OF[case.kind_of(period)], case.home.area_id)} if case.home else set()
    if performer_id not in able or not bench.can(performer_id, max(period.planned_on, clock.today(now))):
        raise Invalid("performer_id", "这位帮扶人不做这项服务、不在这个片区或者请假,请换一位")
    withdraw(session, [period], reason=GIVEN_TO_ANOTHER, now=now)
    hand_over(session, period, performer_id, code="swap", actor=actor, now=now)
    audit.record(session, "care.swap", "duty_periods", period.id, actor=actor, community_id=period.community_id)
    place_due(session, found, bench, now=now)
    return period


def give_again(
    session: Session,
    enrolment_ids: Sequence[int],
    meant: Sequence[DutyPeriod],
    *,
    code: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Ask others for these due periods: their orders are withdrawn, and an alarm says where nobody can come."""
    if not meant:
        return
    found = cases.load(session, enrolment_ids, locked=True)
    bench = helping.bench_of(session, meant[0].community_id, today=clock.today(now))
    withdraw(session, meant, reason=GIVEN_TO_ANOTHER, now=now)
    case_of = {duty_id: case for case in found for duty_id in case.duties}
    for period in meant:
        case = case_of[period.duty_id]
        chosen = bench.choose(case, case.kind_of(period), max(period.planned_on, clock.today(now)))
        hand_over(session, period, chosen, code=code, actor=actor, now=now)
        if chosen is None:
            tell_nobody(session, period, case)
    place_due(session, found, bench, now=now)


def tell_nobody(session: Session, period: DutyPeriod, case: Case) -> None:
    """Alarm the desk: nobody can come."""
    notify.raise_alarm(
        session,
        kind=NOBODY,
        subject=periods.subject_of(period),
        level="warning",
        community_id=period.community_id,
        facts={"duty": str(case.kind_of(period)), "enrolment": case.enrolment.id},
    )


def hand_over(
    session: Session, period: DutyPeriod, performer_id: int | None, *, code: str, actor: Actor, now: datetime
) -> None:
    """Note that a period goes from one helper to another, which calendars tell."""
    if period.helper_id == performer_id:
        return
    session.add(
        DutyHandover(
            community_id=period.community_id,
            period_id=period.id,
            from_id=period.helper_id,
            to_id=performer_id,
            code=code,
            made_by=actor.user_id,
            made_at=now,
        )
    )
    period.helper_id = performer_id
    periods.touch(period, now=now)
    session.flush()
