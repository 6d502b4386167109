"""Confidential orders with a mark in every field that people fill, through every side path of their life."""

from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from typing import Any

from PIL import Image
from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.catalogue import PerformerService
from dispatch.models.notify import Notice
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor, Role
from dispatch.rules.orders.complaints import ComplaintKind
from dispatch.rules.orders.requests import RequestKind, Wish
from dispatch.services import orders
from dispatch.services.access import vault
from dispatch.services.orders import NamedRound, OrderDraft, WorkReport
from tests.factories.knowledge import make_knowledge
from tests.factories.world import World, service, staff

MARK = "暗记"
PHONE = "13905786611"
KIND = "密类"
ROOM = f"{MARK}室"


def marked(word: str) -> str:
    """A text that nobody but the allowed may read."""
    return f"{MARK}{word}"


@dataclass(frozen=True, slots=True)
class Secrets:
    """The orders, what their pages are asked with, the links of who holds one and who declined it.

    `ids` and `tokens` are those of the marked rows beside the orders.
    """

    numbers: dict[str, str]
    requests: tuple[int, ...]
    complaints: tuple[int, ...]
    holder: str
    decliner: str
    ids: dict[str, str] = field(default_factory=dict)
    tokens: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """Who tells the lives: the world with its staff."""

    session: Session
    world: World
    took_the_call: Actor
    head: Actor
    centre: Actor
    clerk: Actor

    def place(self, **changes: Any) -> Order:
        """A confidential order with every field of intake marked, routed."""
        now = clock.now(self.session)
        values: dict[str, Any] = {
            "service_code": "secret_kind",
            "description": marked("来电内容"),
            "caller_name": marked("姓名"),
            "caller_phone": PHONE,
            "stairwell_id": self.world.stairwells[0].id,
            "address_text": marked("地址"),
            "room": ROOM,
            "answers": {"spot": marked("回答")},
        }
        draft = OrderDraft(**(values | changes))
        order = orders.place(self.session, draft, actor=self.took_the_call, now=now)
        orders.route(self.session, order.id, now=now)
        self.session.refresh(order)
        return order

    def ask(self, order: Order, kind: RequestKind, wish: Wish | None = None) -> int:
        """Something asked, with marked grounds and basis."""
        asked = orders.ask(
            self.session,
            order,
            kind,
            grounds=marked(f"理由{kind}"),
            basis=marked(f"依据{kind}"),
            wish=wish,
            actor=self.head,
            now=clock.now(self.session),
        )
        return asked.id

    def grant(self, order: Order, request_id: int, *, granted: bool = True) -> None:
        """Decided, with a marked reason."""
        reason = marked(f"决定{request_id}")
        now = clock.now(self.session)
        orders.decide(self.session, order, request_id, granted=granted, reason=reason, actor=self.centre, now=now)


def round_of(session: Session, order: Order) -> NamedRound:
    """The open round of an order, by its newest recipient."""
    offer, recipient, _ = orders.offers_of(session, order)[-1]
    return NamedRound(recipient.performer_id, order.number, offer.round)


def link_of(session: Session, order: Order, performer_id: int) -> str:
    """The token that a performer was sent."""
    query = select(Notice.dedupe, Notice.secret).where(
        Notice.order_id == order.id, Notice.performer_id == performer_id, Notice.secret.is_not(None)
    )
    sealed = session.execute(query.limit(1)).one()
    return vault.open_sealed(f"notices.secret.{sealed.dedupe}", sealed.secret)


def photo() -> bytes:
    """A small photo."""
    out = BytesIO()
    Image.new("RGB", (60, 40), "red").save(out, "JPEG")
    return out.getvalue()


def tell(session: Session, world: World, took_the_call: Actor) -> Secrets:
    """All the lives; one order for each state in which a page or list shows it."""
    kind = service(
        session,
        world.district,
        "secret_kind",
        name=KIND,
        confidential=True,
        price_note=f"{KIND}收费",
        questions=[{"code": "spot", "text": f"{KIND}问题", "required": False, "values": {}}],
    )
    session.add_all(PerformerService(performer_id=firm.id, service_id=kind.id) for firm in world.firms)
    session.flush()
    people = [staff(session, world, role) for role in (Role.TEAM_HEAD, Role.CENTRE, Role.CALLBACK_CLERK)]
    story = Story(session, world, took_the_call, *people)
    going, decliner = working(story)
    ended = finished(story)
    unplaced = story.place(stairwell_id=None, caller_phone=None)
    waiting = story.place(excluded_performers=tuple(firm.id for firm in world.firms))
    later = story.place(confidential=False)
    orders.conceal(session, later, reason=marked("保密原因"), actor=took_the_call, now=clock.now(session))
    returning = story.ask(waiting, RequestKind.FINAL_ANSWER)
    now = clock.now(session)
    orders.supervise(session, waiting, reason=marked("督办"), actor=story.centre, now=now)
    make_knowledge(session, story.centre, now, code="secret_item")
    draft = OrderDraft(marked("咨询"), service_code="secret_kind", caller_name=marked("姓名"), caller_phone=PHONE)
    citation = orders.Citation(code="secret_item", version=1)
    answered = orders.answer_call(session, draft, citation, actor=took_the_call, now=now)
    found = {"going": going, "ended": ended, "unplaced": unplaced, "waiting": waiting, "later": later}
    found["answered"] = answered
    complaints = complained(story, going), complained(story, ended)
    holder = link_of(session, going, going.performer_id or 0)
    numbers = {stage: order.number for stage, order in found.items()}
    return Secrets(numbers, (returning,), complaints, holder, link_of(session, going, decliner))


def working(story: Story) -> tuple[Order, int]:
    """Declined, accepted, urged, held and resumed, helped, supervised, remarked; and who declined it."""
    session, now = story.session, clock.now(story.session)
    order = story.place()
    first = round_of(session, order)
    orders.decline(session, first, reason=marked("不接"), now=now)
    orders.route(session, order.id, now=now)
    session.refresh(order)
    orders.accept(session, round_of(session, order), now=now)
    orders.urge(session, order, reason=marked("催办"), by_resident=True, actor=story.took_the_call, now=now)
    story.grant(order, story.ask(order, RequestKind.EXTENSION, Wish(days=1)), granted=False)
    story.grant(order, story.ask(order, RequestKind.HOLD, Wish(until=now + timedelta(days=2))))
    orders.resume(session, order, reason=marked("恢复"), actor=story.centre, now=clock.now(session))
    story.grant(order, story.ask(order, RequestKind.HELP, Wish(team_id=story.world.line.id, task=marked("协办任务"))))
    team = story.world.line.id
    orders.finish_help(session, order, team_id=team, answer=marked("协办结果"), actor=story.head, now=now)
    orders.supervise(session, order, reason=marked("督办"), actor=story.centre, now=now)
    orders.end_supervision(session, order, finding=marked("核查"), actor=story.centre, now=now)
    orders.remark(session, order, text=marked("备注"), actor=story.head, now=now)
    return order, first.performer_id


def complained(story: Story, order: Order) -> int:
    """A complaint about who took the order, with the firm's answer."""
    session, now, clerk = story.session, clock.now(story.session), story.clerk
    kind = ComplaintKind.ATTITUDE
    one = orders.raise_complaint(session, order, kind, words=marked("投诉"), actor=clerk, now=now)
    orders.answer_complaint(session, order, one.id, answer=marked("辩解"), actor=clerk, now=now)
    return one.id


def finished(story: Story) -> Order:
    """Done with a note and a photo a week ago, answered, called back without success."""
    session, now = story.session, clock.now(story.session)
    order = story.place()
    part = round_of(session, order)
    orders.accept(session, part, now=now)
    orders.finish(session, part, WorkReport("partly", note=marked("说明"), photos=(photo(),)), now=now)
    orders.feed_back(session, order, answer=marked("答复"), actor=story.head, now=now)
    orders.record_callback(session, order, reached=False, remark=marked("回访"), actor=story.clerk, now=now)
    order.callback_due_at = now - timedelta(minutes=1)
    return order
