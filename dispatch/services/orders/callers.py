"""Who waits for an order besides its own caller: counted when they call again, moved with merges, never lost."""

from collections.abc import Sequence
from datetime import datetime
from uuid import uuid4

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from dispatch.errors import NotFound
from dispatch.models.orders import Order, OrderCaller
from dispatch.rules.orders.callers import Waiter, who_waits
from dispatch.rules.orders.states import OrderState
from dispatch.services.access import vault

CHAIN = text(
    "WITH RECURSIVE chain AS (SELECT id, merged_into_id, 1 AS place FROM orders WHERE id = :first UNION ALL "
    "SELECT orders.id, orders.merged_into_id, chain.place + 1 FROM orders "
    "JOIN chain ON orders.id = chain.merged_into_id) SELECT id FROM chain ORDER BY place"
)
BELOW = text(
    "WITH RECURSIVE below AS (SELECT id FROM orders WHERE id = :top UNION ALL "
    "SELECT orders.id FROM orders JOIN below ON orders.merged_into_id = below.id) SELECT id FROM below"
)


def chain_of(session: Session, order_id: int) -> list[int]:
    """The order and those it was merged into, one by one to the last; the database refuses circles."""
    return list(session.scalars(CHAIN, {"first": order_id}))


def below(session: Session, order_id: int) -> list[int]:
    """The order and all that were merged into it, by however many steps."""
    return list(session.scalars(BELOW, {"top": order_id}))


def lock_all(session: Session, order_ids: Sequence[int]) -> dict[int, Order]:
    """Several orders, locked in the order of their ids, so that two at once never deadlock, and read fresh."""
    query = select(Order).where(Order.id.in_(sorted(set(order_ids)))).order_by(Order.id)
    found = session.scalars(query.with_for_update(of=Order).execution_options(populate_existing=True)).all()
    return {order.id: order for order in found}


def lock_last(session: Session, order_id: int) -> Order:
    """The order in which the chain of merges ends, locked; looked for again when it was merged meanwhile."""
    while True:
        last = chain_of(session, order_id)[-1]
        order = lock_all(session, [last])[last]
        if order.state != OrderState.MERGED:
            return order


def phone_place(uid: object) -> str:
    """Where a caller's number is sealed."""
    return f"order_callers.phone.{uid}"


def phone_of(caller: OrderCaller) -> str:
    """The whole number, empty when none was left: whoever shows it writes an audit entry."""
    return vault.open_sealed(phone_place(caller.uid), caller.phone) if caller.phone is not None else ""


def add(
    session: Session,
    order: Order,
    *,
    name: str | None,
    phone: str | None,
    resident_id: int | None,
    words: str,
    now: datetime,
) -> OrderCaller:
    """Somebody who calls about a locked order for the first time; they wait from now on."""
    uid = uuid4()
    caller = OrderCaller(
        uid=uid,
        community_id=order.community_id,
        order_id=order.id,
        name=name,
        phone=vault.seal(phone_place(uid), phone) if phone else None,
        phone_index=vault.blind_index("phone", phone) if phone else None,
        resident_id=resident_id,
        words=words,
        calls=1,
        first_at=now,
        last_at=now,
    )
    session.add(caller)
    session.flush()
    return caller


def own_of(session: Session, order: Order, *, now: datetime) -> OrderCaller:
    """The row of the order's own caller, made when it is needed first: by a merge, or when they call again."""
    query = select(OrderCaller).where(OrderCaller.home_id == order.id, OrderCaller.is_own)
    found = session.scalars(query).one_or_none()
    if found is not None:
        return found
    uid, phone = uuid4(), None
    if order.caller_phone is not None:
        phone = vault.open_sealed(f"orders.caller_phone.{order.number}", order.caller_phone)
    own = OrderCaller(
        uid=uid,
        community_id=order.community_id,
        order_id=order.id,
        is_own=True,
        name=order.caller_name,
        phone=vault.seal(phone_place(uid), phone) if phone else None,
        phone_index=order.phone_index,
        resident_id=order.caller_resident_id,
        calls=1,
        first_at=order.created_at,
        last_at=order.created_at,
        left_at=now,
    )
    session.add(own)
    session.flush()
    return own


def callers_of(session: Session, order: Order) -> Sequence[OrderCaller]:
    """All callers at an order besides its own, in the order in which they came."""
    query = select(OrderCaller).where(OrderCaller.order_id == order.id)
    return session.scalars(query.order_by(OrderCaller.first_at, OrderCaller.id)).all()


def waiting_for(session: Session, order: Order) -> Sequence[OrderCaller]:
    """Those who wait for the order besides its own caller and can be called."""
    return [one for one in callers_of(session, order) if one.left_at is None and one.phone is not None]


def find_caller(session: Session, order: Order, caller_id: int) -> OrderCaller:
    """A caller at this order; raises NotFound."""
    caller = session.get(OrderCaller, caller_id)
    if caller is None or caller.order_id != order.id:
        raise NotFound
    return caller


def move(session: Session, homes: Sequence[int], target: Order, *, now: datetime) -> int:
    """Have everybody who called about the `homes` wait at the locked target from now on; returns how many rows."""
    query = select(OrderCaller).where(OrderCaller.home_id.in_(homes)).order_by(OrderCaller.id)
    moved = session.scalars(query).all()
    for one in moved:
        one.left_at = one.left_at or now
    session.flush()
    for one in moved:
        home = one.home_id
        one.order_id = target.id
        one.from_order_id = None if home == target.id else home
    session.flush()
    return len(moved)


def settle(session: Session, order: Order, *, now: datetime) -> None:
    """See to it that each number waits once at a locked order, after people came or went.

    Whoever waited already goes on waiting: they may have been called in this cycle.
    """
    people = sorted(callers_of(session, order), key=lambda one: one.left_at is not None)
    waiters = [Waiter(one.id, one.phone_index, one.is_own and one.from_order_id is None) for one in people]
    waiting = who_waits(order.phone_index, waiters)
    for one in people:
        if one.id not in waiting and one.left_at is None:
            one.left_at = now
    session.flush()
    for one in people:
        if one.id in waiting and one.left_at is not None:
            one.left_at = None
    session.flush()


def find_place(session: Session, order: Order) -> None:
    """The callers of an order whose place was found go into its community with it."""
    for one in callers_of(session, order):
        one.community_id = order.community_id
    session.flush()


def merged_into(session: Session, order: Order) -> Sequence[Order]:
    """The orders that were merged straight into this one, oldest first."""
    return session.scalars(select(Order).where(Order.merged_into_id == order.id).order_by(Order.id)).all()


def calls_about(callers: Sequence[OrderCaller]) -> int:
    """How many calls were made about an order and those merged into it: its own first one and all of its callers."""
    return 1 + sum(one.calls - (one.is_own and one.from_order_id is None) for one in callers)
