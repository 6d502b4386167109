"""The roster: who has a seat, who waits for one in the order of asking, who was there."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from sqlalchemy import ColumnElement, delete, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.care import Certificate, Course, CourseMember, CoursePresence, CourseSession
from dispatch.rules.access.roles import Actor
from dispatch.rules.care import courses as rule
from dispatch.rules.care.courses import Outcome
from dispatch.rules.grid.phone import normalise_phone
from dispatch.services.access import audit, reach, vault
from dispatch.services.care.courses import planning

PHONE_PURPOSE = "course.phone"


@dataclass(frozen=True, slots=True)
class OnTheList:
    """Somebody on a roster: with how many sessions attended, and the certificate that holds."""

    member: CourseMember
    present: int
    certificate: Certificate | None


def place_of(member: CourseMember) -> str:
    """Where a member's telephone number is sealed."""
    return f"course_members.phone.{member.uid}"


def phone_of(member: CourseMember) -> str:
    """The telephone number of a member."""
    return vault.open_sealed(place_of(member), member.phone)


def reveal_phone(session: Session, member_id: int, *, actor: Actor) -> tuple[CourseMember, str]:
    """Somebody with their telephone number, the reading audited; raises NotFound."""
    member = find_member(session, member_id, actor=actor)
    note(session, "reveal_course_phone", member, actor=actor)
    return member, phone_of(member)


def enrol(session: Session, course_id: int, name: str, phone: str, *, actor: Actor, now: datetime) -> CourseMember:
    """Give somebody a seat, or a place on the waiting list where all are taken; who had left may come again.

    Raises NotFound, Invalid naming the field, OnRoster.
    """
    course = planning.find_course(session, course_id, actor=actor, locked=True)
    number = normalise_phone(phone)
    index = vault.blind_index(PHONE_PURPOSE, number)
    known = session.scalars(
        select(CourseMember).where(CourseMember.course_id == course.id, CourseMember.phone_index == index)
    ).one_or_none()
    if known is not None and known.left_at is None:
        raise rule.OnRoster
    member = known or CourseMember(
        uid=uuid4(), community_id=course.community_id, course_id=course.id, phone_index=index, created_by=actor.user_id
    )
    member.name, member.left_at, member.asked_at = planning.needed("name", name, rule.LONGEST_NAME), None, now
    member.phone = vault.seal(place_of(member), number)
    member.seat = rule.free_seat(seats_of(session, course), course.places)
    keep(session, member)
    note(session, "enrol_course_member" if member.seat else "await_course_seat", member, actor=actor)
    return member


def seats_of(session: Session, course: Course) -> Collection[int]:
    """The seats that are taken; the caller has the course locked."""
    query = select(CourseMember.seat).where(CourseMember.course_id == course.id, CourseMember.seat.is_not(None))
    return {seat for seat in session.scalars(query) if seat is not None}


def keep(session: Session, member: CourseMember) -> None:
    """Write a member; the database decides who was first. Raises OnRoster."""
    try:
        with session.begin_nested():
            session.add(member)
    except IntegrityError as error:
        raise rule.OnRoster from error


def leave(session: Session, member_id: int, *, actor: Actor, now: datetime) -> CourseMember | None:
    """Somebody comes no more; who has waited longest has the seat. The one who moved up, None where nobody waits.

    Said twice is said once. Raises NotFound.
    """
    member, course = locked(session, member_id, actor=actor)
    if member.left_at is not None:
        return None
    seat, member.seat, member.left_at = member.seat, None, now
    session.flush()
    note(session, "leave_course", member, actor=actor)
    following = session.scalars(
        select(CourseMember)
        .where(CourseMember.course_id == course.id, waits())
        .order_by(CourseMember.asked_at, CourseMember.id)
        .limit(1)
    ).one_or_none()
    if seat is None or following is None:
        return None
    following.seat = seat
    session.flush()
    note(session, "move_up_in_course", following, actor=actor)
    return following


def waits() -> ColumnElement[bool]:
    """Who waits for a seat."""
    return CourseMember.seat.is_(None) & CourseMember.left_at.is_(None)


def locked(session: Session, member_id: int, *, actor: Actor) -> tuple[CourseMember, Course]:
    """A member in reach with the course, the course locked; raises NotFound."""
    member = find_member(session, member_id, actor=actor)
    course = planning.find_course(session, member.course_id, actor=actor, locked=True)
    session.refresh(member)
    return member, course


def find_member(session: Session, member_id: int, *, actor: Actor) -> CourseMember:
    """A member in reach; raises NotFound."""
    query = select(CourseMember).where(CourseMember.id == member_id, reach.visible(CourseMember, actor))
    found = session.scalars(query).one_or_none()
    if found is None:
        raise NotFound
    return found


def find_session(session: Session, session_id: int, *, actor: Actor) -> CourseSession:
    """A session in reach, locked; raises NotFound."""
    query = select(CourseSession).where(CourseSession.id == session_id, reach.visible(CourseSession, actor))
    found = session.scalars(query.with_for_update().execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise NotFound
    return found


def note_presence(
    session: Session, session_id: int, present: Collection[int], *, actor: Actor, now: datetime
) -> CourseSession:
    """Note who of those with a seat was there, instead of what was noted; raises NotFound, Invalid, NotYetBegun."""
    held = find_session(session, session_id, actor=actor)
    if held.during.lower is None or held.during.lower > now:
        raise rule.NotYetBegun
    seated = select(CourseMember.id).where(CourseMember.course_id == held.course_id, CourseMember.seat.is_not(None))
    wanted = set(present)
    if not wanted <= set(session.scalars(seated)):
        raise Invalid("present", "有人不在名单里，请刷新后再记")
    of_seated = CoursePresence.member_id.in_(seated.scalar_subquery())
    session.execute(delete(CoursePresence).where(CoursePresence.session_id == held.id, of_seated))
    about = {"session_id": held.id, "course_id": held.course_id, "community_id": held.community_id}
    if wanted:
        session.execute(insert(CoursePresence), [about | {"member_id": one} for one in sorted(wanted)])
    held.noted_at = now
    session.flush()
    audit.record(session, "care.note_presence", "course_sessions", held.id, actor=actor, community_id=held.community_id)
    return held


def note_outcome(
    session: Session, member_id: int, outcome: Outcome, on: date, *, actor: Actor, now: datetime
) -> CourseMember:
    """Note what became of somebody in work, as they say; raises NotFound, Invalid."""
    member, _ = locked(session, member_id, actor=actor)
    if on > clock.today(now):
        raise Invalid("outcome_on", "日子还没有到")
    member.outcome, member.outcome_on = str(outcome), on
    session.flush()
    note(session, "note_course_outcome", member, actor=actor)
    return member


def roster(session: Session, course_id: int) -> list[OnTheList]:
    """Who is on a roster, seats first, then who waits in their order, then who has left. One query.

    The caller has found the course in reach.
    """
    attended = (
        select(func.count())
        .select_from(CoursePresence)
        .where(CoursePresence.member_id == CourseMember.id)
        .scalar_subquery()
    )
    query = (
        select(CourseMember, attended, Certificate)
        .outerjoin(Certificate, (Certificate.member_id == CourseMember.id) & Certificate.voided_at.is_(None))
        .where(CourseMember.course_id == course_id)
        .order_by(CourseMember.left_at.is_not(None), CourseMember.seat, CourseMember.asked_at, CourseMember.id)
    )
    return [OnTheList(member, present, certificate) for member, present, certificate in session.execute(query)]


def sessions_of(session: Session, course_id: int) -> Sequence[CourseSession]:
    """The sessions of a course that was found in reach, the first one first."""
    query = select(CourseSession).where(CourseSession.course_id == course_id)
    return session.scalars(query.order_by(func.lower(CourseSession.during))).all()


def presences_of(session: Session, course_id: int) -> set[tuple[int, int]]:
    """Session and member of everybody who was at a session of a course that was found in reach."""
    query = select(CoursePresence.session_id, CoursePresence.member_id).where(CoursePresence.course_id == course_id)
    return {(session_id, member_id) for session_id, member_id in session.execute(query)}


def note(session: Session, deed: str, member: CourseMember, *, actor: Actor) -> None:
    """The audit entry of what was done with somebody on a roster."""
    community_id = member.community_id
    audit.record(session, f"care.{deed}", "course_members", member.id, actor=actor, community_id=community_id)
