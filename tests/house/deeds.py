"""What can be asked of each object that an address names, with a body that is right: one row for each route."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from io import BytesIO
from typing import Any

from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.catalogue import KnowledgeItem
from dispatch.models.notify import Alarm, Notice
from dispatch.models.orders import Escalation, EscalationRecipient, Order
from dispatch.rules.access.roles import Role
from dispatch.rules.catalogue.knowledge import KnowledgeText
from dispatch.rules.orders.requests import RequestKind, Wish
from dispatch.services import care, catalogue, notify, orders
from dispatch.services.orders import NamedRound, OrderDraft, WorkReport
from tests.factories.knowledge import make_knowledge
from tests.factories.visits import helper, resident, visit_service
from tests.factories.world import NUMBERS, World, service, staff
from tests.house import merged_orders
from tests.house.more_deeds import MORE_DEEDS

Body = dict[str, Any]
NO_BODY: Body = {}


Maker = Callable[[Session, World, int], str]
"""Makes the object in a world for a user and gives what the address says of it."""


@dataclass(frozen=True, slots=True)
class Deed:
    """An object in the state in which the body is right, the body, and what the answer to it is."""

    make: Maker
    status: int
    body: Callable[[World], Body] = field(default=lambda _: NO_BODY)


def placed(session: Session, world: World, now: datetime, **changes: Any) -> Order:
    """An order of the world's community, routed: offered to a firm where the changes leave one."""
    values: Body = {
        "service_code": "drain_clearing",
        "description": "厨房下水道堵了",
        "stairwell_id": world.stairwells[0].id,
        "caller_phone": "17400000001",
        "caller_name": "陈桂花",
    }
    draft = OrderDraft(**(values | changes))
    order = orders.place(session, draft, actor=staff(session, world, Role.OPERATOR), now=now)
    orders.route(session, order.id, now=now)
    session.refresh(order)
    return order


def offered(session: Session, world: World, _user_id: int) -> str:
    """An order that a firm was offered."""
    return placed(session, world, clock.now(session)).number


def unplaced(session: Session, world: World, _user_id: int) -> str:
    """An order whose place nobody has found: its desk's."""
    order = placed(session, world, clock.now(session), stairwell_id=None, address_text="说不清在哪里")
    assert order.state == "received"
    return order.number


def waiting(session: Session, world: World, _user_id: int) -> str:
    """An order that nobody can take: it waits for a human."""
    everybody = tuple(firm.id for firm in world.firms)
    order = placed(session, world, clock.now(session), excluded_performers=everybody)
    assert order.state == "awaiting_human"
    return order.number


def unsigned(session: Session, world: World, _user_id: int) -> str:
    """An order for which a team has to sign."""
    kind = service(session, world.district, f"team_work_{next(NUMBERS)}", performer="team_worker", signed_for=True)
    order = placed(session, world, clock.now(session), service_code=kind.code)
    assert order.state == "dispatched"
    return order.number


def done(session: Session, world: World, now: datetime) -> Order:
    """An order whose firm has accepted it, done it and sent a photo."""
    order = placed(session, world, now)
    ((offer, recipient, _),) = orders.offers_of(session, order)
    part = NamedRound(recipient.performer_id, order.number, offer.round)
    orders.accept(session, part, now=now)
    photo = BytesIO()
    Image.new("RGB", (60, 40), "red").save(photo, "JPEG")
    orders.finish(session, part, WorkReport("done", photos=(photo.getvalue(),)), now=now)
    return order


def taken(session: Session, world: World, now: datetime) -> Order:
    """An order that a firm has taken."""
    order = placed(session, world, now)
    ((offer, recipient, _),) = orders.offers_of(session, order)
    orders.accept(session, NamedRound(recipient.performer_id, order.number, offer.round), now=now)
    return order


def asked(session: Session, world: World, user_id: int, *, by_user: bool = False) -> str:
    """A return that a team has asked for, or the user."""
    now = clock.now(session)
    order = placed(session, world, now)
    head = staff(session, world, Role.TEAM_HEAD)
    asker = replace(head, user_id=user_id) if by_user and user_id else head
    words = {"grounds": "不归本团队", "basis": "职责第二条"}
    return str(orders.ask(session, order, RequestKind.RETURN, **words, actor=asker, now=now).id)


def asked_by_user(session: Session, world: World, user_id: int) -> str:
    """A return that the user has asked for."""
    return asked(session, world, user_id, by_user=True)


def granted(session: Session, world: World, kind: RequestKind, wish: Wish) -> str:
    """An order of which something was asked and granted."""
    now = clock.now(session)
    order = taken(session, world, now)
    head, centre = staff(session, world, Role.TEAM_HEAD), staff(session, world, Role.CENTRE)
    request = orders.ask(session, order, kind, grounds="要等", wish=wish, actor=head, now=now)
    orders.decide(session, order, request.id, granted=True, reason="属实", actor=centre, now=now)
    return order.number


def held(session: Session, world: World, _user_id: int) -> str:
    """An order on hold."""
    return granted(session, world, RequestKind.HOLD, Wish(until=clock.now(session) + timedelta(days=5)))


def helped(session: Session, world: World, _user_id: int) -> str:
    """An order with which the block team helps."""
    return granted(session, world, RequestKind.HELP, Wish(team_id=world.block.id, task="开门"))


def supervised(session: Session, world: World, _user_id: int) -> str:
    """An order that the centre supervises."""
    now = clock.now(session)
    order = placed(session, world, now)
    orders.supervise(session, order, reason="批示", actor=staff(session, world, Role.CENTRE), now=now)
    return order.number


def finished(session: Session, world: World, _user_id: int) -> str:
    """The same today."""
    return done(session, world, clock.now(session)).number


def answered(session: Session, world: World, _user_id: int) -> str:
    """The same some days ago, with the answer given: its callback is due."""
    before = clock.now(session) - timedelta(days=7)
    order = done(session, world, before)
    orders.feed_back(session, order, answer="已疏通", actor=staff(session, world, Role.TEAM_HEAD), now=before)
    return order.number


def schedule(session: Session, world: World, _user_id: int) -> str:
    """A schedule of visits."""
    kind = visit_service(session, world)
    draft = care.VisitDraft(
        resident_id=resident(session, world).id,
        service_code=kind.code,
        starts_at=clock.now(session) + timedelta(days=1),
        rule="FREQ=DAILY;COUNT=3",
        window_minutes=120,
        performer_id=helper(session, world, [kind]).id,
    )
    return str(
        care.plan_visits(session, draft, actor=staff(session, world, Role.DISPATCHER), now=clock.now(session)).id
    )


def kind_of_the_district(session: Session, world: World, _user_id: int) -> str:
    """A kind of order that only this district knows."""
    code = f"kind_{next(NUMBERS)}"
    service(session, world.district, code)
    return code


def knowledge(session: Session, world: World, _user_id: int) -> str:
    """A knowledge item that the district keeps."""
    code = f"item_{next(NUMBERS)}"
    text = KnowledgeText(
        title="老年卡办理",
        body="带身份证到窗口。",
        source="示例",
        valid_from=date(2026, 1, 1),
        kinds=("drain_clearing",),
    )
    made = catalogue.create_knowledge(
        session, code, text, actor=staff(session, world, Role.DISPATCHER), now=clock.now(session)
    )
    NEWEST_ITEM[world.district.id] = (made.item.id, code)
    return code


def citable(session: Session, world: World) -> str:
    """The code of the item of knowledge with which calls of the world are answered."""
    code = code_of(world)
    if session.scalars(select(KnowledgeItem.id).where(KnowledgeItem.code == code)).first() is None:
        make_knowledge(session, staff(session, world, Role.CENTRE), clock.now(session), code=code)
    return code


def code_of(world: World) -> str:
    """The item's code, one for each world."""
    return f"card_{world.district.id}"


def answerable(session: Session, world: World, user_id: int) -> str:
    """An order in nobody's hands yet, and the item that answers it."""
    citable(session, world)
    return unplaced(session, world, user_id)


def answered_directly(session: Session, world: World, _user_id: int) -> str:
    """A call that was closed with an item of knowledge."""
    actor, draft = staff(session, world, Role.OPERATOR), OrderDraft("老年卡怎么办")
    citation = orders.Citation(code=citable(session, world), version=1)
    return orders.answer_call(session, draft, citation, actor=actor, now=clock.now(session)).number


def knowledge_page(session: Session, world: World, user_id: int) -> str:
    """The same by its id."""
    knowledge(session, world, user_id)
    return str(NEWEST_ITEM[world.district.id][0])


def asking_page(session: Session, world: World, user_id: int) -> str:
    """An order in 受理中 and, for its page, the newest item."""
    knowledge(session, world, user_id)
    return unplaced(session, world, user_id)


def alarm(session: Session, world: World, _user_id: int) -> str:
    """An alarm of the community."""
    subject = f"order:{next(NUMBERS)}"
    place = {"organisation_id": world.district.id, "community_id": world.community.id}
    notify.raise_alarm(session, kind="order_waits", subject=subject, level="warning", **place)
    return str(session.scalars(select(Alarm.id).where(Alarm.subject == subject)).one())


def notice(session: Session, world: World, user_id: int) -> str:
    """A notice in the inbox of the user, or of somebody of the world."""
    receiver = user_id or staff(session, world, Role.OPERATOR).user_id
    assert receiver is not None
    dedupe = f"test:{next(NUMBERS)}"
    notify.tell_user(
        session, dedupe=dedupe, template="escalation", user_id=receiver, now=clock.now(session), facts={"level": 1}
    )
    return str(session.scalars(select(Notice.id).where(Notice.dedupe == dedupe)).one())


def escalated(session: Session, world: World, user_id: int) -> str:
    """A level of lateness that the user, or somebody of the world, was told."""
    now = clock.now(session)
    order = placed(session, world, now)
    receiver = user_id or staff(session, world, Role.OPERATOR).user_id
    level = Escalation(
        community_id=world.community.id, order_id=order.id, cycle=1, level="1", audience="centre", due_at=now
    )
    session.add(level)
    session.flush()
    row = EscalationRecipient(
        community_id=world.community.id,
        escalation_id=level.id,
        user_id=receiver,
        state="told",
        reached_at=now,
        told_at=now,
    )
    session.add(row)
    session.flush()
    return str(row.id)


REASON = {"reason": "居民要求"}
USEFUL = {"useful": "yes"}
NEWEST_ITEM: dict[int, tuple[int, str]] = {}
"""The newest item of each district: what a body cites."""

BY_HAND = {
    "place": lambda world: {"stairwell_id": world.stairwells[0].id},
    "dispatch": lambda world: REASON | {"performer_id": world.firms[2].id},
    "team": lambda world: REASON | {"team_id": world.block.id},
    "feedback": lambda _: {"answer": "已疏通"},
    "reason": lambda _: REASON,
    "request": lambda _: {"kind": "return", "grounds": "不归本团队", "basis": "职责第二条"},
    "help": lambda world: {"team_id": world.block.id, "answer": "门开了"},
    "remark": lambda _: {"text": "居民又来电"},
    "callback": lambda _: {"reached": True, "contacted": True, "solved": True, "satisfaction": "satisfied"},
}
TYPED = BY_HAND | {
    "place": lambda world: {"cell": f"stairwell:{world.stairwells[0].id}"},
    "callback": lambda _: {"reached": "yes", "contacted": "yes", "solved": "yes", "satisfaction": "satisfied"},
}
ORDER, PAGE = "/api/orders/<number>", "/orders/<number>"
SCHEDULE = "/api/visit-schedules/<int(min=1, max=9223372036854775807):schedule_id>"
KNOWLEDGE = "/api/knowledge/<string(maxlength=60):code>"
REQUEST = "/requests/<int(min=1, max=9223372036854775807):request_id>"
A_KEY_NEVER_CALLS_BACK = 403
SOMEBODY_ELSE_ASKED = 403
NEW_TEXT = {
    "title": "老年卡办理",
    "body": "全程网办。",
    "source": "示例",
    "valid_from": "2026-01-01",
    "kinds": ["drain_clearing"],
    "version": 1,
}
TYPED_TEXT = {name: value for name, value in NEW_TEXT.items() if name != "kinds"} | {"kind": "drain_clearing"}
ITEM_PAGE = "/knowledge/<int(max=9223372036854775807):item_id>"

DEEDS: dict[tuple[str, str], Deed] = {
    ("GET", ORDER): Deed(offered, 200),
    ("GET", f"{ORDER}/history"): Deed(offered, 200),
    ("GET", f"{ORDER}/decisions"): Deed(offered, 200),
    ("GET", f"{ORDER}/offers"): Deed(offered, 200),
    ("GET", f"{ORDER}/ledger"): Deed(offered, 200),
    ("POST", f"{ORDER}/place"): Deed(unplaced, 200, BY_HAND["place"]),
    ("POST", f"{ORDER}/dispatch"): Deed(offered, 200, BY_HAND["dispatch"]),
    ("POST", f"{ORDER}/route"): Deed(waiting, 200, BY_HAND["reason"]),
    ("POST", f"{ORDER}/team"): Deed(waiting, 200, BY_HAND["team"]),
    ("POST", f"{ORDER}/signature"): Deed(unsigned, 200),
    ("POST", f"{ORDER}/feedback"): Deed(finished, 200, BY_HAND["feedback"]),
    ("POST", f"{ORDER}/callbacks"): Deed(answered, A_KEY_NEVER_CALLS_BACK, BY_HAND["callback"]),
    ("POST", f"{ORDER}/void"): Deed(offered, 200, BY_HAND["reason"]),
    ("GET", f"{ORDER}/answer"): Deed(answered_directly, 200),
    ("POST", f"{ORDER}/answer"): Deed(answerable, 200, lambda world: {"knowledge_code": code_of(world)}),
    ("POST", f"{ORDER}/usefulness"): Deed(answered_directly, 200, lambda _: {"useful": "yes"}),
    ("POST", f"{ORDER}/remarks"): Deed(offered, 200, BY_HAND["remark"]),
    ("GET", f"{ORDER}/requests"): Deed(offered, 200),
    ("POST", f"{ORDER}/requests"): Deed(offered, 200, BY_HAND["request"]),
    ("POST", f"/api{REQUEST}/decision"): Deed(asked, 200, lambda _: REASON | {"granted": False}),
    ("DELETE", f"/api{REQUEST}"): Deed(asked, SOMEBODY_ELSE_ASKED),
    ("POST", f"{ORDER}/resumption"): Deed(held, 200, BY_HAND["reason"]),
    ("POST", f"{ORDER}/help"): Deed(helped, 200, BY_HAND["help"]),
    ("POST", f"{ORDER}/urges"): Deed(offered, 200, BY_HAND["reason"]),
    ("POST", f"{ORDER}/supervision"): Deed(offered, 200, BY_HAND["reason"]),
    ("POST", f"{ORDER}/confidentiality"): Deed(offered, 200, lambda _: REASON | {"confidential": True}),
    ("POST", f"{ORDER}/supervision/end"): Deed(supervised, 200, lambda _: {"finding": "看过"}),
    ("GET", "/api/services/<string:code>"): Deed(kind_of_the_district, 200),
    ("GET", KNOWLEDGE): Deed(knowledge, 200),
    ("GET", f"{KNOWLEDGE}/versions"): Deed(knowledge, 200),
    ("POST", f"{KNOWLEDGE}/versions"): Deed(knowledge, 201, lambda _: NEW_TEXT),
    ("POST", f"{KNOWLEDGE}/withdrawal"): Deed(knowledge, 200, lambda _: REASON | {"version": 1}),
    ("GET", SCHEDULE): Deed(schedule, 200),
    ("PATCH", SCHEDULE): Deed(schedule, 200, lambda _: REASON | {"note": "下午来"}),
    ("DELETE", SCHEDULE): Deed(schedule, 200, BY_HAND["reason"]),
    ("GET", f"{SCHEDULE}/occurrences"): Deed(schedule, 200),
    ("GET", PAGE): Deed(offered, 200),
    ("GET", f"{PAGE}/now"): Deed(offered, 200),
    ("GET", f"{PAGE}/slip"): Deed(offered, 200),
    ("GET", f"{PAGE}/ledger.svg"): Deed(offered, 200),
    ("GET", f"{PAGE}/pictures/<int:position>"): Deed(finished, 200),
    ("GET", "/board/dispatch/<number>"): Deed(offered, 200),
    ("GET", "/desk/placed/<number>"): Deed(offered, 200),
    ("POST", f"{PAGE}/phone"): Deed(offered, 200),
    ("POST", f"{PAGE}/place"): Deed(unplaced, 303, TYPED["place"]),
    ("POST", f"{PAGE}/dispatch"): Deed(offered, 303, TYPED["dispatch"]),
    ("POST", f"{PAGE}/retry"): Deed(waiting, 303, TYPED["reason"]),
    ("POST", f"{PAGE}/team"): Deed(waiting, 303, TYPED["team"]),
    ("POST", f"{PAGE}/sign"): Deed(unsigned, 303),
    ("POST", f"{PAGE}/answer"): Deed(
        asking_page, 303, lambda world: {"cited": f"{NEWEST_ITEM[world.district.id][0]}:1"}
    ),
    ("POST", f"{PAGE}/usefulness"): Deed(answered_directly, 303, lambda _: USEFUL),
    ("POST", "/desk/answered/<number>/usefulness"): Deed(answered_directly, 200, lambda _: USEFUL),
    ("GET", ITEM_PAGE): Deed(knowledge_page, 200),
    ("GET", f"{ITEM_PAGE}/edit"): Deed(knowledge_page, 200),
    ("POST", f"{ITEM_PAGE}/edit"): Deed(knowledge_page, 303, lambda _: TYPED_TEXT),
    ("POST", f"{ITEM_PAGE}/withdraw"): Deed(knowledge_page, 303, lambda _: REASON | {"version": "1"}),
    ("POST", f"{PAGE}/feedback"): Deed(finished, 303, TYPED["feedback"]),
    ("POST", f"{PAGE}/callback"): Deed(answered, 303, TYPED["callback"]),
    ("POST", f"{PAGE}/void"): Deed(offered, 303, TYPED["reason"]),
    ("POST", f"{PAGE}/remark"): Deed(offered, 303, TYPED["reason"]),
    ("POST", f"{PAGE}/requests"): Deed(offered, 303, BY_HAND["request"]),
    ("POST", f"{REQUEST}/decision"): Deed(asked, 303, lambda _: REASON | {"granted": "no"}),
    ("POST", f"{REQUEST}/withdrawal"): Deed(asked_by_user, 303),
    ("POST", f"{PAGE}/resumption"): Deed(held, 303, BY_HAND["reason"]),
    ("POST", f"{PAGE}/help"): Deed(helped, 303, BY_HAND["help"]),
    ("POST", f"{PAGE}/urges"): Deed(offered, 303, BY_HAND["reason"]),
    ("POST", f"{PAGE}/supervision"): Deed(offered, 303, BY_HAND["reason"]),
    ("POST", f"{PAGE}/confidentiality"): Deed(offered, 303, lambda _: REASON | {"confidential": "yes"}),
    ("POST", f"{PAGE}/supervision/end"): Deed(supervised, 303, BY_HAND["reason"]),
    ("POST", "/inbox/<int(max=9223372036854775807):notice_id>/read"): Deed(notice, 303),
    ("POST", "/escalations/<int(max=9223372036854775807):escalated_id>/handled"): Deed(escalated, 303),
    ("POST", "/alarms/<int(max=9223372036854775807):alarm_id>/seen"): Deed(alarm, 303),
} | {route: Deed(*row) for route, row in merged_orders.ROWS.items()}
DEEDS |= {route: Deed(*row) for route, row in MORE_DEEDS.items()}
"""Every guarded route whose address names an object; a route that is missing here fails the test of the house."""
