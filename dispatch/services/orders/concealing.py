"""保密 later in an order's life: made confidential, and lifted again by somebody else; told in the history."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.errors import Conflict, NotAllowed
from dispatch.models.orders import Order, OrderEvent
from dispatch.rules.access.roles import Actor, ActorKind
from dispatch.rules.orders.confidential import may_conceal, may_reveal
from dispatch.rules.orders.states import Action
from dispatch.services.access import audit
from dispatch.services.orders import callers
from dispatch.services.orders.hand import need_reason
from dispatch.services.orders.steps import check_version, step


class AlreadyConfidential(Conflict):
    """这一单已经是保密订单"""


class NotConfidential(Conflict):
    """这一单不是保密订单"""


class ConcealedByYou(NotAllowed):
    """保密是您自己设的,请中心的另一位同事取消"""


def conceal(
    session: Session,
    order: Order,
    *,
    reason: str,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Make an order confidential, with all that are merged with it: they are one matter.

    What was told before cannot be called back; what waits to be told keeps the matter to itself from now on.
    Raises AlreadyConfidential, NotAllowed, Invalid("reason"), Stale, IllegalStep.
    """
    matter = lock_matter(session, order, version)
    need_reason(reason)
    if not may_conceal(order, actor):
        raise NotAllowed
    if order.confidential:
        raise AlreadyConfidential
    kind = actor.kind if actor.kind in {ActorKind.DISPATCHER, ActorKind.CENTRE} else ActorKind.OPERATOR
    for one in matter:
        if not one.confidential:
            change(session, one, order, Action.CONCEAL, kind, reason=reason, actor=actor, now=now)


def reveal(
    session: Session,
    order: Order,
    *,
    reason: str,
    version: int | None = None,
    actor: Actor,
    now: datetime,
) -> None:
    """Lift it from an order and all that are merged with it; raises NotConfidential, NotAllowed and as above."""
    matter = [one for one in lock_matter(session, order, version) if one.confidential]
    need_reason(reason)
    if actor.kind is not ActorKind.CENTRE or actor.user_id is None:
        raise NotAllowed
    if not order.confidential:
        raise NotConfidential
    if not all(may_reveal(actor, concealed_by(session, one)) for one in matter):
        raise ConcealedByYou
    for one in matter:
        change(session, one, order, Action.REVEAL, ActorKind.CENTRE, reason=reason, actor=actor, now=now)


def change(
    session: Session,
    one: Order,
    named: Order,
    action: Action,
    kind: ActorKind,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
) -> None:
    """One order of the matter: the flag, the event and the audit."""
    one.confidential = action is Action.CONCEAL
    facts = {} if one is named else {"with": named.number}
    step(session, one, action, actor=actor, kind=kind, now=now, facts=facts, reason=reason)
    audit.record(session, f"orders.{action}", "orders", one.id, actor=actor, community_id=one.community_id)


def lock_matter(session: Session, order: Order, version: int | None) -> Sequence[Order]:
    """The order and all that are merged with it, locked; what was decided on an older picture is refused."""
    together = callers.below(session, callers.chain_of(session, order.id)[-1])
    locked = callers.lock_all(session, together)
    check_version(order, version)
    return list(locked.values())


def concealed_by(session: Session, order: Order) -> int | None:
    """Who made an order confidential: the last who did, else who took the call; none where a machine did."""
    query = (
        select(OrderEvent.user_id)
        .where(OrderEvent.order_id == order.id, OrderEvent.action == str(Action.CONCEAL))
        .order_by(OrderEvent.version.desc())
        .limit(1)
    )
    found = session.execute(query).one_or_none()
    return order.created_by if found is None else found.user_id
