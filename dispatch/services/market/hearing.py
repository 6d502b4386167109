"""What the orders of giving tell: each goes to whoever placed it."""

from collections.abc import Callable

from sqlalchemy import select
from sqlalchemy.orm import Session

from dispatch.models.market import Pledge
from dispatch.models.orders import Order
from dispatch.rules.market import pledges as pledge_rule
from dispatch.rules.market.errands import errand_of
from dispatch.rules.market.pledges import PledgeState
from dispatch.rules.orders.states import OrderState
from dispatch.services.market.pledges import ORIGIN as PLEDGES
from dispatch.services.market.pledges import advance
from dispatch.services.market.rounds import ORIGIN as ROUNDS
from dispatch.services.market.rounds import hear_of_parcel


def giving_order_changed(session: Session, order_id: int, version: int) -> bool:
    """Take over what became of an order of giving; False when that, or something newer, is known already.

    The order is read as it is now, which may be newer than `version`: told twice, or out of turn, is told once.
    """
    order = session.get(Order, order_id, populate_existing=True)
    hear = HEARD_BY.get(order.origin or "") if order is not None else None
    return hear(session, order, version) if order is not None and hear is not None else False


def hear_of_pledge(session: Session, order: Order, version: int) -> bool:
    """Fetched, come to nothing or under way again; a pledge that is settled, or has another order, hears nothing."""
    pledge = session.scalars(
        select(Pledge).where(Pledge.order_id == order.id).with_for_update().execution_options(populate_existing=True)
    ).one_or_none()
    if pledge is None or pledge.order_version >= version:
        return False
    state = PledgeState(pledge.state)
    found = pledge_rule.OUTCOMES[errand_of(OrderState(order.state), order.result)]
    if state not in pledge_rule.WAITING:
        return False
    pledge.order_version = order.version
    if found is not state and found in pledge_rule.POSSIBLE[state]:
        advance(session, pledge, found)
    session.flush()
    return True


HEARD_BY: dict[str, Callable[[Session, Order, int], bool]] = {
    PLEDGES: hear_of_pledge,
    ROUNDS: hear_of_parcel,
}
"""Who hears of an order, by its origin."""
