"""结业证书: issued to who was there often enough, numbered by the database, void with a reason."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.care import Certificate, Course, CourseMember, CoursePresence, CourseSession
from dispatch.rules.access.roles import Actor
from dispatch.rules.care import courses as rule
from dispatch.rules.orders.intake import check_text
from dispatch.services.access import audit, policies, reach
from dispatch.services.care.courses import roster

LEAST = "courses.least_permille"


@dataclass(frozen=True, slots=True)
class Paper:
    """A certificate with what is printed on it."""

    certificate: Certificate
    name: str
    course: Course
    sessions: int

    @property
    def number(self) -> str:
        """The number as it is printed."""
        return rule.number_on(self.certificate.year, self.certificate.number)


def issue(session: Session, member_id: int, *, actor: Actor, now: datetime) -> Certificate:
    """Give somebody a certificate with the next number; raises NotFound, NotEnoughAttended, HasCertificate."""
    member, course = roster.locked(session, member_id, actor=actor)
    held = held_of(session, course)
    there = select(func.count()).select_from(CoursePresence).where(CoursePresence.member_id == member.id)
    present = session.execute(there).scalar_one()
    least = policies.policy(session, course.community_id, LEAST)
    if member.left_at is not None or not rule.has_earned(present, held, least):
        raise rule.NotEnoughAttended(present=present, held=held)
    good = select(Certificate.id).where(Certificate.member_id == member.id, Certificate.voided_at.is_(None))
    if session.execute(good).first() is not None:
        raise rule.HasCertificate
    made = Certificate(
        community_id=course.community_id,
        member_id=member.id,
        year=0,
        number=0,
        issued_by=actor.user_id,
        issued_at=now,
    )
    session.add(made)
    session.flush()
    session.refresh(made)
    note(session, "issue_certificate", made, actor=actor)
    return made


def held_of(session: Session, course: Course) -> int:
    """At how many sessions of a course it was noted who was there."""
    query = select(func.count()).select_from(CourseSession)
    return session.execute(
        query.where(CourseSession.course_id == course.id, CourseSession.noted_at.is_not(None))
    ).scalar_one()


def void(session: Session, certificate_id: int, reason: str, *, actor: Actor, now: datetime) -> Certificate:
    """Make a certificate void; its number stays used. Raises NotFound, VoidAlready, Invalid without a reason."""
    query = select(Certificate).where(Certificate.id == certificate_id, reach.visible(Certificate, actor))
    found = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound
    words = check_text("reason", reason, rule.LONGEST_REASON)
    if not words:
        raise Invalid("reason", "请写明作废的原因")
    if found.voided_at is not None:
        raise rule.VoidAlready
    found.voided_at, found.voided_by, found.void_reason = now, actor.user_id, words
    session.flush()
    note(session, "void_certificate", found, actor=actor)
    return found


def paper(session: Session, certificate_id: int, *, actor: Actor) -> Paper:
    """What is printed on a certificate in reach; raises NotFound."""
    query = (
        select(Certificate, CourseMember.name, Course)
        .join(CourseMember, CourseMember.id == Certificate.member_id)
        .join(Course, Course.id == CourseMember.course_id)
        .where(Certificate.id == certificate_id, reach.visible(Certificate, actor))
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise NotFound
    certificate, name, course = found
    return Paper(certificate, name, course, held_of(session, course))


def note(session: Session, deed: str, certificate: Certificate, *, actor: Actor) -> None:
    """The audit entry of a certificate, with its number."""
    audit.record(
        session,
        f"care.{deed}",
        "certificates",
        certificate.id,
        actor=actor,
        community_id=certificate.community_id,
        fields={"number": rule.number_on(certificate.year, certificate.number)},
    )
