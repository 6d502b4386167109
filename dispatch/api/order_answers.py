"""直接答复 over HTTP: a call closed in the call with an item of knowledge, and what the caller says of it."""

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
from dispatch.api.orders import ORDER_OUT, as_sent, draft_of, step, takes
from dispatch.errors import NotFound
from dispatch.gateways import limits
from dispatch.rules.access.roles import Right
from dispatch.schemas import orders as schemas
from dispatch.services import orders
from dispatch.transaction import transaction

blueprint = Blueprint("order_answers", __name__, url_prefix="/api", description="直接答复 · Answers")

CITED = frozenset(schemas.Cited().fields)


def citation_in(data: Mapping[str, Any]) -> orders.Citation:
    """What a body cites."""
    return orders.Citation(code=data["knowledge_code"], version=data["knowledge_version"], useful=data["useful"])


@blueprint.route("/orders/answered")
class AnsweredOrders(MethodView):
    """Calls that nobody has to go for."""

    @allow(Right.ORDERS_PLACE, limit=limits.INTAKE)
    @takes(schemas.AnswerCall, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Close a call in the call with an item of knowledge. 201 means: committed; nobody is dispatched."""

        def work(session: Session) -> Answer:
            draft = draft_of({name: value for name, value in data.items() if name not in CITED})
            order = orders.answer_call(session, draft, citation_in(data), actor=actor(), now=clock.now(session))
            location = url_for("orders.OneOrder", number=order.number)
            return 201, ORDER_OUT.dump(order_out(order)), {"Location": location}

        return once("orders.answer_call", data, work)


@blueprint.route("/orders/<number>/answer")
class OrderAnswer(MethodView):
    """What an order was answered with."""

    @allow(Right.ORDERS_READ)
    @blueprint.response(200, schemas.AnswerOut)
    def get(self, number: str) -> Mapping[str, Any]:
        """Show the version of the knowledge that closed an order; 404 where none did, or it is confidential."""
        with transaction() as session:
            order = orders.find(session, number, actor=actor())
            if is_closed(order):
                raise NotFound
            use, item, said = orders.answered_with(session, order)
            return {
                "knowledge_code": item.code,
                "knowledge_version": said.version,
                "title": said.title,
                "body": said.body,
                "source": said.source,
                "cited_at": use.cited_at,
                "useful": use.useful,
                "asked_at": use.asked_at,
            }

    @allow(Right.ORDERS_PLACE)
    @takes(schemas.AnswerOrder)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Close an order in 受理中 with an item of knowledge."""
        return step(
            "orders.answer_directly",
            number,
            data,
            lambda session, order, now: orders.answer_directly(
                session, order, citation_in(data), version=data["version"], actor=actor(), now=now
            ),
        )


@blueprint.route("/orders/<number>/usefulness")
class OrderUsefulness(MethodView):
    """Whether an answer helped."""

    @allow(Right.ORDERS_PLACE)
    @takes(schemas.Usefulness)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Record once what the caller says of the answer; 409 when it was recorded before."""
        return as_sent("orders.record_usefulness", number, data, orders.record_usefulness)
