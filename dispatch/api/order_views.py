"""What leaves of an order by the API: phones masked, a confidential one as its shell: a key is a machine."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import g
from flask_babel import gettext

from dispatch.models.orders import Order, OrderEvent
from dispatch.rules.grid.phone import mask_phone
from dispatch.rules.orders.confidential import is_open_to
from dispatch.schemas import orders as schemas
from dispatch.services.access import vault
from dispatch.services.orders import Received

PLAIN = tuple(name for name in schemas.OrderOut().fields if name != "caller_phone")

HIDDEN = ("service_id", "building_id", "stairwell_id", "room", "caller_name", "caller_phone")

NOTHING_YET: dict[str, Any] = dict.fromkeys(schemas.OrderOut().fields) | {"reopened": 0, "repeat_calls": 0}
"""The fields of an order to which nothing has happened yet."""


def order_out(order: Order) -> dict[str, Any]:
    """What leaves of an order: plain columns as they are, the phone masked, a confidential one as its shell."""
    out = {name: getattr(order, name) for name in PLAIN}
    out["caller_phone"] = None
    if order.caller_phone is not None:
        out["caller_phone"] = mask_phone(vault.open_sealed(f"orders.caller_phone.{order.number}", order.caller_phone))
    return out | hidden() if is_closed(order) else out


def is_closed(order: Order) -> bool:
    """Whether only the shell leaves: the API's callers are keys, to which no confidential order opens."""
    return not is_open_to(order, g.actor)


def hidden() -> dict[str, Any]:
    """What is shown instead of all but the shell of a confidential order."""
    return dict.fromkeys(HIDDEN) | {"description": gettext("保密订单"), "address_text": "", "place_candidates": []}


def received_out(received: Received) -> dict[str, Any]:
    """What `order_out` and the schema would make of the order just inserted, without reading it back."""
    columns = received.columns
    out = NOTHING_YET | {name: plain(columns[name]) for name in PLAIN if name in columns}
    if received.phone is not None:
        out["caller_phone"] = mask_phone(received.phone)
    return out | hidden() if columns["confidential"] else out


def plain(value: Any) -> Any:
    """A column as JSON says it: a moment in UTC, as the database would give it back."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else value


def event_out(order: Order, event: OrderEvent) -> dict[str, Any]:
    """A step of the history; of a closed order neither words nor facts."""
    out = {name: getattr(event, name) for name in schemas.EventOut().fields}
    return out | {"reason": None, "facts": {}} if is_closed(order) else out


def page_out(found: Sequence[Order]) -> list[dict[str, Any]]:
    """Several orders."""
    return [order_out(order) for order in found]
