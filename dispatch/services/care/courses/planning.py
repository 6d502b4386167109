"""Planning: a course with its places and sessions, and the log of single activities."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.models.care import Activity, Certificate, Course, CourseMember, CourseSession
from dispatch.models.catalogue import Service
from dispatch.rules.access.roles import Actor
from dispatch.rules.care import courses as rule
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit, reach
from dispatch.services.care.counselling.counsellors import kinds_offered
from dispatch.services.grid.build import demand_community

GROUP = "group"
MOST_SHOWN = 100
SUMS = ("seated", "waiting", "certified", "employed")


class KnownAlready(Conflict):
    """同一天已经有一个同名的，请改一下名称"""


@dataclass(frozen=True, slots=True)
class CourseDraft:
    """A course to be: which group service, its name, with whom, where, from when until when, how many places."""

    service_id: int
    name: str
    place: str
    starts_on: date
    ends_on: date
    places: int
    partner: str = ""


@dataclass(frozen=True, slots=True)
class CourseSum:
    """A course with its service and how many have a seat, wait, hold a certificate, and work since."""

    course: Course
    service: str
    seated: int
    waiting: int
    certified: int
    employed: int


def group_kinds(session: Session, community_id: int) -> Sequence[Service]:
    """The group services that are in use in a community."""
    return kinds_offered(session, community_id, GROUP)


def open_course(session: Session, community_id: int, draft: CourseDraft, *, actor: Actor) -> Course:
    """Open a course; raises NotFound, Invalid naming the field, KnownAlready."""
    demand_community(actor, community_id)
    demand_kind(session, community_id, draft.service_id)
    if draft.ends_on < draft.starts_on:
        raise Invalid("ends_on", "结束的日子不能早于开始的日子")
    if not 1 <= draft.places <= rule.MOST_PLACES:
        raise Invalid("places", "名额请填1到500")
    made = Course(
        community_id=community_id,
        service_id=draft.service_id,
        name=needed("name", draft.name, rule.LONGEST_NAME),
        partner=check_text("partner", draft.partner, rule.LONGEST_NAME),
        place=needed("place", draft.place, rule.LONGEST_PLACE),
        starts_on=draft.starts_on,
        ends_on=draft.ends_on,
        places=draft.places,
        created_by=actor.user_id,
    )
    keep_new(session, made)
    note(session, "open_course", made, actor=actor)
    return made


def add_session(
    session: Session, course_id: int, begins: datetime, ends: datetime, topic: str, *, actor: Actor
) -> CourseSession:
    """Plan a time at which a course meets; raises NotFound, Invalid naming the field, SessionsOverlap."""
    course = find_course(session, course_id, actor=actor, locked=True)
    rule.check_session(begins, ends)
    if not course.starts_on <= clock.today(begins) <= course.ends_on:
        raise Invalid("begins", "上课的日子要在课程的起止日期之内")
    made = CourseSession(
        community_id=course.community_id,
        course_id=course.id,
        during=Range(begins, ends),
        topic=needed("topic", topic, rule.LONGEST_TOPIC),
        created_by=actor.user_id,
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError as error:
        raise rule.SessionsOverlap from error
    note(session, "plan_course_session", course, actor=actor)
    return made


def log_activity(
    session: Session,
    community_id: int,
    service_id: int,
    title: str,
    place: str,
    *,
    held_on: date,
    present: int,
    actor: Actor,
    now: datetime,
) -> Activity:
    """Write down what was held, where and how many came; raises NotFound, Invalid naming the field, KnownAlready."""
    demand_community(actor, community_id)
    demand_kind(session, community_id, service_id)
    if held_on > clock.today(now):
        raise Invalid("held_on", "活动的日子还没有到")
    if not 1 <= present <= rule.MOST_PRESENT:
        raise Invalid("present", "请填来了多少人，至少1人")
    made = Activity(
        community_id=community_id,
        service_id=service_id,
        held_on=held_on,
        title=needed("title", title, rule.LONGEST_NAME),
        place=needed("place", place, rule.LONGEST_PLACE),
        present=present,
        created_by=actor.user_id,
    )
    keep_new(session, made)
    audit.record(session, "care.log_activity", "activities", made.id, actor=actor, community_id=community_id)
    return made


def demand_kind(session: Session, community_id: int, service_id: int) -> None:
    """Refuse what is no group service of the community; raises Invalid."""
    if service_id not in {kind.id for kind in group_kinds(session, community_id)}:
        raise Invalid("service_id", "请选一项团体服务")


def needed(field: str, text: str, longest: int) -> str:
    """A text that may not be empty; raises Invalid naming the field."""
    found = check_text(field, text, longest)
    if not found:
        raise Invalid(field, "请填写这一栏")
    return found


def keep_new(session: Session, made: Course | Activity) -> None:
    """Write it; raises KnownAlready where the day has one of the name."""
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError as error:
        raise KnownAlready from error


def find_course(session: Session, course_id: int, *, actor: Actor, locked: bool = False) -> Course:
    """A course in reach, locked when asked; raises NotFound."""
    query = select(Course).where(Course.id == course_id, reach.visible(Course, actor))
    if locked:
        query = query.with_for_update().execution_options(populate_existing=True)
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def list_courses(session: Session, *, actor: Actor, course_id: int | None = None) -> list[CourseSum]:
    """The newest courses of the reach, or one, with their sums. One query."""
    holds = select(Certificate.id).where(Certificate.member_id == CourseMember.id, Certificate.voided_at.is_(None))
    works = CourseMember.outcome.in_([rule.Outcome.EMPLOYED, rule.Outcome.SELF_EMPLOYED])
    waits = CourseMember.seat.is_(None) & CourseMember.left_at.is_(None)
    sums = (
        select(
            CourseMember.course_id,
            func.count(CourseMember.seat).label("seated"),
            func.count().filter(waits).label("waiting"),
            func.count().filter(holds.exists()).label("certified"),
            func.count().filter(works).label("employed"),
        )
        .where(CourseMember.course_id == Course.id)
        .group_by(CourseMember.course_id)
        .lateral()
    )
    query = (
        select(Course, Service.name, *(func.coalesce(sums.c[one], 0) for one in SUMS))
        .join(Service, Service.id == Course.service_id)
        .outerjoin(sums, sums.c.course_id == Course.id)
        .where(reach.visible(Course, actor))
        .order_by(Course.starts_on.desc(), Course.id.desc())
        .limit(MOST_SHOWN)
    )
    if course_id is not None:
        query = query.where(Course.id == course_id)
    return [CourseSum(*row) for row in session.execute(query)]


def list_activities(session: Session, *, actor: Actor) -> list[tuple[Activity, str]]:
    """The newest activities of the reach, each with its service. One query."""
    query = (
        select(Activity, Service.name)
        .join(Service, Service.id == Activity.service_id)
        .where(reach.visible(Activity, actor))
        .order_by(Activity.held_on.desc(), Activity.id.desc())
        .limit(MOST_SHOWN)
    )
    return [(activity, name) for activity, name in session.execute(query)]


def count_activities(session: Session, *, actor: Actor) -> int:
    """How many activities are written down in the reach."""
    query = select(func.count()).select_from(Activity).where(reach.visible(Activity, actor))
    return session.execute(query).scalar_one()


def note(session: Session, deed: str, course: Course, *, actor: Actor) -> None:
    """The audit entry of what was done with a course."""
    audit.record(session, f"care.{deed}", "courses", course.id, actor=actor, community_id=course.community_id)
