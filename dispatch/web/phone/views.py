"""What the phone page shows of an order: as much as its stage allows, and no more.

Before somebody has taken the order: the kind, the building, the wanted time, how far it is. Afterwards, only to
who took it: room, name, telephone (each showing is written to the audit trail), what was said. Of a confidential
order the area, and to who took it the way there and the telephone, nothing else (rules/orders/confidential.py).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.models.grid import Area, Building, Stairwell
from dispatch.models.orders import Order
from dispatch.rules.catalogue.prices import PriceLine
from dispatch.rules.orders.confidential import Detail, is_open_to, sees
from dispatch.rules.orders.routing import travel_minutes
from dispatch.rules.orders.states import OrderState
from dispatch.services import catalogue, orders
from dispatch.services.access import audit, files, policies, vault
from dispatch.services.care import vouchers
from dispatch.services.care.alarms.acting import ORIGIN as ALARM
from dispatch.services.care.reporting import kind_asked
from dispatch.services.care.vouchers import ShownVoucher
from dispatch.services.orders.offers import actor_of
from dispatch.web.prices import line_words

ONE_METRE_A_MINUTE = 1
STAGES_OF_WORK = {OrderState.ACCEPTED: "accepted", OrderState.ARRIVED: "arrived"}
CLOSED_OUTCOMES = {"declined": "declined", "lapsed": "lapsed", "lost": "taken", "withdrawn": "withdrawn"}
ACTS = {
    "offered": ("accept", "decline"),
    "accepted": ("set-out", "arrive", "finish", "give-back"),
    "on_the_way": ("arrive", "finish", "give-back"),
    "arrived": ("finish",),
}
WORKING = frozenset({"accepted", "on_the_way", "arrived"})
PRICED = WORKING | {"offered"}
PAID = frozenset({"arrived", "finished"})


@dataclass(frozen=True, slots=True)
class Visit:
    """What only the one who took the order sees."""

    address: str
    resident: str = field(repr=False)
    phone: str = field(repr=False)
    description: str = field(repr=False)
    answers: tuple[tuple[str, str], ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Done:
    """What was recorded of the finished work."""

    result: str
    cost_fen: int
    note: str
    photos: int
    is_signed: bool
    at: datetime
    link_until: datetime


@dataclass(frozen=True, slots=True)
class Payment:
    """How vouchers may pay for the order: what was taken, the card on the table, the firm's own price list."""

    paid: int | None
    shown: ShownVoucher | None
    items: tuple[tuple[str, str], ...]
    cost_fen: int


@dataclass(frozen=True, slots=True)
class Complained:
    """A complaint about this performer's work; the words are None of a confidential order."""

    id: int
    kind: str
    state: str
    words: str | None = field(repr=False)
    answer: str | None = field(repr=False)
    answer_due_at: datetime


@dataclass(frozen=True, slots=True)
class PhonePage:
    """The page of one link at one stage; `visit` and `done` are there only when the stage allows."""

    stage: str
    number: str
    kind: str
    kind_code: str
    price_note: str
    prices: tuple[str, ...]
    urgency: str
    performer: str
    place: str
    metres: int | None
    wanted_from: datetime | None
    wanted_until: datetime | None
    arrive_due_at: datetime | None
    answer_until: datetime
    answered_at: datetime | None
    proof: tuple[str, ...]
    is_confidential: bool
    asks: str | None
    visit: Visit | None
    done: Done | None
    complaints: tuple[Complained, ...]
    payment: Payment | None
    now: datetime

    @property
    def acts(self) -> tuple[str, ...]:
        """What may be posted now."""
        pays = self.payment is not None and self.payment.paid is None
        return ACTS.get(self.stage, ()) + (("redeem",) if pays else ())

    @property
    def needs_photo(self) -> bool:
        """Whether the kind asks for a photo of the finished work."""
        return "photo" in self.proof

    @property
    def needs_signature(self) -> bool:
        """Whether the kind asks for the resident's signature."""
        return "signature" in self.proof


def stage_of(view: orders.PhoneView) -> str:
    """Where this link stands: offered … finished, or why it is over; raises LinkDead for a withdrawn round."""
    if view.recipient.outcome == "open":
        return open_stage(view)
    if view.recipient.outcome != "accepted":
        return CLOSED_OUTCOMES[view.recipient.outcome]
    if not view.is_mine:
        return "elsewhere"
    return work_stage(view.order)


def open_stage(view: orders.PhoneView) -> str:
    """The stage of an offer that this recipient has not answered."""
    if view.is_open:
        return "offered"
    if view.offer.outcome == "withdrawn":
        raise orders.LinkDead
    return "taken" if view.offer.outcome == "accepted" else "lapsed"


def work_stage(order: Order) -> str:
    """The stage of an order that is this performer's."""
    if order.finished_at is not None:
        return "finished"
    stage = STAGES_OF_WORK.get(OrderState(order.state), "over")
    return "on_the_way" if stage == "accepted" and order.set_out_at is not None else stage


def page_of(session: Session, view: orders.PhoneView, *, shown: ShownVoucher | None = None, now: datetime) -> PhonePage:
    """Gather the page; reveals name and telephone, with an audit entry, only while the order is this link's."""
    order, service, stage = view.order, view.service, stage_of(view)
    performer = actor_of(view.recipient)
    shows_kind = sees(Detail.KIND, order, performer)
    shows_place = is_open_to(order, performer) or (stage in WORKING and sees(Detail.PLACE, order, performer))
    return PhonePage(
        stage=stage,
        number=order.number,
        kind=service.name if shows_kind else gettext("保密服务"),
        kind_code=service.code if shows_kind else "",
        price_note=(service.price_note or "") if shows_kind else "",
        prices=prices_of(session, view, now=now) if shows_kind and stage in PRICED else (),
        urgency=order.urgency,
        performer=view.performer.name,
        place=place_of(session, order) if shows_place else area_of(session, order),
        metres=metres_of(view) if shows_place else None,
        wanted_from=order.wanted_from,
        wanted_until=order.wanted_until,
        arrive_due_at=order.arrive_due_at,
        answer_until=view.offer.hold_until,
        answered_at=view.recipient.answered_at,
        proof=tuple(service.proof),
        is_confidential=order.confidential,
        asks=kind_asked(order, service),
        visit=visit_of(session, view, stage) if stage in WORKING else None,
        done=done_of(session, view) if stage == "finished" else None,
        complaints=complaints_of(session, view),
        payment=payment_of(session, view, stage, shown, now=now),
        now=now,
    )


def prices_of(session: Session, view: orders.PhoneView, *, now: datetime) -> tuple[str, ...]:
    """The lines of the firm's own list that holds for this order, in words."""
    return tuple(map(line_words, price_lines(session, view, now=now)))


def price_lines(session: Session, view: orders.PhoneView, *, now: datetime) -> tuple[PriceLine, ...]:
    """The lines of the firm's own list that holds for this order."""
    day = clock.today(view.order.accepted_at or now)
    found = catalogue.prices_on(session, [view.performer.id], view.service.id, day)
    return found.get(view.performer.id, ())


def payment_of(
    session: Session, view: orders.PhoneView, stage: str, shown: ShownVoucher | None, *, now: datetime
) -> Payment | None:
    """Vouchers at an order that a firm has come for, where the community has any; nothing else is paid by one."""
    order = view.order
    if stage not in PAID or view.performer.kind != "firm" or order.community_id is None:
        return None
    taken = vouchers.redeemed_for(session, order.id)
    if taken is None and not vouchers.is_used_at(session, order.community_id):
        return None
    items = tuple((one.item, line_words(one)) for one in price_lines(session, view, now=now))
    return Payment(None if taken is None else taken.fen, shown, items, order.cost_fen or 0)


def place_of(session: Session, order: Order) -> str:
    """Estate and building, or the area where no more is known; never the room or what the caller said."""
    if order.building_id is not None:
        return session.get_one(Building, order.building_id).address
    return area_of(session, order)


def area_of(session: Session, order: Order) -> str:
    """The area, empty where not even that is known."""
    return session.get_one(Area, order.area_id).name if order.area_id is not None else ""


def metres_of(view: orders.PhoneView) -> int | None:
    """How far it is from the performer's base, as the crow flies; None where the place has no position."""
    order, performer = view.order, view.performer
    if order.latitude is None or order.longitude is None:
        return None
    base = (performer.latitude, performer.longitude)
    return travel_minutes(base, (order.latitude, order.longitude), ONE_METRE_A_MINUTE)


def visit_of(session: Session, view: orders.PhoneView, stage: str) -> Visit:
    """Where to go, whom to meet, what it is about; writes the audit entry of showing it.

    Of a confidential order the matter only where a device has reported it: no words of anybody, and who runs to an
    elder must know whether it was a fall, a fire or gas.
    """
    order, performer = view.order, actor_of(view.recipient)
    audit.record(
        session,
        "orders.reveal_caller",
        "orders",
        order.id,
        actor=performer,
        community_id=order.community_id,
        fields={"stage": stage},
        purpose="visit",
    )
    phone = ""
    if order.caller_phone is not None:
        phone = vault.open_sealed(f"orders.caller_phone.{order.number}", order.caller_phone)
    return Visit(
        address=full_address(session, order),
        resident=(order.caller_name or "") if sees(Detail.CALLER, order, performer) else "",
        phone=phone,
        description=order.description if sees(Detail.MATTER, order, performer) or order.origin == ALARM else "",
        answers=told_answers(view.service.questions, order.answers) if sees(Detail.MATTER, order, performer) else (),
    )


def full_address(session: Session, order: Order) -> str:
    """Building, unit and room; where only the area is known, what the caller said beside it."""
    words = place_of(session, order)
    if order.stairwell_id is not None:
        number = session.get_one(Stairwell, order.stairwell_id).number
        words += gettext("%(number)s单元", number=number)
    if order.building_id is None:
        return f"{words} {order.address_text}".strip()
    return f"{words}{gettext('%(room)s室', room=order.room) if order.room else ''}"


def told_answers(questions: list[dict[str, object]], answers: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """The kind's questions that were answered, with the answers in words."""
    told = []
    for question in questions:
        given = answers.get(str(question["code"]))
        if given:
            values = question.get("values")
            words = values.get(given, given) if isinstance(values, Mapping) else given
            told.append((str(question["text"]), str(words)))
    return tuple(told)


def done_of(session: Session, view: orders.PhoneView) -> Done | None:
    """What was recorded, and until when the link can be opened."""
    order = view.order
    if order.finished_at is None:
        return None
    hours = int(policies.policy(session, order.organisation_id, "orders.link_after_finish_hours"))
    kept = files.list_files(session, "orders", order.id, actor=actor_of(view.recipient))
    return Done(
        result=order.result or "",
        cost_fen=order.cost_fen or 0,
        note=(order.work_note or "") if sees(Detail.WORDS, order, actor_of(view.recipient)) else "",
        photos=sum(one.purpose == "photo" for one in kept),
        is_signed=any(one.purpose == "signature" for one in kept),
        at=order.finished_at,
        link_until=order.finished_at + timedelta(hours=hours),
    )


def complaints_of(session: Session, view: orders.PhoneView) -> tuple[Complained, ...]:
    """The complaints about whoever opens the link, while the order is theirs."""
    if not view.is_mine:
        return ()
    shows_words = sees(Detail.WORDS, view.order, actor_of(view.recipient))
    return tuple(
        Complained(
            one.id,
            one.kind,
            one.state,
            one.words if shows_words else None,
            one.answer if shows_words else None,
            one.answer_due_at,
        )
        for one in orders.complaints_of(session, view.order)
        if one.performer_id == view.performer.id
    )


def as_json(page: PhonePage) -> dict[str, object]:
    """The machine's twin of the page."""
    body: dict[str, object] = {
        "number": page.number,
        "stage": page.stage,
        "acts": list(page.acts),
        "kind": {"code": page.kind_code, "name": page.kind},
        "urgency": page.urgency,
        "place": page.place,
        "metres": page.metres,
        "wanted_from": iso(page.wanted_from),
        "wanted_until": iso(page.wanted_until),
        "arrive_due_at": iso(page.arrive_due_at),
        "answer_until": iso(page.answer_until),
        "proof": list(page.proof),
    }
    if page.visit is not None:
        body["visit"] = {
            "address": page.visit.address,
            "resident": page.visit.resident,
            "phone": page.visit.phone,
            "description": page.visit.description,
            "answers": [{"question": question, "answer": given} for question, given in page.visit.answers],
        }
    if page.done is not None:
        words = {name: getattr(page.done, name) for name in ("result", "cost_fen", "note", "photos", "is_signed")}
        body["done"] = words | {"finished_at": iso(page.done.at), "link_until": iso(page.done.link_until)}
    if page.payment is not None:
        body["voucher"] = {"paid_fen": page.payment.paid}
    if page.complaints:
        body["complaints"] = [
            {"id": one.id, "kind": one.kind, "state": one.state, "words": one.words, "due_at": iso(one.answer_due_at)}
            for one in page.complaints
        ]
    return body


def iso(instant: datetime | None) -> str | None:
    """An instant as ISO 8601."""
    return None if instant is None else instant.isoformat()
