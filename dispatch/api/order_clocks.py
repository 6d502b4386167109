"""The clocks of orders over HTTP: the time ledger."""

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.rules.access.roles import Right
from dispatch.rules.orders.ledger import Ledger
from dispatch.schemas import orders as schemas
from dispatch.services import catalogue, orders
from dispatch.transaction import transaction

blueprint = Blueprint("order_clocks", __name__, url_prefix="/api", description="时限 · Clocks")


@blueprint.get("/orders/<number>/ledger")
@allow(Right.ORDERS_READ)
@blueprint.response(200, schemas.LedgerOut)
def ledger(number: str) -> Ledger:
    """Show whom the order waited for in every second of its life, by today's calendar."""
    with transaction() as session:
        order = orders.find(session, number, actor=actor())
        service = catalogue.find_service(session, order.organisation_id, service_id=order.service_id)
        events = orders.time_line(session, order)
        return orders.ledger_of(session, order, service, events, now=clock.now(session))
