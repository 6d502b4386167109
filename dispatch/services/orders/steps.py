"""One step of an order's life: locked, looked up in the life cycle's table, chained into the history."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from dispatch import queue
from dispatch.errors import Conflict, NotAllowed, NotFound
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


def demand_team(actor: Actor) -> None:
    """Refuse a performer what is the team's to do: signing, choosing the team, answering the resident."""
    if actor.kind is ActorKind.PERFORMER:
        raise NotAllowed


@dataclass(frozen=True, slots=True)
class Line:
    """One event as it stands in the chain: ids, codes and the reason as it was written."""

    number: str
    version: int
    action: str
    origin: str | None
    target: str
    at: datetime
    actor_kind: str
    user_id: int | None
    performer_id: int | None
    api_key_id: int | None
    facts: Mapping[str, object]
    reason: str | None

    def digest(self, previous: bytes) -> bytes:
        """The digest of the chain after this event."""
        return link(
            previous,
            {
                "number": self.number,
                "version": self.version,
                "action": self.action,
                "from": self.origin,
                "to": self.target,
                "at": self.at.astimezone(UTC).isoformat(),
                "actor_kind": self.actor_kind,
                "user": self.user_id,
                "performer": self.performer_id,
                "key": self.api_key_id,
                "facts": dict(self.facts),
                "reason": self.reason,
            },
        )

    def as_row(self, order_id: int, digest: bytes) -> dict[str, object]:
        """The event as a row of the history."""
        return {
            "order_id": order_id,
            "version": self.version,
            "action": self.action,
            "from_state": self.origin,
            "to_state": self.target,
            "at": self.at,
            "actor_kind": self.actor_kind,
            "user_id": self.user_id,
            "performer_id": self.performer_id,
            "api_key_id": self.api_key_id,
            "facts": dict(self.facts),
            "reason": self.reason,
            "digest": digest,
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
    line = Line(
        number=order.number,
        version=order.version + 1,
        action=str(action),
        origin=order.state,
        target=str(target),
        at=now,
        actor_kind=str(kind),
        user_id=actor.user_id,
        performer_id=actor.performer_id,
        api_key_id=actor.api_key_id,
        facts=facts,
        reason=reason,
    )
    order.chain_head = line.digest(order.chain_head)
    order.version, order.state, order.updated_at = line.version, line.target, now
    return line.as_row(order.id, order.chain_head)


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
