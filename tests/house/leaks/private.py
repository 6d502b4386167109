"""What nobody may read but who must, marked: a note, a topic, illness, an ID number, a difficulty, a poverty ground.

Beside the confidential orders in the same world, so that the same walk asks everybody's routes for both.
"""

import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.access.roles import SYSTEM, Right, Role
from dispatch.rules.care.counselling import Danger, Source, Told
from dispatch.rules.care.events import Event
from dispatch.rules.care.family import Relation
from dispatch.services import grid
from dispatch.services.care import counselling, events, family, feeding
from dispatch.services.care.counselling import Booking, keys, notes
from dispatch.services.care.events import EventDraft
from dispatch.services.care.family import NewLink
from tests.factories.aid import approved
from tests.factories.care import Calendar, calendar_of, visited
from tests.factories.counselling import HOUR, chosen, counsellor_actor
from tests.factories.courses import make_course, make_member
from tests.factories.life import make_life
from tests.factories.station import make_seeker
from tests.factories.world import World, service, staff
from tests.house.leaks.walk import AT_THE_DESK, CATALOGUE, Output

NOTE, DANGER = "暗句夜里听见哭声", "暗句请马上去看她"
ALIAS, TOPIC = "暗名小雨", "暗题哀伤抚慰"
ILLNESS, IDENTITY = "暗病心肌梗死", "331102195602290024"
DIFFICULTY, POVERTY = "暗难屋顶漏水", "暗贫欠债三万"
CLIENT, SEEKER = "13905786622", "13905786633"
PASSPHRASE = "一句只有自己记得住的长长的话"
SEALED = (NOTE, DANGER, ILLNESS, IDENTITY, POVERTY, CLIENT, SEEKER)
"""What the owner of the database reads nowhere."""
MARKS = (*SEALED, DIFFICULTY, ALIAS)
"""What stands in no message, no log, no key of Redis and no table but those of its matter."""
HOLDS = {"appointments": {ALIAS}, "orders": {DIFFICULTY}, "order_events": {DIFFICULTY}}
"""Where a mark stands plain: the alias under which somebody came, and the words of an order like every other."""

OF_CARE = frozenset({Right.VISITS_READ, Right.VISITS_PLAN, Right.VISITS_RECORD, Right.VISITS_APPROVE})
OF_LIFE = frozenset({Right.LIFE_READ, Right.LIFE_RUN})
OF_AID = frozenset({Right.BENEFICIARIES_READ, Right.BENEFICIARIES_EDIT, Right.BENEFICIARIES_APPROVE})
OF_APPOINTMENTS = frozenset({Right.COUNSELLING_BOOK, Right.COUNSELLING_COUNSEL})
OF_ORDERS = frozenset(right for right in Right if right.startswith("orders.")) | {Right.BOARD_READ, Right.CALLERS_READ}
MAY_READ: dict[str, frozenset[Right]] = {
    ILLNESS: OF_CARE | OF_LIFE,
    DIFFICULTY: OF_CARE | OF_ORDERS,
    POVERTY: OF_AID,
    ALIAS: OF_APPOINTMENTS,
    CLIENT: frozenset({Right.COUNSELLING_COUNSEL}),
    SEEKER: frozenset({Right.COURSES_RUN, Right.STATION_KEEP}),
}
"""Who may read a mark, by the right that a route asks for; what is not here nobody reads on any page."""
TELLS_TOPICS = CATALOGUE | {Right.COUNSELLING_BOOK, Right.COUNSELLING_ARRANGE, Right.COUNSELLING_COUNSEL}
"""Where the list of services stands; beside an alias a topic is for the counsellor alone."""
WHAT_IS_OFFERED = "/appointments"


@dataclass(frozen=True, slots=True)
class Private:
    """What stands in an address about the marked rows, and the secret addresses of the family."""

    ids: dict[str, str]
    tokens: tuple[str, ...]


def tell_private(session: Session, world: World, counsellor_id: int) -> Private:
    """Put the marked words where people write them: through the services, as everybody does."""
    now = clock.now(session)
    calendar = calendar_of(session, world)
    draft = grid.ResidentDraft("陈桂花", phone="13905786644", identity_number=IDENTITY, sensitive=ILLNESS)
    grid.register_residents(session, world.community.id, [draft], actor=SYSTEM, now=now)
    ids, token = cared_for(session, calendar)
    ids |= counselled(session, world, counsellor_id)
    course = make_course(session, world)
    ids |= {"course_id": course.id, "course_member_id": make_member(session, course, phone=SEEKER).id}
    ids["seeker_id"] = make_seeker(session, world, phone=SEEKER).id
    aid = approved(session, world, circumstances=POVERTY)
    ids |= {"application_id": aid.id, "beneficiary_id": aid.beneficiary_id}
    return Private({name: str(value) for name, value in ids.items()}, token)


def cared_for(session: Session, calendar: Calendar) -> tuple[dict[str, int], tuple[str, ...]]:
    """An elder in hospital, visited before with a complaint and a difficulty, whose family looks from abroad."""
    world, now = calendar.world, clock.now(session)
    elder = make_life(session, world).resident
    said = {"complaint": f"{ILLNESS}，胸口疼", "difficulty": DIFFICULTY, "note": ILLNESS}
    contact = visited(session, calendar, elder, now, resident_id=elder.id, **said)
    today = clock.today(now)
    event = EventDraft(Event.HOSPITAL, today, resident_id=elder.id, words=ILLNESS)
    told = events.tell(session, event, actor=staff(session, world, Role.WELFARE), now=now)
    wanted = NewLink(elder.id, Relation.CHILD, True, True, today, today + timedelta(days=9))  # noqa: FBT003 - two ticks
    link, token = family.make_link(session, wanted, actor=SYSTEM, now=now)
    feed = feeding.give_helper_feed(session, calendar.helpers[0].id, actor=SYSTEM, now=now)
    ids = {"resident_id": elder.id, "contact_id": contact, "event_id": told.id, "link_id": link.id}
    return ids | {"household_id": elder.household_id or 0}, (token, feed)


def counselled(session: Session, world: World, counsellor_id: int) -> dict[str, int]:
    """An appointment under an alias with a sealed note and what was told in danger; and one that waits for a time."""
    community_id, now = world.community.id, clock.now(session)
    about = {"offered": ["counselling"], "form": "one_to_one", "confidential": True, "name": TOPIC}
    kind = service(session, world.district, "counsel_grief", **about)
    for role in (Role.CENTRE, Role.WELFARE):
        keys.make_holder_key(session, community_id, chosen(PASSPHRASE), actor=staff(session, world, role), now=now)
    whose = {"user_id": counsellor_id, "shown_as": "林老师", "institute": "绿谷健康教育研究所"}
    counsellor = counselling.appoint(session, community_id, **whose, service_ids=[kind.id], actor=SYSTEM, now=now)
    acting = counsellor_actor(counsellor_id, community_id)
    holders = [one.key_id for one in keys.holders(session, community_id)]
    keys.make_counsellor_key(session, chosen(PASSPHRASE), holders, actor=acting, now=now)
    slot = counselling.open_slots(session, now + 48 * HOUR, now + 49 * HOUR, "二楼小间", actor=acting, now=now)[0]
    asked = Booking(kind.id, Source.WEB, ALIAS, slot.id, phone=CLIENT, email="rain@letters.example")
    made, _ = counselling.book(session, community_id, asked, actor=SYSTEM, now=now)
    waiting = Booking(kind.id, Source.DESK, ALIAS)
    counselling.book(session, community_id, waiting, actor=SYSTEM, now=now)
    notes.write_note(session, made.id, NOTE, actor=acting, now=now)
    notes.disclose(session, made.id, Danger.SELF, Told.MEDICAL, DANGER, actor=acting, now=now)
    return {"appointment_id": made.id, "counsellor_id": counsellor.id, "community_id": community_id}


def marks_in(text: str) -> set[str]:
    """The marks in a text."""
    return {mark for mark in (*MARKS, TOPIC) if mark in text}


def may_stand(mark: str, output: Output, found: set[str]) -> bool:
    """Whether this answer may hold a mark, with what else it holds."""
    right, rule = output.route.right, output.route.rule
    if mark == TOPIC:
        listed = right in TELLS_TOPICS or rule in AT_THE_DESK or rule.startswith(WHAT_IS_OFFERED)
        return listed and (ALIAS not in found or right == Right.COUNSELLING_COUNSEL)
    if mark == DIFFICULTY and rule.startswith("/w/<token>"):
        return True
    return right in MAY_READ.get(mark, frozenset())


def private_leaks(outputs: Iterable[Output]) -> str:
    """Which mark stood in which answer where it may not, a line each."""
    found = set()
    for one in outputs:
        marks = marks_in(one.text)
        wrong = sorted(mark for mark in marks if not may_stand(mark, one, marks))
        if wrong:
            found.add(f"{one.who}: {one.route.method} {one.route.rule} {wrong}")
    return "\n".join(sorted(found))


def unread(outputs: Iterable[Output]) -> set[tuple[Right, str]]:
    """Which mark was read with no right of those that must read it; nothing, else the walk saw nothing at all."""
    read = {(one.route.right, mark) for one in outputs if one.status == 200 for mark in marks_in(one.text)}
    wanted = {
        (Right.COUNSELLING_BOOK, ALIAS),
        (Right.COUNSELLING_COUNSEL, ALIAS),
        (Right.COUNSELLING_COUNSEL, CLIENT),
        (Right.COUNSELLING_COUNSEL, TOPIC),
        (Right.BENEFICIARIES_READ, POVERTY),
        (Right.LIFE_READ, ILLNESS),
        (Right.VISITS_READ, ILLNESS),
        (Right.ORDERS_READ, DIFFICULTY),
    }
    return wanted - read


def read_in_dump(binaries: Path, url: str) -> list[str]:
    """The marks that the owner of the database reads in a dump of it, as text or as the bytes of one."""
    command = [binaries / "pg_dump", "--format=plain", url]
    dump = subprocess.run(command, check=True, capture_output=True).stdout.decode()
    return sorted(mark for mark in (*MARKS, TOPIC) if mark in dump or mark.encode().hex() in dump)
