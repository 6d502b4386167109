"""A course of two places in a small world, with who is on its roster and a session that was held."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import Certificate, Course, CourseMember, CourseSession
from dispatch.models.catalogue import Service
from dispatch.rules.access.roles import SYSTEM
from dispatch.services.care.courses import CourseDraft, certifying, planning, roster
from tests.factories.world import NUMBERS, World, service

HOUR = timedelta(hours=1)


def group_kind(session: Session, world: World) -> Service:
    """The group service of the world's district."""
    known = select(Service).where(Service.organisation_id == world.district.id, Service.code == "counsel_training")
    found = session.scalars(known).one_or_none()
    return found or service(session, world.district, "counsel_training", offered=["counselling"], form="group")


def make_course(session: Session, world: World, *, places: int = 2) -> Course:
    """A course of these weeks."""
    today = clock.today(clock.now(session))
    draft = CourseDraft(
        service_id=group_kind(session, world).id,
        name=f"育婴师培训{next(NUMBERS)}",
        partner="绿谷健康教育研究所",
        place="二楼教室",
        starts_on=today - timedelta(days=20),
        ends_on=today + timedelta(days=20),
        places=places,
    )
    return planning.open_course(session, world.community.id, draft, actor=SYSTEM)


def make_member(session: Session, course: Course, *, phone: str | None = None) -> CourseMember:
    """Somebody on its roster."""
    phone = phone or f"139{next(NUMBERS):08}"
    return roster.enrol(session, course.id, "陈桂花", phone, actor=SYSTEM, now=clock.now(session))


def held_session(session: Session, course: Course) -> CourseSession:
    """A session that was held; it overlaps no other."""
    begins = clock.now(session) - 2 * next(NUMBERS) * HOUR
    made = CourseSession(
        community_id=course.community_id, course_id=course.id, during=Range(begins, begins + HOUR), topic="喂养"
    )
    session.add(made)
    session.flush()
    return made


def certified(session: Session, world: World) -> Certificate:
    """The certificate of somebody who was there."""
    course = make_course(session, world)
    member, now = make_member(session, course), clock.now(session)
    roster.note_presence(session, held_session(session, course).id, [member.id], actor=SYSTEM, now=now)
    return certifying.issue(session, member.id, actor=SYSTEM, now=now)
