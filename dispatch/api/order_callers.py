"""Callers of an order over HTTP: repeated calls, merging and taking apart, splitting."""

from collections.abc import Mapping
from typing import Any

from flask import Response, url_for
from flask.views import MethodView
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.api.order_views import is_closed, order_out
from dispatch.api.orders import ORDER_OUT, takes
from dispatch.gateways import limits
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Right
from dispatch.rules.grid.phone import mask_phone
from dispatch.rules.orders.number import check_number
from dispatch.schemas import order_callers as schemas
from dispatch.services import orders
from dispatch.services.orders import CallerView, OrderDraft
from dispatch.transaction import transaction

blueprint = Blueprint("order_callers", __name__, url_prefix="/api", description="来电人与并单 · Callers, merging")

HIDDEN = {"name": None, "phone": None, "words": ""}


def caller_out(view: CallerView, order: Order) -> dict[str, Any]:
    """What leaves of a caller: the phone masked; of a confidential order neither who nor what."""
    out = {name: getattr(view, name) for name in schemas.CallerOut().fields}
    out |= {"phone": mask_phone(view.phone) if view.phone else None, "tries": len(view.tries)}
    return out | HIDDEN if is_closed(order) else out


@blueprint.route("/orders/<number>/callers")
class OrderCallers(MethodView):
    """Everybody who called about an order."""

    @allow(Right.ORDERS_READ)
    @blueprint.response(200, schemas.CallersOut)
    def get(self, number: str) -> Mapping[str, Any]:
        """Show who called how often, who was called back, and the orders it is merged with."""
        with transaction() as session:
            order = orders.find(session, number, actor=actor())
            view = orders.view_callers(session, order)
            return {
                "calls": view.calls,
                "items": [caller_out(one, order) for one in view.people],
                "merged_into": view.merged_into,
                "split_from": view.split_from,
                "merged": view.merged,
            }


def together(name: str, number: str, data: Mapping[str, Any], act: Any) -> Response:
    """One step with an order that locks what it needs itself; gives the order that came of it."""
    known = check_number(number)

    def work(session: Session) -> Answer:
        found = act(session, orders.find(session, known, actor=actor()), clock.now(session))
        session.flush()
        return 200, ORDER_OUT.dump(order_out(found)), {}

    return once(f"{name}:{known}", data, work)


@blueprint.route("/orders/<number>/repeat-calls")
class OrderRepeatCalls(MethodView):
    """Calls about a matter that is an order already."""

    @allow(Right.ORDERS_PLACE, limit=limits.INTAKE)
    @takes(schemas.RepeatCall, door=blueprint)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Count a call on the order it is about, and have the caller called back; gives that order.

        A call about a merged order counts on the one into which it went.
        """

        def act(session: Session, order: Order, now: Any) -> Order:
            return orders.repeat_call(
                session,
                order,
                name=data["caller_name"],
                phone=data["caller_phone"],
                resident_id=data["caller_resident_id"],
                words=data["words"],
                urged=data["urged"],
                actor=actor(),
                now=now,
            )

        return together("orders.repeat_call", number, data, act)


@blueprint.route("/orders/<number>/merge")
class OrderMerge(MethodView):
    """并单."""

    @allow(Right.ORDERS_MERGE)
    @takes(schemas.MergeOrder, door=blueprint)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Merge the order into another open one; gives the order into which it went. Reversible."""

        def act(session: Session, order: Order, now: Any) -> Order:
            into = orders.find(session, data["into"], actor=actor())
            rest = {"reason": data["reason"], "version": data["version"]}
            return orders.merge(session, order, into, **rest, actor=actor(), now=now)

        return together("orders.merge", number, data, act)


@blueprint.route("/orders/<number>/unmerge")
class OrderUnmerge(MethodView):
    """拆单."""

    @allow(Right.ORDERS_MERGE)
    @takes(schemas.UnmergeOrder, door=blueprint)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Take a merged order out again: it is open with its own callers and clocks, and routed anew."""

        def act(session: Session, order: Order, now: Any) -> Order:
            orders.unmerge(session, order, **data, actor=actor(), now=now)
            return order

        return together("orders.unmerge", number, data, act)


@blueprint.route("/orders/<number>/split")
class OrderSplit(MethodView):
    """一单两事."""

    @allow(Right.ORDERS_MERGE, limit=limits.INTAKE)
    @takes(schemas.SplitOrder, status=201, door=blueprint)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Make a second order of the same caller and place; gives the new one. Merging it undoes it."""
        known = check_number(number)
        draft = OrderDraft(source="api", **{name: value for name, value in data.items() if name != "version"})

        def work(session: Session) -> Answer:
            order = orders.find(session, known, actor=actor(), locked=True)
            made = orders.split(session, order, draft, version=data["version"], actor=actor(), now=clock.now(session))
            session.flush()
            return 201, ORDER_OUT.dump(order_out(made)), {"Location": url_for("orders.OneOrder", number=made.number)}

        return once(f"orders.split:{known}", data, work)
