"""One step of an order's life: locked, looked up in the life cycle's table, chained into the history."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.errors import Conflict, NotFound
from dispatch.models.orders import Order, OrderEvent
from dispatch.rules.access.chain import link
from dispatch.rules.access.roles import Actor, ActorKind
from dispatch.rules.orders.states import ENDED, Action, OrderState, next_state
from dispatch.rules.queue import Lane

TOLD_TO_ORIGIN = frozenset(
    {Action.ARRIVE, Action.FINISH, Action.CLOSE, Action.VOID, Action.MERGE, Action.UNMERGE, Action.REOPEN}
)


class Stale(Conflict):
    """别人刚刚改过这张订单,请刷新后再操作"""


def lock(session: Session, order_id: int) -> Order:
    """The order, locked until the end of the transaction and read fresh; raises NotFound."""
    order = session.get(Order, order_id, with_for_update=True, populate_existing=True)
    if order is None:
        raise NotFound
    return order


def lock_number(session: Session, number: str) -> Order:
    """The order of this number, locked and read fresh; raises NotFound. Reach is checked by the caller's query."""
    found = session.execute(select(Order.id).where(Order.number == number)).scalar_one_or_none()
    if found is None:
        raise NotFound
    return lock(session, found)


def check_version(order: Order, version: int | None) -> None:
    """Refuse what was decided on an older picture of the order; None means that the caller does not say."""
    if version is not None and version != order.version:
        raise Stale


def event_line(
    number: str,
    version: int,
    action: str,
    origin: str | None,
    target: str,
    at: datetime,
    actor_kind: str,
    actor: Actor,
    facts: Mapping[str, object],
    reason: str | None,
) -> dict[str, object]:
    """The line of the chain for one event: ids, codes and the reason as it was written."""
    return {
        "number": number,
        "version": version,
        "action": action,
        "from": origin,
        "to": target,
        "at": at.isoformat(),
        "actor_kind": actor_kind,
        "user": actor.user_id,
        "performer": actor.performer_id,
        "key": actor.api_key_id,
        "facts": dict(facts),
        "reason": reason,
    }


def event_row(
    order: Order,
    action: Action,
    target: OrderState,
    *,
    actor: Actor,
    kind: ActorKind,
    now: datetime,
    facts: Mapping[str, object],
    reason: str | None,
) -> dict[str, object]:
    """The next event of an order as a row for insertion; moves the order's version, state and chain head."""
    origin = order.state
    version = order.version + 1
    line = event_line(order.number, version, action, origin, target, now, kind, actor, facts, reason)
    digest = link(order.chain_head, line)
    order.version = version
    order.state = str(target)
    order.chain_head = digest
    order.updated_at = now
    return {
        "order_id": order.id,
        "version": version,
        "action": str(action),
        "from_state": origin,
        "to_state": str(target),
        "at": now,
        "actor_kind": str(kind),
        "user_id": actor.user_id,
        "performer_id": actor.performer_id,
        "api_key_id": actor.api_key_id,
        "facts": dict(facts),
        "reason": reason,
        "digest": digest,
    }


def step(
    session: Session,
    order: Order,
    action: Action,
    *,
    actor: Actor,
    now: datetime,
    kind: ActorKind | None = None,
    facts: Mapping[str, object] | None = None,
    reason: str | None = None,
) -> None:
    """Take one step with a locked order: state, version + 1, one chained event; its programme is told by a job.

    `kind` is the capacity in which the actor acts (default: the actor's own). Raises IllegalStep, NotAllowed.
    """
    capacity = kind or actor.kind
    target = next_state(OrderState(order.state), action, capacity)
    row = event_row(order, action, target, actor=actor, kind=capacity, now=now, facts=facts or {}, reason=reason)
    session.execute(insert(OrderEvent), [row])
    if target in ENDED and order.closed_at is None:
        order.closed_at = now
    tell_origin(session, order, action)
    session.flush()


def tell_origin(session: Session, order: Order, action: Action) -> None:
    """Enqueue `<origin>.order_changed` for the programme that placed the order, once per version."""
    if order.origin is None or action not in TOLD_TO_ORIGIN:
        return
    kind = f"{order.origin.split('.', 1)[0]}.order_changed"
    queue.enqueue(
        session,
        kind,
        lane=Lane.NOTIFY,
        reference=order.id,
        dedupe=f"{kind}:{order.id}:{order.version}",
        version=order.version,
    )
