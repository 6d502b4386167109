"""What can be asked of a festival, its event and who is invited to it: maker, right answer, right body."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import FestivalEvent, FestivalInvitation
from dispatch.rules.access.roles import SYSTEM
from dispatch.rules.care.festivals import Answer, Calendar, Yearly
from dispatch.services.care import celebrating, hosting
from tests.factories.aid import picture
from tests.factories.visits import resident
from tests.factories.world import NUMBERS, World

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]
MADE: dict[str, int] = {}
"""The invitation of the newest event."""


def festival(session: Session, world: World, _user_id: int) -> str:
    """A festival of today."""
    today, name = clock.today(clock.now(session)), f"社区日{next(NUMBERS)}"
    yearly = Yearly(Calendar.SOLAR, today.month, today.day)
    return str(celebrating.add_festival(session, world.community.id, name, yearly, actor=SYSTEM).id)


def event(session: Session, world: World, user_id: int) -> str:
    """Its event of this year, to which somebody is invited."""
    festival_id, now = int(festival(session, world, user_id)), clock.now(session)
    celebrating.plan_festivals(session, community_id=world.community.id, now=now)
    query = select(FestivalEvent).where(FestivalEvent.festival_id == festival_id)
    found = session.scalars(query.order_by(FestivalEvent.held_on).limit(1)).one()
    person = resident(session, world)
    one = FestivalInvitation(
        community_id=world.community.id, event_id=found.id, resident_id=person.id, household_id=person.household_id
    )
    session.add(one)
    session.flush()
    MADE["invitation"] = one.id
    return str(found.id)


def invitation(session: Session, world: World, user_id: int) -> str:
    """Somebody who is invited."""
    event(session, world, user_id)
    return str(MADE["invitation"])


def pictured(session: Session, world: World, user_id: int) -> str:
    """A picture of somebody who has consented."""
    event_id, now = int(event(session, world, user_id)), clock.now(session)
    said = {"wants_ride": False, "may_picture": True}
    hosting.answer_invitation(session, MADE["invitation"], Answer.COMES, **said, actor=SYSTEM)
    about = {"words": "唱歌", "shown": [MADE["invitation"]], "actor": SYSTEM, "now": now}
    return str(hosting.add_picture(session, event_id, picture(), **about).id)


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


ID = "<int(min=1, max=9223372036854775807):{}_id>"
EVENT, API = f"/festivals/{ID.format('festival_event')}", f"/api/care/festivals/{ID.format('festival_event')}"
INVITED, COMES = ID.format("invitation"), {"answer": "comes"}
FESTIVAL_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", f"{API}/invitations"): (event, 200, nothing),
    ("POST", f"{API}/rides"): (event, 200, nothing),
    ("POST", f"{API}/attendance"): (event, 200, lambda _: {"present": [MADE["invitation"]]}),
    ("POST", f"/api/care/invitations/{INVITED}/answer"): (invitation, 200, lambda _: COMES),
    ("POST", f"/festivals/kinds/{ID.format('festival')}"): (festival, 303, lambda _: {"is_on": ""}),
    ("GET", EVENT): (event, 200, nothing),
    ("POST", f"{EVENT}/place"): (event, 303, lambda _: {"held_on": "2099-10-18", "place": "文化广场"}),
    ("POST", f"/festivals/invitations/{INVITED}"): (invitation, 303, lambda _: COMES),
    ("POST", f"{EVENT}/rides"): (event, 303, nothing),
    ("POST", f"{EVENT}/helpers"): (event, 303, nothing),
    ("POST", f"{EVENT}/attendance"): (event, 303, lambda _: {"present": str(MADE["invitation"])}),
    ("POST", f"{EVENT}/pictures"): (event, 303, lambda _: {"photo": picture(), "words": "唱歌"}),
    ("GET", f"/festivals/pictures/{ID.format('festival_picture')}"): (pictured, 200, nothing),
}
