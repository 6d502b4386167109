"""Orders over HTTP: placing, looking, and every step that a person takes."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flask import Response, url_for
from flask.views import MethodView
from flask_babel import gettext
from marshmallow import RAISE, Schema
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.api.order_views import event_out, is_closed, order_out, page_out, received_out
from dispatch.gateways import limits
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Right
from dispatch.rules.orders.explain import Sentence
from dispatch.rules.orders.number import check_number
from dispatch.schemas import orders as schemas
from dispatch.services import orders
from dispatch.transaction import transaction

blueprint = Blueprint("orders", __name__, url_prefix="/api", description="订单 · Orders")

ORDER_OUT = schemas.OrderOut()
"""Made once: a schema copies all its fields when it is made."""

View = TypeVar("View", bound=Callable[..., Any])


def takes(schema: type[Schema], *, status: int = 200, door: Blueprint = blueprint) -> Callable[[View], View]:
    """A body in, the order out."""
    return door.takes(schema, schemas.OrderOut, status=status)


def told(sentence: Sentence) -> str:
    """A stored sentence in the reader's language."""
    return str(gettext(sentence.message_id, **sentence.parameters))


def draft_of(data: Mapping[str, Any]) -> orders.OrderDraft:
    """The draft that a body describes; a key's orders carry the key as their source when they bring a number."""
    source = "api" if data["source_number"] is None else f"api:{actor().principal}"
    values = dict(data)
    values["excluded_performers"] = tuple(values["excluded_performers"])
    return orders.OrderDraft(source=source, **values)


@blueprint.route("/orders")
class Orders(MethodView):
    """The list of orders, and placing one."""

    @allow(Right.ORDERS_READ)
    @blueprint.arguments(schemas.ListOrders, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.OrderPageOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List orders, newest first."""
        filters = orders.OrderFilters(
            states=(query["state"],) if "state" in query else (),
            area_id=query.get("area_id"),
            urgency=query.get("urgency"),
            placed_from=query.get("placed_from"),
            placed_until=query.get("placed_until"),
            only_late=query["late"],
        )
        with transaction() as session:
            page = orders.list_orders(
                session, actor=actor(), filters=filters, cursor=query["cursor"], limit=query["limit"]
            )
            return {"items": page_out(page.items), "next": page.next}

    @allow(Right.ORDERS_PLACE, limit=limits.INTAKE)
    @takes(schemas.PlaceOrder, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Place an order. 201 means: committed and sure to be dispatched. Repeat with the same Idempotency-Key."""

        def work(session: Session) -> Answer:
            received = orders.receive(session, draft_of(data), actor=actor(), now=clock.now(session))
            location = url_for("orders.OneOrder", number=received.number)
            return 201, received_out(received), {"Location": location}

        return once("orders.place", data, work)


@blueprint.route("/orders/preview")
class OrderPreview(MethodView):
    """Look ahead without saving."""

    @allow(Right.ORDERS_PLACE, limit=limits.SEARCH)
    @blueprint.arguments(schemas.PlaceOrder)
    @blueprint.response(200, schemas.PreviewOut)
    def post(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Tell duplicates, teams, performers with reasons and limits of a draft; writes nothing."""
        with transaction() as session:
            seen = orders.preview(session, draft_of(data), actor=actor(), now=clock.now(session))
            return {
                "service_code": seen.service.code,
                "urgency": str(seen.urgency),
                "suggested_urgency": str(seen.suggestion.urgency),
                "place_outcome": seen.place.outcome,
                "place_candidates": [candidate.as_fact() for candidate in seen.place.candidates],
                "stairwell_id": seen.place.stairwell_id,
                "duplicates": [
                    {
                        "number": order.number,
                        "score_permille": match.score_permille,
                        "reasons": list(match.reasons),
                    }
                    for match, order in seen.duplicates
                ],
                "recipients": [name for _, name in seen.recipients],
                "sentences": [told(sentence) for sentence in seen.sentences],
                "civic_due_at": seen.due.civic,
                "service_due_at": seen.due.service,
            }


@blueprint.route("/orders/<number>")
class OneOrder(MethodView):
    """One order."""

    @allow(Right.ORDERS_READ)
    @blueprint.response(200, schemas.OrderOut)
    def get(self, number: str) -> Mapping[str, Any]:
        """Show one order."""
        with transaction() as session:
            return order_out(orders.find(session, number, actor=actor()))


@blueprint.route("/orders/<number>/history")
class OrderHistory(MethodView):
    """The history of an order."""

    @allow(Right.ORDERS_READ)
    @blueprint.response(200, schemas.HistoryOut)
    def get(self, number: str) -> Mapping[str, Any]:
        """Show every step, oldest first."""
        with transaction() as session:
            order = orders.find(session, number, actor=actor())
            return {"items": [event_out(order, event) for event in orders.time_line(session, order)]}


@blueprint.route("/orders/<number>/decisions")
class OrderDecisions(MethodView):
    """Why an order went where it went."""

    @allow(Right.ORDERS_READ)
    @blueprint.response(200, schemas.DecisionsOut)
    def get(self, number: str) -> Mapping[str, Any]:
        """Show every decision in plain sentences; none of a confidential order."""
        with transaction() as session:
            order = orders.find(session, number, actor=actor())
            found = [] if is_closed(order) else orders.decisions(session, order)
            return {
                "items": [
                    {
                        "cycle": record.cycle,
                        "round": record.round,
                        "rule_version": record.rule_version,
                        "made_at": record.made_at,
                        "sentences": [told(sentence) for sentence in sentences],
                    }
                    for record, sentences in found
                ]
            }


@blueprint.route("/orders/<number>/offers")
class OrderOffers(MethodView):
    """The rounds of an order."""

    @allow(Right.ORDERS_READ)
    @blueprint.response(200, schemas.OffersOut)
    def get(self, number: str) -> Mapping[str, Any]:
        """Show who was asked, and what they answered."""
        with transaction() as session:
            order = orders.find(session, number, actor=actor())
            found = orders.offers_of(session, order)
            return {
                "items": [
                    {
                        "round": offer.round,
                        "performer_id": recipient.performer_id,
                        "performer": name,
                        "outcome": recipient.outcome,
                        "reason": None if is_closed(order) else recipient.reason,
                        "opened_at": recipient.opened_at,
                        "hold_until": offer.hold_until,
                        "answered_at": recipient.answered_at,
                    }
                    for offer, recipient, name in found
                ]
            }


def step(name: str, number: str, data: Mapping[str, Any], act: Callable[[Session, Order, Any], object]) -> Response:
    """One step of a person with one order: found within reach, locked, done once per Idempotency-Key."""
    known = check_number(number)

    def work(session: Session) -> Answer:
        order = orders.find(session, known, actor=actor(), locked=True)
        act(session, order, clock.now(session))
        session.flush()
        return 200, ORDER_OUT.dump(order_out(order)), {}

    return once(f"{name}:{known}", data, work)


def as_sent(name: str, number: str, data: Mapping[str, Any], deed: Callable[..., object], *about: int) -> Response:
    """A step whose body is just what its service takes beside the order, and what else of it the step is about."""
    return step(
        name, number, data, lambda session, order, now: deed(session, order, *about, **data, actor=actor(), now=now)
    )


@blueprint.route("/orders/<number>/place")
class OrderPlace(MethodView):
    """Settling a place."""

    @allow(Right.ORDERS_PLACE)
    @takes(schemas.SettlePlace)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Say where an order is whose address was not found; it is routed at once."""
        return as_sent("orders.settle_place", number, data, orders.settle)


@blueprint.route("/orders/<number>/dispatch")
class OrderDispatch(MethodView):
    """Dispatching by hand."""

    @allow(Right.ORDERS_DISPATCH)
    @takes(schemas.DispatchByHand)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Give an order to one performer, with a reason."""
        return as_sent("orders.dispatch", number, data, orders.dispatch_by_hand)


@blueprint.route("/orders/<number>/route")
class OrderRoute(MethodView):
    """Routing anew."""

    @allow(Right.ORDERS_DISPATCH)
    @takes(schemas.WithReason)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Route an order that waits for a human anew."""
        return as_sent("orders.route", number, data, orders.retry_routing)


@blueprint.route("/orders/<number>/team")
class OrderTeam(MethodView):
    """Choosing the block team."""

    @allow(Right.ORDERS_WORK)
    @takes(schemas.ChooseTeam)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Say which block team an order known only to its area belongs to."""
        return as_sent("orders.team", number, data, orders.choose_team)


@blueprint.route("/orders/<number>/signature")
class OrderSignature(MethodView):
    """Signing for an order (签收)."""

    @allow(Right.ORDERS_WORK)
    @takes(schemas.Versioned)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """The team takes the order."""
        return as_sent("orders.sign", number, data, orders.sign)


@blueprint.route("/orders/<number>/feedback")
class OrderFeedback(MethodView):
    """The answer to the resident."""

    @allow(Right.ORDERS_WORK)
    @takes(schemas.FeedBack)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Record what was answered to the resident."""
        return as_sent("orders.feed_back", number, data, orders.feed_back)


@blueprint.route("/orders/<number>/callbacks")
class OrderCallbacks(MethodView):
    """Calling back."""

    @allow(Right.ORDERS_CALL_BACK)
    @takes(schemas.RecordCallback)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Record one try; the order is closed, re-opened, or tried again on another half-day."""
        return as_sent("orders.call_back", number, data, orders.record_callback)


@blueprint.route("/orders/<number>/void")
class OrderVoid(MethodView):
    """Ending an order that should not be."""

    @allow(Right.ORDERS_VOID)
    @takes(schemas.VoidOrder)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Ask for the end of an order, confirm it as a second person, or take it back for the resident."""
        return as_sent("orders.void", number, data, orders.void)


@blueprint.route("/orders/<number>/remarks")
class OrderRemarks(MethodView):
    """Remarks."""

    @allow(Right.ORDERS_READ)
    @takes(schemas.Remark)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Add a remark to the history."""
        return as_sent("orders.remark", number, data, orders.remark)


@blueprint.route("/board")
class Board(MethodView):
    """The dispatcher's board."""

    @allow(Right.BOARD_READ)
    @blueprint.response(200, schemas.BoardOut)
    def get(self) -> Mapping[str, Any]:
        """Show what waits and why, what lapses next, what is late, which callbacks are due, and the counts."""
        with transaction() as session:
            board = orders.board(session, actor=actor(), now=clock.now(session))
            return {
                "waiting": page_out(board.waiting),
                "lapsing": page_out([order for order, _ in board.lapsing]),
                "late": page_out(board.late),
                "callbacks": page_out(board.callbacks),
                "counts": {
                    "by_state": board.counts_by_state,
                    "by_area": {str(key): number for key, number in board.counts_by_area.items()},
                    "by_service": {str(key): number for key, number in board.counts_by_service.items()},
                },
            }
