"""Everybody who called about an order, with their calls and callbacks, and the orders that belong to it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import false, or_, select
from sqlalchemy.orm import Session

from dispatch.models.orders import Callback, Order, OrderCaller
from dispatch.rules.access.roles import Actor
from dispatch.rules.orders.confidential import is_open_to
from dispatch.services.access import reach, vault
from dispatch.services.orders import callbacks, callers
from dispatch.services.orders.queries import OPEN_STATES

MOST_NEAR = 10
LONGEST_SEARCH = 60


@dataclass(frozen=True, slots=True)
class CallerView:
    """Somebody who called about the order; `caller` is None for its own caller."""

    caller: OrderCaller | None
    name: str | None
    phone: str = field(repr=False)
    calls: int
    first_at: datetime
    last_at: datetime
    words: str
    from_order: str | None
    is_called_back: bool
    tries: Sequence[Callback]
    is_done: bool

    @property
    def id(self) -> int | None:
        """The caller's id; None for the order's own."""
        return None if self.caller is None else self.caller.id


@dataclass(frozen=True, slots=True)
class CallersView:
    """All of them, how many calls they made, and the orders around."""

    calls: int
    people: Sequence[CallerView]
    merged_into: str | None
    split_from: str | None
    merged: Sequence[str]


def view_callers(session: Session, order: Order) -> CallersView:
    """Who called about the order, its own caller first; the phones are whole: mask them, or note who looks."""
    rows = callers.callers_of(session, order)
    own = next((one for one in rows if one.is_own and one.from_order_id is None), None)
    homes = {one.from_order_id for one in rows if one.from_order_id is not None}
    around = {one for one in (order.merged_into_id, order.split_from_id) if one is not None}
    numbers = numbers_of(session, homes | around)
    state = {one.caller_id: one for one in callbacks.to_call(session, order)}
    return CallersView(
        calls=callers.calls_about(rows),
        people=[
            own_view(order, own, state[None]),
            *(caller_view(one, numbers, state.get(one.id)) for one in rows if one is not own),
        ],
        merged_into=numbers.get(order.merged_into_id or 0),
        split_from=numbers.get(order.split_from_id or 0),
        merged=[one.number for one in callers.merged_into(session, order)],
    )


def numbers_of(session: Session, ids: set[int]) -> dict[int, str]:
    """Numbers of orders by id, in one query."""
    if not ids:
        return {}
    return dict(session.execute(select(Order.id, Order.number).where(Order.id.in_(ids))).all())


def own_view(order: Order, own: OrderCaller | None, state: callbacks.ToCall) -> CallerView:
    """The order's own caller."""
    phone = ""
    if order.caller_phone is not None:
        phone = vault.open_sealed(f"orders.caller_phone.{order.number}", order.caller_phone)
    return CallerView(
        caller=None,
        name=order.caller_name,
        phone=phone,
        calls=own.calls if own else 1,
        first_at=order.created_at,
        last_at=own.last_at if own else order.created_at,
        words=own.words if own else "",
        from_order=None,
        is_called_back=order.merged_into_id is None,
        tries=state.tries,
        is_done=state.is_done,
    )


def caller_view(one: OrderCaller, numbers: Mapping[int, str], state: callbacks.ToCall | None) -> CallerView:
    """Another caller; without a state nobody calls them for this row: no number, or the number waits already."""
    return CallerView(
        caller=one,
        name=one.name,
        phone=callers.phone_of(one),
        calls=one.calls,
        first_at=one.first_at,
        last_at=one.last_at,
        words=one.words,
        from_order=numbers.get(one.from_order_id or 0),
        is_called_back=state is not None,
        tries=state.tries if state else (),
        is_done=state is not None and state.is_done,
    )


def mergeable(session: Session, order: Order, words: str, *, actor: Actor) -> Sequence[Order]:
    """Open orders into which this one may go, the likeliest first: same stairwell, building, kind; at most ten.

    With words, those whose number, matter or address has them, anywhere in the community. Of confidential orders
    only those that are open to the actor, and none near one that is not: place and matter would be told by it.
    """
    same_place = [
        column == value
        for column, value in (
            (Order.stairwell_id, order.stairwell_id),
            (Order.building_id, order.building_id),
            (Order.area_id, order.area_id),
        )
        if value is not None
    ]
    query = select(Order).where(
        reach.visible_orders(actor),
        Order.community_id == order.community_id,
        Order.id != order.id,
        Order.state.in_(OPEN_STATES),
        Order.confidential == order.confidential,
        reach.opened(actor) if is_open_to(order, actor) else false(),
    )
    wanted = words.strip()[:LONGEST_SEARCH].replace("\x00", "")
    if wanted:
        query = query.where(
            or_(
                Order.number.icontains(wanted, autoescape=True),
                Order.description.icontains(wanted, autoescape=True),
                Order.address_text.icontains(wanted, autoescape=True),
            )
        )
    else:
        query = query.where(or_(false(), *same_place))
    likest = [~condition for condition in (*same_place, Order.service_id == order.service_id)]
    query = query.order_by(*(condition.is_not(False) for condition in likest), Order.created_at.desc(), Order.id)
    return session.scalars(query.limit(MOST_NEAR)).all()
