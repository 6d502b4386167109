"""A chunk of the load: counselling with its sealed notes, a course, activities, the station's counter, work sought."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.loading.book import Book
from dispatch.demo.organisations import CENTRE, COMMUNITY
from dispatch.models.care import Counsellor
from dispatch.rules.access.roles import Actor, ActorKind, Role, Scope, rights_of
from dispatch.rules.care.counselling import Source
from dispatch.rules.care.courses import Outcome
from dispatch.rules.care.station import Ended, Found
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services.care import counselling
from dispatch.services.care.counselling import Booking, keys, notes
from dispatch.services.care.counselling.sealing import NewPassphrase
from dispatch.services.care.courses import CourseDraft, certifying, planning, roster
from dispatch.services.care.station import Came, VacancyDraft, counting, jobs

COUNSELLOR: Final = "counsellor1"
HOLDERS: Final = (("centre1", Role.CENTRE), ("welfare1", Role.WELFARE))
INSTITUTE: Final = "绿谷健康教育研究所"
PHONE: Final = "174000002{:02}"
"""Of a range that nobody has (174 0000)."""
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
OFFERED: Final = ("counsel_individual", "counsel_marriage", "counsel_elder", "counsel_grief")
ALIASES: Final = ("小雨", "老树", "青草")
NOTE: Final = "（演示）第一次来，谈了四十分钟，约好下周再谈。"
MEMBERS: Final = ("吴小妹", "潘丽珍", "叶海燕", "雷美芳", "蓝春花", "周雪琴", "王爱华", "陈巧云", "林素珍", "徐玉兰")
PLACES: Final = 8
TOPICS: Final = ("新生儿喂养", "辅食添加", "常见病护理", "早期教育")
ACTIVITIES: Final = (
    ("counsel_lecture", "睡眠与情绪讲座", "社区大会议室", 46),
    ("counsel_health", "高血压自我管理课", "居家养老中心", 32),
    ("counsel_group", "陪读家长互助小组", "二楼小间", 11),
    ("counsel_lecture", "更年期心理讲座", "社区大会议室", 38),
    ("counsel_health", "老年防跌倒练习", "文化广场", 54),
)
CAME: Final = (
    ("housekeeping", 5),
    ("plumbing_electric", 3),
    ("drain_clearing", 3),
    ("job_placement", 2),
    ("other_service", 3),
)
SENT: Final = ("plumbing_electric", "厨房水龙头一直滴水，老人自己关不紧")
VISITORS: Final = ("何女士", "毛师傅", "", "叶大伯", "")
SEEKERS: Final = (("何秋菊", "保洁或钟点工，上午有空"), ("毛建国", "保安，能上夜班"), ("梅小芬", "育婴师，有结业证"))
VACANCIES: Final = (
    ("万地物业", "保安", 2, "三班倒，包一餐"),
    ("丽阳家政公司", "保洁员", 3, "按小时算，每小时28元"),
    ("阳光托育园", "育婴师", 1, "有结业证，周末双休"),
)


def load_station(session: Session, book: Book) -> int:
    """Counsellor, course, activities, counter and work sought; 0 when they are there. All of it made up."""
    community_id = book.known(session).organisations()[COMMUNITY]
    if session.scalars(select(Counsellor.id).where(Counsellor.community_id == community_id)).first() is not None:
        return 0
    now = clock.now(session)
    load_counselling(session, book, community_id, now=now)
    load_course(session, book, community_id, now=now)
    load_counter(session, book, community_id, now=now)
    load_work(session, book, community_id, now=now)
    return 1 + len(MEMBERS) + len(ACTIVITIES) + len(VACANCIES) + len(SEEKERS)


def person(session: Session, book: Book, login: str, role: Role, community_id: int) -> Actor:
    """Somebody of the staff, acting in the community."""
    return Actor(
        kind=ActorKind.OPERATOR,
        user_id=book.known(session).users()[login],
        organisation_id=community_id,
        roles=frozenset({role}),
        rights=rights_of([role]),
        scope=Scope(organisations=frozenset({community_id}), communities=frozenset({community_id})),
    )


def passphrase(book: Book, login: str) -> NewPassphrase:
    """In the demo, and only there, somebody's passphrase is their password: a visitor is to open a note."""
    return NewPassphrase(book.secrets.password(login))


def load_counselling(session: Session, book: Book, community_id: int, *, now: datetime) -> None:
    """A counsellor with a key that two hold; times of two weeks, some booked; one of last week with its note."""
    services = book.known(session).services()
    for login, role in HOLDERS:
        holder = person(session, book, login, role, community_id)
        keys.make_holder_key(session, community_id, passphrase(book, login), actor=holder, now=now)
    acting = person(session, book, COUNSELLOR, Role.COUNSELLOR, community_id)
    counselling.appoint(
        session,
        community_id,
        user_id=book.known(session).users()[COUNSELLOR],
        shown_as="林老师",
        institute=INSTITUTE,
        service_ids=[services[code] for code in OFFERED],
        actor=book.actor,
        now=now,
    )
    holding = [one.key_id for one in keys.holders(session, community_id)]
    keys.make_counsellor_key(session, passphrase(book, COUNSELLOR), holding, actor=acting, now=now)
    kept(session, book, community_id, services[OFFERED[0]], acting, now=now)
    tomorrow = clock.today(now) + DAY
    for number, hour in enumerate((9, 14, 16)):
        begins = datetime.combine(tomorrow + number * DAY, time(hour), SHANGHAI)
        slots = counselling.open_slots(session, begins, begins + HOUR, "二楼小间", weeks=2, actor=acting, now=now)
        if number < len(ALIASES) - 1:
            asked = Booking(
                services[OFFERED[number]], Source.WEB, ALIASES[number], slots[0].id, phone=PHONE.format(number)
            )
            counselling.book(session, community_id, asked, actor=book.actor, now=now)


def kept(session: Session, book: Book, community_id: int, service_id: int, acting: Actor, *, now: datetime) -> None:
    """An appointment of last week: booked the day before, kept, and written about."""
    begins = datetime.combine(clock.today(now) - 7 * DAY, time(10), SHANGHAI)
    before = begins - 12 * HOUR
    slot = counselling.open_slots(session, begins, begins + HOUR, "二楼小间", actor=acting, now=before)[0]
    asked = Booking(service_id, Source.PHONE, ALIASES[-1], slot.id, phone=PHONE.format(9))
    made, _ = counselling.book(session, community_id, asked, actor=book.actor, now=before)
    counselling.note_outcome(session, made, came=True, actor=acting, now=now)
    notes.write_note(session, made.id, NOTE, actor=acting, now=now)


def load_course(session: Session, book: Book, community_id: int, *, now: datetime) -> None:
    """育婴师 with more people than places, four sessions, certificates and work; activities of the last months."""
    services, today = book.known(session).services(), clock.today(now)
    draft = CourseDraft(
        service_id=services["counsel_training"],
        name="国家级育婴师培训",
        partner=INSTITUTE,
        place="社区二楼教室",
        starts_on=today - 40 * DAY,
        ends_on=today + 20 * DAY,
        places=PLACES,
    )
    course = planning.open_course(session, community_id, draft, actor=book.actor)
    by = {"actor": book.actor, "now": now}
    people = [
        roster.enrol(session, course.id, name, PHONE.format(20 + number), **by) for number, name in enumerate(MEMBERS)
    ]
    seated = [one.id for one in people[:PLACES]]
    for number, topic in enumerate(TOPICS):
        begins = datetime.combine(today - (35 - 7 * number) * DAY, time(14), SHANGHAI)
        held = planning.add_session(session, course.id, begins, begins + 3 * HOUR, topic, actor=book.actor)
        roster.note_presence(session, held.id, seated[: PLACES - number], **by)
    begins = datetime.combine(today + 7 * DAY, time(14), SHANGHAI)
    planning.add_session(session, course.id, begins, begins + 3 * HOUR, "实操考核", actor=book.actor)
    for one in seated[:4]:
        certifying.issue(session, one, **by)
    for one, outcome in zip(seated, (Outcome.EMPLOYED, Outcome.SELF_EMPLOYED, Outcome.LOOKING), strict=False):
        roster.note_outcome(session, one, outcome, today - DAY, **by)
    for number, (code, title, place, present) in enumerate(ACTIVITIES):
        about = {"held_on": today - (9 + 17 * number) * DAY, "present": present}
        planning.log_activity(session, community_id, services[code], title, place, **about, **by)


def load_counter(session: Session, book: Book, community_id: int, *, now: datetime) -> None:
    """Who came to the counter in the last months."""
    ids = {kind.code: kind.id for kind in counting.kinds(session, community_id)}
    known: Sequence[tuple[str, int]] = [(code, times) for code, times in CAME if code in ids]
    for place, (code, times) in enumerate(known):
        for number in range(times):
            day = clock.today(now) - (3 + place + 13 * number) * DAY
            at = datetime.combine(day, time(9 + place, 12 * number), SHANGHAI)
            went = {"ended": Ended.REFERRED, "referred_to": "街道民政办"} if number == 2 else {"ended": Ended.DONE}  # noqa: PLR2004 - the third
            visitor = VISITORS[(place + number) % len(VISITORS)]
            came = Came(ids[code], visitor=visitor, **went)
            counting.note_visit(session, community_id, came, actor=book.actor, now=at)
    send_somebody(session, book, community_id, ids, now=now)


def send_somebody(session: Session, book: Book, community_id: int, ids: Mapping[str, int], *, now: datetime) -> None:
    """Who came this morning and needs somebody at home: counted, and an order in the same step."""
    code, words = SENT
    where = {"address_text": book.community.grid.buildings[0].address, "phone": PHONE.format(30)}
    came = Came(ids[code], Ended.ORDERED, VISITORS[0], description=words, **where)
    at_the_counter = replace(book.actor, organisation_id=book.known(session).organisations()[CENTRE])
    counting.note_visit(session, community_id, came, actor=at_the_counter, now=now)


def load_work(session: Session, book: Book, community_id: int, *, now: datetime) -> None:
    """Vacancies, who seeks work, one who was hired and one who waits for an answer."""
    by, until = {"actor": book.actor, "now": now}, clock.today(now) + 30 * DAY
    offers = [
        jobs.add_vacancy(session, community_id, VacancyDraft(employer, title, places, until, terms), **by)
        for employer, title, places, terms in VACANCIES
    ]
    people = [
        jobs.register_seeker(session, community_id, name, PHONE.format(40 + number), wish, has_consented=True, **by)
        for number, (name, wish) in enumerate(SEEKERS)
    ]
    hired = jobs.introduce(session, offers[0].id, people[1].id, **by)
    jobs.note_outcome(session, hired.id, Found.HIRED, **by)
    jobs.introduce(session, offers[1].id, people[0].id, **by)
