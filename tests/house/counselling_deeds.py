"""What can be asked of an appointment, a time or a counsellor that an address names: maker, answer, right body."""

from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.access import Membership
from dispatch.models.care import Appointment, CounsellingSlot, Counsellor
from dispatch.models.catalogue import Service
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.rules.care.counselling import Source
from dispatch.services.care import counselling
from dispatch.services.care.counselling import Booking, keys, notes
from tests.factories.counselling import chosen, counsellor_actor
from tests.factories.world import NUMBERS, World, service, staff, user

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]
PASSPHRASE = "一句只有自己记得住的长长的话"
HOUR = timedelta(hours=1)


def kind_of(session: Session, world: World) -> Service:
    """The service of the world's station."""
    known = select(Service).where(Service.organisation_id == world.district.id, Service.code == "counsel_individual")
    found = session.scalars(known).one_or_none()
    return found or service(session, world.district, "counsel_individual", offered=["counselling"], form="one_to_one")


def counselling_user(session: Session, world: World, user_id: int) -> Counsellor:
    """The counsellor that a user of the right role is; another one where no such user asks."""
    held = select(Membership.id).where(Membership.user_id == user_id, Membership.role == Role.COUNSELLOR)
    whose = user_id if session.execute(held).first() is not None else user(session).id
    community_id = world.community.id
    known = select(Counsellor).where(Counsellor.user_id == whose, Counsellor.community_id == community_id)
    found = session.scalars(known).one_or_none()
    if found is not None:
        return found
    here = select(Membership.id).where(Membership.user_id == whose, Membership.organisation_id == community_id)
    if session.execute(here).first() is None:
        session.add(Membership(user_id=whose, organisation_id=community_id, role=str(Role.COUNSELLOR)))
        session.flush()
    about = {"user_id": whose, "shown_as": "林老师", "institute": "绿谷健康教育研究所"}
    kinds, now = [kind_of(session, world).id], clock.now(session)
    return counselling.appoint(session, community_id, **about, service_ids=kinds, actor=SYSTEM, now=now)


def slot(session: Session, world: World, user_id: int) -> str:
    """A free time of the one who asks."""
    return str(free_slot(session, world, user_id).id)


def free_slot(session: Session, world: World, user_id: int) -> CounsellingSlot:
    """A free time, some days from now."""
    counsellor = counselling_user(session, world, user_id)
    acting, now = counsellor_actor(counsellor.user_id, world.community.id), clock.now(session)
    begins = now + (30 + 2 * (next(NUMBERS) % 300)) * HOUR
    return counselling.open_slots(session, begins, begins + HOUR, "二楼", actor=acting, now=now)[0]


def counsellor(session: Session, world: World, user_id: int) -> str:
    """A counsellor."""
    return str(counselling_user(session, world, user_id).id)


def booked(session: Session, world: World, user_id: int) -> str:
    """An appointment of the one who asks."""
    return str(appointment(session, world, user_id).id)


def appointment(session: Session, world: World, user_id: int) -> Appointment:
    """An appointment at a free time."""
    taken = free_slot(session, world, user_id)
    asked = Booking(kind_of(session, world).id, Source.DESK, "小雨", taken.id)
    return counselling.book(session, world.community.id, asked, actor=SYSTEM, now=clock.now(session))[0]


def begun(session: Session, world: World, user_id: int) -> str:
    """An appointment that has begun."""
    whose, now, uid = counselling_user(session, world, user_id), clock.now(session), uuid4()
    begins = now - (2 + 2 * next(NUMBERS)) * HOUR
    about = {"community_id": world.community.id, "counsellor_id": whose.id, "during": Range(begins, begins + HOUR)}
    past = CounsellingSlot(room="二楼", created_at=now, **about)
    session.add(past)
    session.flush()
    said = {"alias": "小雨", "code_index": sha256(uid.bytes).digest(), "source": "desk", "state": "booked"}
    made = Appointment(uid=uid, service_id=kind_of(session, world).id, slot_id=past.id, **said, **about)
    session.add(made)
    session.flush()
    return str(made.id)


def with_key(session: Session, world: World, user_id: int) -> Counsellor:
    """The counsellor of the one who asks, with a key that two hold."""
    whose, community_id = counselling_user(session, world, user_id), world.community.id
    acting, now = counsellor_actor(whose.user_id, community_id), clock.now(session)
    if keys.own_key(session, whose) is None:
        while len(keys.holders(session, community_id)) < keys.HOLDERS:
            keys.make_holder_key(
                session, community_id, chosen(PASSPHRASE), actor=staff(session, world, Role.CENTRE), now=now
            )
        holding = [one.key_id for one in keys.holders(session, community_id)][: keys.HOLDERS]
        keys.make_counsellor_key(session, chosen(PASSPHRASE), holding, actor=acting, now=now)
    return whose


def noted(session: Session, world: World, user_id: int) -> str:
    """An appointment of which something is written."""
    whose = with_key(session, world, user_id).user_id
    made, acting = appointment(session, world, whose), counsellor_actor(whose, world.community.id)
    notes.write_note(session, made.id, "封着的话", actor=acting, now=clock.now(session))
    return str(made.id)


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


ID = "<int(min=1, max=9223372036854775807):{}_id>"
API, DESK = f"/api/appointments/{ID.format('appointment')}", f"/counselling/{ID.format('appointment')}"
MINE = f"/counselling/mine/{ID.format('appointment')}"
TOLD = {"danger": "self", "told": "medical", "disclosed": "请马上去看"}
COUNSELLING_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", API): (booked, 200, nothing),
    ("POST", f"{API}/cancellation"): (booked, 200, nothing),
    ("POST", f"{DESK}/cancellation"): (booked, 303, lambda _: {"version": "1"}),
    ("POST", f"/counselling/counsellors/{ID.format('counsellor')}/end"): (counsellor, 303, nothing),
    ("POST", f"/counselling/mine/slots/{ID.format('slot')}/withdrawal"): (slot, 303, nothing),
    ("GET", MINE): (booked, 200, nothing),
    ("POST", f"{MINE}/outcome"): (begun, 303, lambda _: {"came": "yes"}),
    ("POST", f"{MINE}/cancellation"): (booked, 303, nothing),
    ("POST", f"{MINE}/reminder"): (booked, 303, nothing),
    ("POST", f"{MINE}/notes"): (noted, 303, lambda _: {"words": "还有一条"}),
    ("POST", f"{MINE}/disclosures"): (noted, 303, lambda _: TOLD),
    ("POST", f"{MINE}/reading"): (noted, 200, lambda _: {"passphrase": PASSPHRASE}),
}
