"""What can be asked of a course, its sessions, who is on its roster and certificates: maker, answer, right body."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from dispatch import clock
from tests.factories.courses import certified, held_session, make_course, make_member
from tests.factories.world import World

VOID = text("UPDATE certificates SET voided_at = dispatch_now(), void_reason = '写错了' WHERE id = :id")
Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]


def course(session: Session, world: World, _user_id: int) -> str:
    """A course."""
    return str(make_course(session, world).id)


def held(session: Session, world: World, _user_id: int) -> str:
    """A session that was held."""
    return str(held_session(session, make_course(session, world)).id)


def member(session: Session, world: World, _user_id: int) -> str:
    """Somebody on a roster."""
    return str(make_member(session, make_course(session, world)).id)


def earned(session: Session, world: World, _user_id: int) -> str:
    """Somebody whose certificate was void, so that they may have another."""
    made = certified(session, world)
    session.execute(VOID, {"id": made.id})
    return str(made.member_id)


def certificate(session: Session, world: World, _user_id: int) -> str:
    """A certificate."""
    return str(certified(session, world).id)


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


def tomorrow(_world: World) -> dict[str, Any]:
    """A time of tomorrow, in the course's days."""
    day = clock.today(datetime.now(tz=UTC)) + timedelta(days=1)
    return {"begins": f"{day}T09:00", "ends": f"{day}T11:00", "topic": "喂养"}


ID = "<int(min=1, max=9223372036854775807):{}_id>"
COURSE, HELD = f"/courses/{ID.format('course')}", f"/courses/sessions/{ID.format('course_session')}"
MEMBER = f"/courses/members/{ID.format('course_member')}"
CERTIFICATE = f"/courses/certificates/{ID.format('certificate')}"
PERSON = {"name": "陈桂花", "phone": "13900000001"}
COURSE_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", COURSE): (course, 200, nothing),
    ("POST", f"{COURSE}/members"): (course, 303, lambda _: PERSON),
    ("POST", f"{COURSE}/sessions"): (course, 303, tomorrow),
    ("POST", f"{HELD}/presence"): (held, 303, nothing),
    ("POST", f"{MEMBER}/phone"): (member, 200, nothing),
    ("POST", f"{MEMBER}/leaving"): (member, 303, nothing),
    ("POST", f"{MEMBER}/outcome"): (member, 303, lambda _: {"outcome": "employed", "outcome_on": "2026-01-01"}),
    ("POST", f"{MEMBER}/certificate"): (earned, 303, nothing),
    ("GET", CERTIFICATE): (certificate, 200, nothing),
    ("POST", f"{CERTIFICATE}/void"): (certificate, 303, lambda _: {"reason": "名字写错了"}),
}
