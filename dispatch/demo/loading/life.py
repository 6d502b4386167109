"""A chunk of the load: groups of 三访三问, what happened lately and who was visited, what was asked and answered."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.demo.loading.book import Book
from dispatch.demo.loading.care import area_of, chosen
from dispatch.demo.loading.giving import holding
from dispatch.demo.loading.shelves import fund_of
from dispatch.demo.organisations import COMMUNITY
from dispatch.demo.people import Resident
from dispatch.models.care import CareGroup, LifeEvent
from dispatch.models.orders import Order
from dispatch.rules.care.asking import AskKind, EntrySource, Outcome
from dispatch.rules.care.events import Event, Source
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services import funds, life, orders
from dispatch.services.care import asking, condoling, events, gifting, groups, visiting
from dispatch.services.care.asking import AnswerDraft, AskingDraft, EntryDraft
from dispatch.services.care.events import EventDraft
from dispatch.services.orders import NamedRound, WorkReport

ONE, LONG_AGO = timedelta(days=1), timedelta(days=90)
LISTED: Final = (("retired", 30), ("elders_association", 18))
MORNING, AFTERNOON, ALL_DAY = time(9, 30), time(15), "1-7 08:00-20:00"
GIFT_FEN = 20_000


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that happened to one of those listed: how many days ago it was told, whether the visit was paid."""

    kind: Event
    days: int
    source: Source
    words: str
    is_paid: bool = False
    is_of_home: bool = False


HAPPENED: Final = (
    Happened(Event.HOSPITAL, 6, Source.REGISTER, "住进市人民医院骨科，老伴陪护", is_paid=True),
    Happened(Event.DISASTER, 4, Source.CALL, "厨房起火已扑灭，灶台和吊顶烧坏", is_paid=True, is_of_home=True),
    Happened(Event.HOSPITAL, 2, Source.HELPER, "上门时听邻居说昨晚送医院了"),
    Happened(Event.DEATH, 1, Source.DESK, "家属来社区办手续", is_paid=True),
    Happened(Event.ACCIDENT, 0, Source.CALL, "在楼下摔了一跤，在家休养"),
)
"""The newest last; all of it made up."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with what was said to it, how each was answered (none: it waits), and the days until it ends."""

    kind: AskKind
    title: str
    words: str
    days: int
    said: tuple[tuple[EntryDraft, AnswerDraft | None], ...]


HERE, NAMELESS = EntrySource.DESK, {"source": EntrySource.SITE, "anonymous": True}
ASKED: Final = (
    Asked(AskKind.POLICY, "停车位怎么排", "小区停车位不够，按户排还是按到家先后？", -2, (
        (EntryDraft("按户排，一户一个", HERE, name="周建军"),
         AnswerDraft(Outcome.EXPLAINED, "下次居民议事会表决，结果贴在公告栏", "按户排，一户一个")),
        (EntryDraft("晚上把广场开放给停车", **NAMELESS),
         AnswerDraft(Outcome.ADOPTED, "晚八点到早七点开放文化广场，下月一日起", "晚上把广场开放给停车")),
    )),
    Asked(AskKind.IDEA, "楼道堆物怎么管", "楼道里堆了杂物，您有什么好办法？", 20, (
        (EntryDraft("每季度定一天，社区派车来拉", **NAMELESS),
         AnswerDraft(Outcome.ADOPTED, "每季度最后一个周六，派车到各片区", "每季度定一天，社区派车来拉")),
        (EntryDraft("先给放不下东西的人家找个地方", EntrySource.HELPER, name="吴彩凤"), None),
    )),
    Asked(AskKind.NEED, "这个冬天您需要什么", "天冷了，家里有什么难处，想要社区办什么？", 30, (
        (EntryDraft("楼道的灯坏了一个月，晚上看不见", HERE, name="陈美珍"), None),
        (EntryDraft("想学用手机挂号", **NAMELESS),
         AnswerDraft(Outcome.ADOPTED, "十二月起每周三下午在社区教，带手机来", "想学用手机挂号")),
        (EntryDraft("能不能多几张长椅", **NAMELESS),
         AnswerDraft(Outcome.EXPLAINED, "已向街道申请，批下来就装", "多几张长椅")),
    )),
)  # fmt: skip


def load_life(session: Session, book: Book) -> int:
    """Groups, events with their visits, questions with answers; 0 when they are there."""
    community_id = book.known(session).organisations()[COMMUNITY]
    if session.scalars(select(CareGroup.id).where(CareGroup.community_id == community_id)).first() is not None:
        return 0
    groups.begin_groups(session, community_id, actor=book.actor)
    listed = list_people(session, book, community_id)
    happen(session, book, listed[::4])
    ask(session, book, community_id)
    return len(listed) + len(HAPPENED) + len(ASKED)


def list_people(session: Session, book: Book, community_id: int) -> Sequence[Resident]:
    """Retired people and members of the association, none of them in a programme of care; who was listed."""
    now, ids = clock.now(session), book.known(session).residents()
    elders = chosen(book)
    cared = {one.household_code for one in (*elders.homes, *elders.vouchers, *elders.devices)}
    retired = [one for one in book.community.register.residents if one.retired and one.household_code not in cared]
    by_code = select(CareGroup.code, CareGroup.id).where(CareGroup.community_id == community_id)
    group_ids = dict(session.execute(by_code).all())
    first = 0
    for code, number in LISTED:
        for one in retired[first * 7 : (first + number) * 7 : 7]:
            groups.add_member(session, group_ids[code], ids[one.code], actor=book.actor, now=now - LONG_AGO)
        first += number
    return retired[: first * 7 : 7]


def happen(session: Session, book: Book, people: Sequence[Resident]) -> None:
    """What happened to them, the visits that were paid, and money that went with the first of them."""
    now = clock.now(session)
    for one, happened in zip(people, HAPPENED, strict=False):
        day = clock.today(now) - happened.days * ONE
        event = told(session, book, one, happened, now=min(now, datetime.combine(day, MORNING, SHANGHAI)))
        if happened.is_paid:
            pay(session, event, now=datetime.combine(day, AFTERNOON, SHANGHAI))
        if happened is HAPPENED[0]:
            give(session, book, event, now=now)


def told(session: Session, book: Book, resident: Resident, happened: Happened, *, now: datetime) -> LifeEvent:
    """It is told, and somebody of the area is named to go."""
    known = book.known(session)
    near = next(
        one.code
        for one in book.community.helpers
        if visiting.KIND in one.kinds and area_of(book, resident) in one.areas and ALL_DAY in one.hours
    )
    resident_id, home_id = known.residents()[resident.code], known.households()[resident.household_code]
    draft = EventDraft(
        happened.kind,
        clock.today(now),
        resident_id=None if happened.is_of_home else resident_id,
        household_id=home_id if happened.is_of_home else None,
        source=happened.source,
        words=happened.words,
        performer_id=known.performers()[near],
    )
    by = {"actor": replace(book.actor, user_id=known.users()["welfare1"]), "now": now}
    return life.record_death(session, draft, **by) if draft.kind is Event.DEATH else events.tell(session, draft, **by)


def pay(session: Session, event: LifeEvent, *, now: datetime) -> None:
    """The named person takes the order, goes and says so."""
    ((visit, number, _),) = events.visits_of(session, event)
    order = session.get_one(Order, visit.order_id)
    orders.route(session, order.id, now=event.told_at)
    ((offer, recipient, _),) = orders.offers_of(session, order)
    part = NamedRound(recipient.performer_id, number or "", offer.round)
    orders.accept(session, part, now=event.told_at)
    orders.finish(session, part, WorkReport("done", note="已登门，转达了社区的问候"), now=now)
    condoling.hear_of_condolence(session, order, order.version, now)


def give(session: Session, book: Book, event: LifeEvent, *, now: datetime) -> None:
    """Money for party care goes with a visit: asked by one, approved by another."""
    users = book.known(session).users()
    asker, approver = (replace(book.actor, user_id=users[login]) for login in ("welfare1", "centre1"))
    ((visit, _, _),) = events.visits_of(session, event)
    places = [f(session, event.community_id, code) for f, code in ((fund_of, "party"), (holding, "bank"))]
    fund_id, holding_id = places
    asked = gifting.ask_gift(
        session, visit.id, fund_id=fund_id, holding_id=holding_id, fen=GIFT_FEN, actor=asker, now=now
    )
    funds.approve_spending(session, asked.id, actor=approver, now=now)


def ask(session: Session, book: Book, community_id: int) -> None:
    """What was asked of everybody, said and answered."""
    now, users = clock.now(session), book.known(session).users()
    clerk, began = replace(book.actor, user_id=users["welfare1"]), now - 9 * ONE
    for one in ASKED:
        ends = clock.today(now) + one.days * ONE
        draft = AskingDraft(one.kind, one.title, one.words, opens_on=clock.today(began), closes_on=ends)
        made = asking.open_asking(session, community_id, draft, actor=clerk, now=began)
        for number, (entry, answer) in enumerate(one.said):
            said_at = began + (number + 1) * ONE
            kept = asking.take_entry(session, made.id, entry, actor=clerk, now=said_at)
            if answer is not None:
                asking.answer_entry(session, kept.id, answer, actor=clerk, now=said_at + 2 * ONE)
