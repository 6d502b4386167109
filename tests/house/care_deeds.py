"""What can be asked of an enrolment, a period, a pairing, a helper and a home that an address names."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import Duty, DutyPeriod, Enrolment, PairedHelper
from dispatch.models.catalogue import Performer, PerformerService, Service
from dispatch.models.grid import Resident
from dispatch.rules.access.roles import Role
from dispatch.services import care
from dispatch.services.care import feeding
from tests.factories.care import ELDER, Calendar, calendar_of, home, paired, voucher
from tests.factories.world import World, staff

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]
CALENDARS: dict[int, Calendar] = {}
"""The calendar of each community, as the database asked last has it."""
PLACES = 10_000


def calendar(session: Session, world: World) -> Calendar:
    """A calendar with helpers and places enough, begun when there is none; a programme may be there before."""
    community_id = world.community.id
    helpers = (
        select(Performer)
        .join(PerformerService, PerformerService.performer_id == Performer.id)
        .join(Service, Service.id == PerformerService.service_id)
        .where(Performer.community_id == community_id, Service.code == "care_visit")
        .order_by(Performer.id)
    )
    if found := list(session.scalars(helpers)):
        made = Calendar(world, {}, found, staff(session, world, Role.DISPATCHER), staff(session, world, Role.CENTRE))
    else:
        made = calendar_of(session, world)
        for one, _ in care.programmes_of(session, actor=made.planner):
            care.change_places(session, one.id, PLACES, actor=made.planner)
    CALENDARS[community_id] = made
    return made


def enrolled(session: Session, world: World, _user_id: int) -> Enrolment:
    """A person with a voucher in a home of their own."""
    made, now = calendar(session, world), clock.now(session)
    one = home(session, made, ELDER)[0]
    PEOPLE[world.community.id] = one.id
    return voucher(session, made, one, now=now)


def enrolment(session: Session, world: World, user_id: int) -> str:
    """Its id."""
    return str(enrolled(session, world, user_id).id)


def household(session: Session, world: World, user_id: int) -> str:
    """The home of one who is enrolled."""
    person = session.get_one(Resident, enrolled(session, world, user_id).resident_id)
    return str(person.household_id)


def period(session: Session, world: World, user_id: int) -> str:
    """What is due of one."""
    query = select(DutyPeriod.id).join(Duty, Duty.id == DutyPeriod.duty_id).order_by(DutyPeriod.id.desc()).limit(1)
    return str(session.scalars(query.where(Duty.enrolment_id == enrolled(session, world, user_id).id)).one())


def asked(session: Session, world: World, user_id: int) -> str:
    """What somebody else asks to excuse."""
    found, planner = period(session, world, user_id), calendar(session, world).planner
    said = {"code": "away", "words": "去女儿家", "actor": planner, "now": clock.now(session)}
    care.ask_excuse(session, int(found), **said)  # type: ignore[arg-type]
    return found


def pairing(session: Session, world: World, _user_id: int) -> str:
    """A home with the first helper."""
    made = calendar(session, world)
    one = paired(session, made, home(session, made, ELDER), now=clock.now(session))
    return str(session.scalars(select(PairedHelper.id).where(PairedHelper.enrolment_id == one.id)).one())


def helper(session: Session, world: World, _user_id: int) -> str:
    """A helper who has nothing to do yet."""
    made = calendar(session, world)
    return str(made.helpers[0].id)


def leave(session: Session, world: World, _user_id: int) -> str:
    """A leave of the second helper, far away and each time later."""
    made, now = calendar(session, world), clock.now(session)
    LATER[world.community.id] = LATER.get(world.community.id, 100) + 10
    day = clock.today(now) + timedelta(days=LATER[world.community.id])
    until = day + timedelta(days=2)
    about = {"starts_on": day, "until": until, "actor": made.planner, "now": now}
    UNTIL[world.community.id] = until.isoformat()
    return str(care.record_leave(session, made.helpers[1].id, **about).id)  # type: ignore[arg-type]


PEOPLE: dict[int, int] = {}
"""Who was enrolled last in each community."""
LATER: dict[int, int] = {}
UNTIL: dict[int, str] = {}


def feed(session: Session, world: World, _user_id: int) -> str:
    """A calendar of the first helper."""
    made = calendar(session, world)
    feeding.give_helper_feed(session, made.helpers[0].id, actor=made.planner, now=clock.now(session))
    return str(feeding.feeds_of(session, performer_ids=[made.helpers[0].id], actor=made.planner)[0].id)


def person(world: World) -> dict[str, Any]:
    """The consent of who was enrolled last."""
    return {"resident_id": str(PEOPLE[world.community.id]), "relation": "儿子", "consented_on": "2026-01-01"}


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


def second(world: World) -> str:
    """The other helper."""
    return str(CALENDARS[world.community.id].helpers[1].id)


ID = "<int(min=1, max=9223372036854775807):{}_id>"
ENROLMENT, PERIOD = f"/care/{ID.format('enrolment')}", f"/care/periods/{ID.format('period')}"
HELPER, HOME = f"/care/helpers/{ID.format('performer')}", f"/care/homes/{ID.format('household')}/record"

CARE_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", ENROLMENT): (enrolment, 200, nothing),
    ("GET", f"{ENROLMENT}/door"): (enrolment, 200, nothing),
    ("POST", f"{ENROLMENT}/helpers"): (
        enrolment,
        303,
        lambda world: {"performer_id": second(world), "kind": "volunteer"},
    ),
    ("POST", f"{ENROLMENT}/end"): (enrolment, 303, lambda _: {"code": "ended", "reason": "不要了"}),
    ("POST", f"/care/pairings/{ID.format('pairing')}/end"): (pairing, 303, nothing),
    ("POST", f"{PERIOD}/excuse"): (period, 303, lambda _: {"code": "away", "words": "去女儿家"}),
    ("POST", f"{PERIOD}/approval"): (asked, 303, nothing),
    ("POST", f"{PERIOD}/refusal"): (asked, 303, nothing),
    ("POST", f"{PERIOD}/helper"): (period, 303, lambda world: {"performer_id": second(world)}),
    ("GET", f"{HELPER}/day"): (helper, 200, nothing),
    ("POST", f"{HELPER}/resident"): (helper, 303, nothing),
    ("POST", f"{HELPER}/leave"): (helper, 303, lambda _: {"starts_on": "2099-01-01", "until": "2099-01-02"}),
    ("POST", f"/care/leaves/{ID.format('leave')}/end"): (
        leave,
        303,
        lambda world: {"until": UNTIL[world.community.id]},
    ),
    ("POST", f"{HELPER}/feed"): (helper, 200, nothing),
    ("POST", f"{ENROLMENT}/feeds"): (enrolment, 200, person),
    ("POST", f"/care/feeds/{ID.format('feed')}/end"): (feed, 303, nothing),
    ("GET", HOME): (household, 200, nothing),
    ("POST", HOME): (household, 303, lambda _: {"mood": "good"}),
}
