"""Rows for the care calendar: its kinds of order, elders at home, helpers who do all of it, who is enrolled."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import uuid4

from sqlalchemy.orm import Session

from dispatch.models.care import Enrolment
from dispatch.models.catalogue import Performer, Service
from dispatch.models.grid import Household, Resident
from dispatch.rules.access.roles import Actor, Role
from dispatch.services import care
from tests.factories.world import NUMBERS, World, firm, make_world, service, service_of, staff

VISIT = {
    "offered": ["programme"], "performer": "helper", "given": "named", "urgency": "booked", "callback": False,
    "in_figures": False, "sign_minutes": 120, "arrive_minutes": None,
}  # fmt: skip
KINDS = ("care_visit", "return_visit", "greeting_call", "door_check")
ELDER, WIFE, SON = date(1948, 5, 1), date(1951, 3, 3), date(1980, 1, 1)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A community with programmes, kinds, two helpers and two people of its staff."""

    world: World
    kinds: dict[str, Service]
    helpers: list[Performer]
    planner: Actor
    second: Actor

    @property
    def community_id(self) -> int:
        """The community."""
        return self.world.community.id


def make_calendar(session: Session, *, helpers: int = 2) -> Calendar:
    """Make it."""
    return calendar_of(session, make_world(session, firms=1), helpers=helpers)


def calendar_of(session: Session, world: World, *, helpers: int = 2) -> Calendar:
    """Make it of a world that is there, in which none of its own kinds is."""
    kinds = {code: service(session, world.district, code, **VISIT) for code in KINDS}
    kinds["other_service"] = service_of(session, world.district, "other_service")
    able = [kinds[code] for code in KINDS]
    made = [helper(session, world, able) for _ in range(helpers)]
    planner, second = staff(session, world, Role.DISPATCHER), staff(session, world, Role.CENTRE)
    care.begin_programmes(session, world.community.id, actor=planner)
    return Calendar(world, kinds, made, planner, second)


def helper(session: Session, world: World, kinds: list[Service]) -> Performer:
    """A helper of the community, reached in the house, free for three at a time."""
    return firm(
        session, world.district, world.community, kinds,
        kind="helper", community_id=world.community.id, channel="app", webhook_url=None, name="志愿者", capacity=9,
    )  # fmt: skip


def home(session: Session, calendar: Calendar, *births: date, stairwell: int = 0) -> list[Resident]:
    """Who lives in a home of their own, oldest first."""
    community_id = calendar.community_id
    made = Household(
        community_id=community_id, stairwell_id=calendar.world.stairwells[stairwell].id, room=f"{next(NUMBERS)}01"
    )
    session.add(made)
    session.flush()
    people = [
        Resident(
            uid=uuid4(), community_id=community_id, household_id=made.id, name=f"陈婆婆{number}", name_key="chen",
            birth_date=born,
        )
        for number, born in enumerate(births or (ELDER,))
    ]  # fmt: skip
    session.add_all(people)
    session.flush()
    return people


def paired(session: Session, calendar: Calendar, people: list[Resident], *, now: datetime) -> Enrolment:
    """A household enrolled in pairing, with the first helper."""
    draft = care.EnrolmentDraft("pairing", household_id=people[0].household_id)
    made = care.enrol(session, draft, actor=calendar.planner, now=now)
    care.pair(session, made.id, calendar.helpers[0].id, kind="volunteer", actor=calendar.planner, now=now)
    return made


def voucher(session: Session, calendar: Calendar, person: Resident, *, now: datetime) -> Enrolment:
    """A person enrolled for a voucher."""
    draft = care.EnrolmentDraft("voucher", resident_id=person.id)
    return care.enrol(session, draft, actor=calendar.planner, now=now)


def keep_day(session: Session, calendar: Calendar, now: datetime) -> int:
    """What the daily job does for the community; how many orders were placed."""
    return care.keep_batch(session, calendar.community_id, 0, 2**62, now=now)


def visited(
    session: Session, calendar: Calendar, person: Resident, at: datetime, *, now: datetime | None = None, **said: object
) -> int:
    """A visit that the first helper reports; the contact's id."""
    values: dict[str, object] = {"kind": "visit", "mood": "good", "performer_id": calendar.helpers[0].id}
    record = care.Record(household_id=person.household_id or 0, happened_at=at, **(values | said))  # type: ignore[arg-type]
    return care.record_contact(session, record, actor=calendar.planner, now=now or at).id
