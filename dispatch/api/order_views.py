"""What leaves of an order by the API: phones masked, a confidential one without who, where and what."""

from collections.abc import Sequence
from typing import Any

from flask_babel import gettext

from dispatch.models.orders import Order, OrderEvent
from dispatch.rules.grid.phone import mask_phone
from dispatch.schemas import orders as schemas
from dispatch.services.access import vault

PLAIN = tuple(name for name in schemas.OrderOut().fields if name != "caller_phone")


def order_out(order: Order) -> dict[str, Any]:
    """What leaves of an order: plain columns as they are, the phone masked, a confidential one without its matter."""
    out = {name: getattr(order, name) for name in PLAIN}
    out["caller_phone"] = None
    if order.caller_phone is not None:
        out["caller_phone"] = mask_phone(vault.open_sealed(f"orders.caller_phone.{order.number}", order.caller_phone))
    if order.confidential:
        out |= {"caller_name": None, "caller_phone": None, "room": None, "stairwell_id": None}
        out |= {"description": gettext("保密订单"), "address_text": "", "place_candidates": []}
    return out


def event_out(order: Order, event: OrderEvent) -> dict[str, Any]:
    """A step of the history; what was written about a confidential order stays inside."""
    out = {name: getattr(event, name) for name in schemas.EventOut().fields}
    return out | {"reason": None} if order.confidential else out


def page_out(found: Sequence[Order]) -> list[dict[str, Any]]:
    """Several orders."""
    return [order_out(order) for order in found]
