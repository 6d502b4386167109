"""What can be asked of an event of life, its visits and the groups of 三访: maker, right answer, right body."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.care import Condolence
from dispatch.rules.access.roles import SYSTEM, Role
from dispatch.rules.care.asking import EntrySource
from dispatch.rules.care.events import Event
from dispatch.rules.funds.terms import Owner, Purpose
from dispatch.services import funds, life
from dispatch.services.care import asking, events
from dispatch.services.care.asking import EntryDraft
from dispatch.services.care.events import EventDraft
from tests.factories.funds import give, make_treasury
from tests.factories.life import Life, group, make_life
from tests.factories.visits import resident
from tests.factories.world import NUMBERS, World, staff
from tests.house.asking_deeds import question

Row = tuple[Callable[[Session, World, int], str], int, Callable[[World], dict[str, Any]]]
MADE: dict[str, int] = {}
"""The ids of the newest visitor, resident, fund and till, for bodies that name them."""


def event(session: Session, world: World, _user_id: int) -> str:
    """An accident with a visit that is on its way."""
    return str(accident(session, world)[0])


def accident(session: Session, world: World) -> tuple[int, Life]:
    """The same, with whom it is about."""
    made, now = make_life(session, world), clock.now(session)
    draft = EventDraft(Event.ACCIDENT, clock.today(now), made.resident.id)
    MADE["performer_id"] = made.visitor.id
    return events.tell(session, draft, actor=SYSTEM, now=now).id, made


def condolence(session: Session, world: World, user_id: int) -> str:
    """The visit of one."""
    query = select(Condolence.id).where(Condolence.event_id == int(event(session, world, user_id)))
    return str(session.scalars(query).one())


def unpaid(session: Session, world: World, user_id: int) -> str:
    """The same, where a fund for party care has money."""
    now, code = clock.now(session), f"party{next(NUMBERS)}"
    treasury = make_treasury(session, world.community.id, code)
    about = {"code": code, "name": "党内关爱资金", "owner": Owner.OWN, "purposes": [Purpose.PARTY_CARE]}
    fund = funds.open_fund(session, world.community.id, **about, actor=SYSTEM, now=now)  # type: ignore[arg-type]
    give(session, treasury, 50_000, fund=fund)
    MADE["fund_id"], MADE["holding_id"] = fund.id, treasury.till.id
    return condolence(session, world, user_id)


def wrong(session: Session, world: World, user_id: int) -> str:
    """An event that somebody else says was told wrongly."""
    event_id, now = int(event(session, world, user_id)), clock.now(session)
    clerk = staff(session, world, Role.WELFARE)
    life.ask_withdrawal(session, event_id, reason="不是这一户", actor=clerk, now=now)
    return str(event_id)


def told_wrongly(session: Session, world: World) -> None:
    """An event with its circumstances that somebody says was told wrongly, and what was said to a question."""
    made, now = make_life(session, world), clock.now(session)
    draft = EventDraft(Event.ACCIDENT, clock.today(now), made.resident.id, words="摔伤")
    event_id = events.tell(session, draft, actor=SYSTEM, now=now).id
    life.ask_withdrawal(session, event_id, reason="不是她", actor=staff(session, world, Role.WELFARE), now=now)
    entry = EntryDraft("灯不亮", EntrySource.DESK, name="陈桂花", phone="13800005678")
    asking.take_entry(session, int(question(session, world, 0)), entry, actor=SYSTEM, now=now)


def listed(session: Session, world: World, _user_id: int) -> str:
    """A listed group, and somebody who is not in it."""
    MADE["resident_id"] = resident(session, world).id
    return str(group(session, world).id)


def nothing(_world: World) -> dict[str, Any]:
    """No body."""
    return {}


def named(*names: str) -> Callable[[World], dict[str, Any]]:
    """A body that names what was made."""
    return lambda _world: {name: MADE[name] for name in names}


def gift(**amount: Any) -> Callable[[World], dict[str, Any]]:
    """A body that asks for an amount of the newest fund for party care."""
    return lambda world: named("fund_id", "holding_id")(world) | amount


ID = "<int(min=1, max=9223372036854775807):{}_id>"
EVENT, GROUP = f"/events/{ID.format('life_event')}", f"/groups/{ID.format('care_group')}"
PAGE, VISIT = f"/life/{ID.format('life_event')}", ID.format("condolence")
REASON = {"reason": "不是这一户"}
LIFE_DEEDS: dict[tuple[str, str], Row] = {
    ("GET", f"/api/care{EVENT}"): (event, 200, nothing),
    ("POST", f"/api/care{EVENT}/withdrawal"): (event, 409, lambda _: REASON),
    ("POST", f"/api/care/condolences/{VISIT}/visitor"): (condolence, 200, named("performer_id")),
    ("POST", f"/api/care/condolences/{VISIT}/gift"): (unpaid, 200, gift(fen=20_000)),
    ("POST", f"/api/care/condolences/{VISIT}/gift/withdrawal"): (unpaid, 409, nothing),
    ("POST", f"/api/care{GROUP}/switches"): (listed, 200, lambda _: {"trigger": "death", "is_on": False}),
    ("POST", f"/api/care{GROUP}/members"): (listed, 200, named("resident_id")),
    ("GET", PAGE): (event, 200, nothing),
    ("POST", f"/life/visits/{VISIT}/visitor"): (condolence, 303, named("performer_id")),
    ("POST", f"/life/visits/{VISIT}/gift"): (unpaid, 303, gift(yuan="200")),
    ("POST", f"/life/visits/{VISIT}/gift/withdrawal"): (unpaid, 409, nothing),
    ("POST", f"{PAGE}/withdrawal"): (event, 303, lambda _: REASON),
    ("POST", f"{PAGE}/withdrawal/approval"): (wrong, 303, nothing),
    ("GET", f"/life{GROUP}"): (listed, 200, nothing),
    ("POST", f"/life{GROUP}/switches"): (listed, 303, lambda _: {"triggers": "disaster"}),
    ("POST", f"/life{GROUP}/members"): (listed, 303, named("resident_id")),
}
