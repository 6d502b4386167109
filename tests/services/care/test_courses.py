"""Courses: as many seats as places, each number once, certificates that are earned and never numbered twice."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.models.access import AuditEntry
from dispatch.models.care import Certificate, Course, CourseMember
from dispatch.rules.access.roles import EVERYTHING, SYSTEM, Role
from dispatch.rules.care import courses as rule
from dispatch.rules.care.courses import Outcome
from dispatch.services.care.courses import certifying, planning, roster
from dispatch.transaction import transaction
from tests.conftest import Database
from tests.factories.courses import HOUR, certified, group_kind, held_session, make_course, make_member
from tests.factories.world import World, make_world, staff
from tests.services.care.test_counselling import PEOPLE, at_once
from tests.statements import statements


@pytest.fixture
def world(session: Session) -> World:
    return make_world(session)


@pytest.fixture
def course(session: Session, world: World) -> Course:
    return make_course(session, world)


def test_of_eight_who_enrol_at_once_two_have_a_seat_and_the_others_wait(committed: Database) -> None:
    assert committed
    with transaction(EVERYTHING) as session:
        course = make_course(session, make_world(session))

    def enrol(number: int) -> int | None:
        with transaction(EVERYTHING) as session:
            return make_member(session, course, phone=f"1390000000{number}").seat

    assert sorted(at_once(enrol), key=str) == [1, 2, *[None] * (PEOPLE - 2)]

    def again(_number: int) -> int | None:
        with transaction(EVERYTHING) as session:
            return make_member(session, course, phone="13911111111").seat

    answers = at_once(again)
    assert (answers.count(None), sum(isinstance(one, rule.OnRoster) for one in answers)) == (1, PEOPLE - 1)


def test_who_leaves_gives_the_seat_to_who_waited_longest_and_may_come_again(session: Session, course: Course) -> None:
    people = [make_member(session, course) for _ in range(4)]
    now, phone = clock.now(session), roster.phone_of(people[0])
    moved = roster.leave(session, people[0].id, actor=SYSTEM, now=now)
    assert moved is not None
    assert (moved.id, moved.seat) == (people[2].id, 1)
    assert roster.leave(session, people[0].id, actor=SYSTEM, now=now) is None
    assert roster.leave(session, people[3].id, actor=SYSTEM, now=now) is None
    back = make_member(session, course, phone=phone)
    assert (back.id, back.seat, back.left_at) == (people[0].id, None, None)
    with pytest.raises(rule.OnRoster):
        make_member(session, course, phone=phone)
    sums = planning.list_courses(session, actor=SYSTEM, course_id=course.id)[0]
    assert (sums.seated, sums.waiting) == (2, 1)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE course_members SET seat = 3 WHERE seat = 2",
        "UPDATE course_members SET seat = 1 WHERE seat = 2",
        "UPDATE course_members SET left_at = dispatch_now() WHERE seat = 1",
        "UPDATE courses SET places = 1",
        "UPDATE course_sessions SET during = tstzrange('2026-01-01', '2026-01-02')",
        "UPDATE certificates SET number = 9",
        "UPDATE certificates SET voided_at = dispatch_now()",
    ],
)
def test_the_database_itself_keeps_seats_hours_and_numbers(
    session: Session, world: World, course: Course, statement: str
) -> None:
    for _ in range(2):
        make_member(session, course)
    certified(session, world)
    with pytest.raises(IntegrityError), session.begin_nested():
        session.execute(text(statement))


def test_a_certificate_is_earned_once_and_its_number_is_never_used_again(session: Session, course: Course) -> None:
    member, absent = make_member(session, course), make_member(session, course)
    now, by = clock.now(session), {"actor": SYSTEM, "now": clock.now(session)}
    with pytest.raises(rule.NotEnoughAttended):
        certifying.issue(session, member.id, **by)
    held = held_session(session, course)
    with pytest.raises(Invalid, match="名单"):
        roster.note_presence(session, held.id, [member.id, 10**9], **by)
    roster.note_presence(session, held.id, [member.id, absent.id], **by)
    roster.note_presence(session, held.id, [member.id], **by)
    assert roster.presences_of(session, course.id) == {(held.id, member.id)}
    with pytest.raises(rule.NotEnoughAttended):
        certifying.issue(session, absent.id, **by)
    first = certifying.issue(session, member.id, **by)
    with pytest.raises(rule.HasCertificate):
        certifying.issue(session, member.id, **by)
    with pytest.raises(Invalid, match="原因"):
        certifying.void(session, first.id, " ", **by)
    certifying.void(session, first.id, "名字写错了", **by)
    with pytest.raises(rule.VoidAlready):
        certifying.void(session, first.id, "再一次", **by)
    second = certifying.issue(session, member.id, **by)
    assert (second.year, second.number) == (clock.today(now).year, first.number + 1)
    other = certified(session, make_world(session))
    assert other.number == 1
    trail = select(AuditEntry.fields).where(AuditEntry.action == "care.issue_certificate").order_by(AuditEntry.id)
    assert session.scalars(trail).all()[1] == {"number": rule.number_on(second.year, second.number)}
    assert session.scalars(select(func.count()).select_from(Certificate)).one() == 3


def test_sessions_lie_in_the_course_and_do_not_overlap_and_presence_waits_for_them(
    session: Session, course: Course
) -> None:
    begins, by = clock.now(session) + 24 * HOUR, {"actor": SYSTEM}
    made = planning.add_session(session, course.id, begins, begins + 2 * HOUR, "喂养", **by)
    with pytest.raises(rule.SessionsOverlap):
        planning.add_session(session, course.id, begins + HOUR, begins + 3 * HOUR, "洗澡", **by)
    planning.add_session(session, course.id, begins + 2 * HOUR, begins + 3 * HOUR, "洗澡", **by)
    with pytest.raises(Invalid, match="起止"):
        planning.add_session(session, course.id, begins + timedelta(days=60), begins + timedelta(days=60.1), "x", **by)
    with pytest.raises(rule.NotYetBegun):
        roster.note_presence(session, made.id, [], **by, now=clock.now(session))


def test_what_became_of_people_is_counted_and_others_reach_none_of_it(
    session: Session, world: World, course: Course
) -> None:
    member, now = make_member(session, course), clock.now(session)
    today = clock.today(now)
    roster.note_outcome(session, member.id, Outcome.EMPLOYED, today, actor=SYSTEM, now=now)
    with pytest.raises(Invalid, match="没有到"):
        roster.note_outcome(session, member.id, Outcome.LOOKING, today + timedelta(days=1), actor=SYSTEM, now=now)
    assert planning.list_courses(session, actor=SYSTEM, course_id=course.id)[0].employed == 1
    stranger = staff(session, make_world(session), Role.CENTRE)
    assert planning.list_courses(session, actor=stranger) == []
    for ask in (roster.reveal_phone, roster.find_member):
        with pytest.raises(NotFound):
            ask(session, member.id, actor=stranger)
    kept = session.scalars(select(CourseMember.phone)).one()
    assert roster.phone_of(member).encode() not in kept
    kind = group_kind(session, world).id
    about = {"held_on": today, "present": 40, "actor": SYSTEM, "now": now}
    planning.log_activity(session, world.community.id, kind, "健康讲座", "广场", **about)
    with pytest.raises(planning.KnownAlready):
        planning.log_activity(session, world.community.id, kind, "健康讲座", "广场", **about)
    assert (planning.count_activities(session, actor=SYSTEM), planning.list_activities(session, actor=stranger)) == (
        1,
        [],
    )


def test_courses_and_rosters_are_read_in_one_query_each_however_long(session: Session, world: World) -> None:
    for _ in range(3):
        course = make_course(session, world)
        for _ in range(3):
            make_member(session, course)
    with statements(session) as sent:
        assert [one.waiting for one in planning.list_courses(session, actor=SYSTEM)] == [1, 1, 1]
        assert len(roster.roster(session, course.id)) == 3
    assert len(sent) == 2
