"""A chunk of the load: ten homes paired, ten vouchers and eight devices, overlapping, with what was visited lately."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.loading.book import Book
from dispatch.demo.organisations import COMMUNITY
from dispatch.demo.people import Resident
from dispatch.models.care import Programme
from dispatch.rules.care.eligibility import PLACES
from dispatch.rules.care.terms import HelperKind, Mood
from dispatch.rules.care.terms import Programme as Kind
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import care

MOST_ID = 2**62
MIDDLE_OF_MONTH = 10
VISITED = 7
"""Of the ten vouchers so many were visited this month; the others show what is still to do."""
TURNS = (HelperKind.VOLUNTEER, HelperKind.PARTY_MEMBER, HelperKind.COMMUNITY_WORKER)
"""社区工作者、党员和志愿者共同参与: home by home a volunteer alone, with a party member, with a community worker."""
CHORES = 3
CHORE_WORDS = ("打扫屋子", "帮忙买菜", "洗晒被褥")
SAID = ("晚上睡不好", "想念外地的孙子", "", "", "腿脚不便，下楼要人扶", "", "")


@dataclass(frozen=True, slots=True)
class Elders:
    """Who is cared for: homes for pairing, persons for vouchers and devices; the three overlap."""

    homes: tuple[Resident, ...]
    vouchers: tuple[Resident, ...]
    devices: tuple[Resident, ...]


def load_care(session: Session, book: Book) -> int:
    """Programmes, enrolments, pairs and visits; 0 when they are there."""
    known = book.known(session)
    community_id = known.organisations()[COMMUNITY]
    if session.scalars(select(Programme.id).where(Programme.community_id == community_id)).first() is not None:
        return 0
    now = clock.now(session)
    care.begin_programmes(session, community_id, actor=book.actor)
    elders = chosen(book)
    helpers = able(book)
    homes, residents, performers = known.households(), known.residents(), known.performers()
    for number, one in enumerate(elders.homes):
        draft = care.EnrolmentDraft(str(Kind.PAIRING), household_id=homes[one.household_code])
        made = care.enrol(session, draft, actor=book.actor, now=now)
        near = helpers[area_of(book, one)]
        helper = performers[near[number % len(near)]]
        care.pair(session, made.id, helper, kind=str(HelperKind.VOLUNTEER), actor=book.actor, now=now)
        beside = beside_volunteers(book, one, number)
        if beside is not None:
            care.pair(session, made.id, performers[beside[1]], kind=str(beside[0]), actor=book.actor, now=now)
    for kind, people in ((Kind.VOUCHER, elders.vouchers), (Kind.DEVICE, elders.devices)):
        for one in people:
            draft = care.EnrolmentDraft(str(kind), resident_id=residents[one.code], starts_on=since(now))
            care.enrol(session, draft, actor=book.actor, now=now)
    record_visits(session, book, elders.vouchers[:VISITED], now=now)
    plan_chores(session, book, elders.homes[:CHORES], now=now)
    care.keep_batch(session, community_id, 0, MOST_ID, now=now)
    return sum(PLACES.values())


def chosen(book: Book) -> Elders:
    """Elders who live alone and elder couples, by code: some have all three, some one."""
    of_home: dict[str, list[Resident]] = defaultdict(list)
    for one in sorted(book.community.register.residents, key=lambda resident: resident.code):
        of_home[one.household_code].append(one)
    kinds = {one.code: one.kind for one in book.community.register.households}
    alone = [people[0] for code, people in sorted(of_home.items()) if kinds[code] == "elder_alone"]
    couples = [people[0] for code, people in sorted(of_home.items()) if kinds[code] == "elder_couple"]
    homes = (*alone[0:140:20], *couples[0:60:20])
    return Elders(homes=homes, vouchers=(*homes[:5], *alone[5:105:20]), devices=(*homes[:3], *alone[10:110:20]))


def able(book: Book) -> dict[str, list[str]]:
    """The helpers who do every kind of visit, by area."""
    found: dict[str, list[str]] = defaultdict(list)
    for one in book.community.helpers:
        if {"return_visit", "greeting_call"} <= set(one.kinds):
            found[one.areas[0]].append(one.code)
    return found


def beside_volunteers(book: Book, resident: Resident, number: int) -> tuple[HelperKind, str] | None:
    """Who is paired with some of the homes beside the volunteer: a party member of the area, a community worker."""
    area, community, turn = area_of(book, resident), book.community, TURNS[number % len(TURNS)]
    if turn is HelperKind.PARTY_MEMBER:
        members = [one.code for one in community.helpers if "condolence_visit" in one.kinds and area in one.areas]
        return turn, members[number % len(members)]
    if turn is HelperKind.COMMUNITY_WORKER:
        workers = [one.code for one in community.team_workers if "greeting_call" in one.kinds]
        return turn, workers[number % len(workers)]
    return None


def plan_chores(session: Session, book: Book, people: Sequence[Resident], *, now: datetime) -> None:
    """Somebody of the area helps in some of the homes each week: 打扫, 买菜."""
    known, helpers = book.known(session), able(book)
    residents, performers = known.residents(), known.performers()
    begins = datetime.combine(clock.today(now) + timedelta(days=1), time(9), SHANGHAI)
    for number, one in enumerate(people):
        draft = care.VisitDraft(
            residents[one.code],
            begins + timedelta(hours=number),
            "FREQ=WEEKLY",
            60,
            service_code="chore",
            performer_id=performers[helpers[area_of(book, one)][0]],
            note=CHORE_WORDS[number % len(CHORE_WORDS)],
        )
        care.plan_visits(session, draft, actor=book.actor, now=now)


def area_of(book: Book, resident: Resident) -> str:
    """The area in which somebody lives."""
    community = book.community
    stairwells = {one.code: one.stairwell_code for one in community.register.households}
    buildings = {one.code: one.building_code for one in community.grid.stairwells}
    areas = {one.code: one.area_code for one in community.grid.buildings}
    return areas[buildings[stairwells[resident.household_code]]]


def since(now: datetime) -> date:
    """The day of joining: before the middle of the month, so that this month counts."""
    today = clock.today(now)
    return today.replace(day=min(today.day, MIDDLE_OF_MONTH))


def record_visits(session: Session, book: Book, people: Sequence[Resident], *, now: datetime) -> None:
    """Visits of the last days, each by a helper of the area."""
    known, helpers = book.known(session), able(book)
    homes, performers = known.households(), known.performers()
    for number, one in enumerate(people):
        helper = helpers[area_of(book, one)][number % 2]
        record = care.Record(
            household_id=homes[one.household_code],
            kind="visit",
            happened_at=max(now - timedelta(days=number % 5), first_hour(now)),
            performer_id=performers[helper],
            mood=str(list(Mood)[number % 3]),
            complaint=SAID[number],
            confirmed=True,
        )
        care.record_contact(session, record, actor=book.actor, now=now)


def first_hour(now: datetime) -> datetime:
    """The first moment of the day of joining."""
    return datetime.combine(since(now), time(), SHANGHAI)
