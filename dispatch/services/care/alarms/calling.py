"""Who was called about an alarm, who confirmed, and what became of its order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from dispatch.errors import Invalid, NotFound
from dispatch.models.access import User
from dispatch.models.care import AlarmCall, AlarmContact, AlarmDevice, AlarmEvent
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.chain import OUTSIDE, Called, CallKind, CallOutcome, Contact, is_confirmed, next_contact
from dispatch.rules.care.signals import PRESSING, Meaning
from dispatch.rules.orders.states import AFTER_WORK, Action, OrderState
from dispatch.services import orders
from dispatch.services.access import audit, reach
from dispatch.services.care.alarms.acting import ORIGIN, STILL_OUT
from dispatch.services.care.alarms.contacts import ShownContact, chain_of
from dispatch.services.care.telling import tell_end
from dispatch.services.orders.steps import step

OVER = AFTER_WORK | {OrderState.CLOSED, OrderState.ARCHIVED}
NOT_DONE = "not_done"
MOST_OPEN = 100


@dataclass(frozen=True, slots=True)
class ShownCall:
    """A call with the name of who was called (None: found by a post, or outside the house) and of who called."""

    call: AlarmCall
    name: str | None
    by: str | None


@dataclass(frozen=True, slots=True)
class OpenAlarm:
    """An alarm for which somebody is still out: the number of its order, the device, what is the matter, since when.

    `is_confirmed`: somebody who was called has said how the elder is.
    """

    number: str
    device: str
    meaning: str
    received_at: datetime
    is_confirmed: bool


@dataclass(frozen=True, slots=True)
class Alarm:
    """An alarm whose order somebody works on: the device, the order, whom to call, who was called, who is next."""

    device: AlarmDevice
    order: Order
    chain: Sequence[ShownContact]
    calls: Sequence[ShownCall]
    following: ShownContact | None
    confirmed: bool


def alarm_of(session: Session, number: str, *, actor: Actor, now: datetime) -> Alarm:
    """The alarm behind an order of the actor's reach; raises NotFound for any other order."""
    found = session.execute(
        select(AlarmDevice, Order)
        .join(AlarmEvent, AlarmEvent.device_id == AlarmDevice.id)
        .join(Order, Order.id == AlarmEvent.order_id)
        .where(Order.number == number, Order.origin == ORIGIN, Order.origin_id == AlarmEvent.id)
        .where(reach.visible_orders(actor), reach.visible(AlarmDevice, actor))
    ).one_or_none()
    if found is None:
        raise NotFound
    device, order = found
    chain, calls = chain_of(session, device, now=now), calls_of(session, order.id)
    contacts = {as_contact(one): one for one in chain}
    called = [as_called(one.call) for one in calls]
    following, confirmed = next_contact(list(contacts), called), is_confirmed(called)
    return Alarm(device, order, chain, calls, contacts[following] if following else None, confirmed)


def open_alarm(session: Session, number: str, *, actor: Actor, now: datetime) -> Alarm:
    """The same for somebody who looks at it: recorded, since it shows who lives there and whom to call."""
    alarm = alarm_of(session, number, actor=actor, now=now)
    audit.record(
        session, "care.show_alarm", "orders", alarm.order.id, actor=actor, community_id=alarm.order.community_id
    )
    return alarm


def as_contact(shown: ShownContact) -> Contact:
    """A contact as the rule knows it."""
    return Contact(None if shown.contact is None else shown.contact.id, shown.kind, shown.rank)


def as_called(call: AlarmCall) -> Called:
    """A call as the rule knows it."""
    return Called(call.contact_id, CallKind(call.kind), CallOutcome(call.outcome))


def calls_of(session: Session, order_id: int) -> Sequence[ShownCall]:
    """The calls about an order, oldest first."""
    rows = session.execute(
        select(AlarmCall, AlarmContact.name, User.name)
        .outerjoin(AlarmContact, AlarmContact.id == AlarmCall.contact_id)
        .outerjoin(User, User.id == AlarmCall.called_by)
        .where(AlarmCall.order_id == order_id)
        .order_by(AlarmCall.id)
    )
    return [ShownCall(*row) for row in rows]


def open_alarms(session: Session, *, actor: Actor) -> Sequence[OpenAlarm]:
    """The pressing alarms in the actor's reach for which somebody is still out, the newest first; one query."""
    confirmed = exists().where(AlarmCall.order_id == Order.id, AlarmCall.outcome == CallOutcome.CONFIRMED)
    rows = session.execute(
        select(Order.number, AlarmDevice.number, AlarmEvent.meaning, AlarmEvent.received_at, confirmed)
        .join(AlarmEvent, AlarmEvent.id == Order.origin_id)
        .join(AlarmDevice, AlarmDevice.id == AlarmEvent.device_id)
        .where(Order.origin == ORIGIN, Order.state.in_(STILL_OUT))
        .where(AlarmEvent.meaning.in_([str(one) for one in PRESSING]))
        .where(reach.visible_orders(actor), reach.visible(AlarmDevice, actor))
        .order_by(Order.id.desc())
        .limit(MOST_OPEN)
    )
    return [OpenAlarm(*row) for row in rows]


def record_call(
    session: Session,
    number: str,
    *,
    kind: str,
    outcome: str,
    contact_id: int | None = None,
    actor: Actor,
    now: datetime,
) -> AlarmCall:
    """Note who was called about an alarm and what came of it, here and in the order's own history.

    `contact_id` is one of the device's list; without it the holder of the stairwell's post, the duty, 120 or 110.
    Raises NotFound, Invalid naming the field.
    """
    alarm = alarm_of(session, number, actor=actor, now=now)
    if kind not in set(CallKind) or outcome not in set(CallOutcome):
        raise Invalid("outcome", "请选择打给谁、结果怎样")
    if CallKind(kind) in OUTSIDE and outcome == CallOutcome.CONFIRMED:
        raise Invalid("outcome", "120、110只记通知,确认要由到场的人作出")
    listed = {one.contact.id: one for one in alarm.chain if one.contact is not None}
    if contact_id is not None and (contact_id not in listed or listed[contact_id].kind != kind):
        raise Invalid("contact_id", "联系人名单里没有这位,请刷新后再选")
    order = orders.lock(session, alarm.order.id)
    call = AlarmCall(
        community_id=alarm.device.community_id,
        device_id=alarm.device.id,
        order_id=order.id,
        contact_id=contact_id,
        kind=kind,
        outcome=outcome,
        called_by=actor.user_id,
        called_by_key=actor.api_key_id,
        called_at=now,
    )
    session.add(call)
    session.flush()
    step(session, order, Action.REMARK, actor=actor, now=now, facts={"call": call.id, "to": kind, "outcome": outcome})
    audit.record(session, "care.call_about_alarm", "orders", order.id, actor=actor, community_id=order.community_id)
    return call


def order_changed(session: Session, order_id: int, version: int, *, now: datetime) -> bool:
    """Take over what became of an alarm's order; False for any other order.

    The contacts hear of an end once (the letter's own key), so told twice, or out of turn, is told once.
    """
    order = session.get(Order, order_id, populate_existing=True)
    if order is None or order.origin != ORIGIN or order.version < version:
        return False
    if OrderState(order.state) not in OVER:
        return True
    event = session.get_one(AlarmEvent, order.origin_id)
    if Meaning(event.meaning) in PRESSING and order.result != NOT_DONE:
        tell_end(session, event.device_id, order.id, at=event.received_at, now=now)
    return True
