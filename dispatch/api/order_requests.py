"""Requests about orders over HTTP: asked, decided, withdrawn; resuming, helping, urging, supervising."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.order_views import is_closed
from dispatch.api.orders import as_sent, step, takes
from dispatch.models.orders import Order, OrderRequest
from dispatch.rules.access.roles import Right
from dispatch.rules.orders.requests import RequestKind, Wish
from dispatch.schemas import order_requests as schemas
from dispatch.schemas.orders import Versioned, WithReason
from dispatch.services import orders
from dispatch.transaction import transaction

blueprint = Blueprint("order_requests", __name__, url_prefix="/api", description="申请与督办 · Requests, supervision")

WISHED = ("days", "until", "long_works", "team_id", "task")
HIDDEN = {"grounds": None, "basis": None, "decision": None, "wish": {}}


def request_out(request: OrderRequest, order: Order) -> dict[str, Any]:
    """What leaves of a request; of a confidential order not what was written."""
    out = {name: getattr(request, name) for name in schemas.RequestOut().fields}
    return out | HIDDEN if is_closed(order) else out


@blueprint.route("/requests")
class WaitingRequests(MethodView):
    """What waits for a decision."""

    @allow(Right.ORDERS_DECIDE)
    @blueprint.response(200, schemas.WaitingRequestsOut)
    def get(self) -> Mapping[str, Any]:
        """List the requests that wait, the most urgent first; at most 100."""
        with transaction() as session:
            found = orders.requests_to_decide(session, actor=actor())
            return {
                "items": [request_out(one.request, one.order) | {"order_number": one.order.number} for one in found]
            }


@blueprint.route("/orders/<number>/requests")
class OrderRequests(MethodView):
    """The requests about one order."""

    @allow(Right.ORDERS_READ)
    @blueprint.response(200, schemas.RequestsOut)
    def get(self, number: str) -> Mapping[str, Any]:
        """List everything asked about an order, oldest first."""
        with transaction() as session:
            order = orders.find(session, number, actor=actor())
            return {"items": [request_out(request, order) for request in orders.requests_of(session, order)]}

    @allow(Right.ORDERS_REQUEST)
    @takes(schemas.AskRequest, door=blueprint)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Ask for a return, extension, hold, helper, other team or final answer."""

        def work(session: Session, order: Order, now: Any) -> None:
            wish = Wish(**{name: data[name] for name in WISHED})
            rest = {name: value for name, value in data.items() if name not in {*WISHED, "kind"}}
            orders.ask(session, order, RequestKind(data["kind"]), wish=wish, **rest, actor=actor(), now=now)

        return step("orders.ask", number, data, work)


def about(request_id: int) -> str:
    """The number of the order that a request is about; raises NotFound."""
    with transaction() as session:
        return orders.order_asked_about(session, request_id, actor=actor())


@blueprint.route("/requests/<int(min=1, max=9223372036854775807):request_id>/decision")
class RequestDecision(MethodView):
    """Deciding a request."""

    @allow(Right.ORDERS_DECIDE)
    @takes(schemas.DecideRequest, door=blueprint)
    def post(self, data: Mapping[str, Any], request_id: int) -> Response:
        """Grant or refuse, with the reason; what is granted is done at once."""
        return as_sent(f"orders.decide:{request_id}", about(request_id), data, orders.decide, request_id)


@blueprint.route("/requests/<int(min=1, max=9223372036854775807):request_id>")
class OneRequest(MethodView):
    """Taking a request back."""

    @allow(Right.ORDERS_REQUEST)
    @takes(Versioned, door=blueprint)
    def delete(self, data: Mapping[str, Any], request_id: int) -> Response:
        """Withdraw one's own request while nobody has decided it."""
        return as_sent(f"orders.withdraw:{request_id}", about(request_id), data, orders.withdraw_request, request_id)


@blueprint.route("/orders/<number>/resumption")
class OrderResumption(MethodView):
    """Ending a hold early."""

    @allow(Right.ORDERS_SUPERVISE)
    @takes(WithReason, door=blueprint)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """End a hold before its date; the clocks go on with what was left."""
        return as_sent("orders.resume", number, data, orders.resume)


@blueprint.route("/orders/<number>/help")
class OrderHelp(MethodView):
    """A helper's task."""

    @allow(Right.ORDERS_WORK)
    @takes(schemas.FinishHelp, door=blueprint)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Say what the helping team has done; the lead may end when all helpers have."""
        return as_sent("orders.finish_help", number, data, orders.finish_help)


@blueprint.route("/orders/<number>/urges")
class OrderUrges(MethodView):
    """Urging."""

    @allow(Right.CALLERS_READ)
    @takes(schemas.Urge, door=blueprint)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Urge an order: counted, the state stays, performer and team are told."""
        return as_sent("orders.urge", number, data, orders.urge)


@blueprint.route("/orders/<number>/supervision")
class OrderSupervision(MethodView):
    """Supervision."""

    @allow(Right.ORDERS_SUPERVISE)
    @takes(WithReason, door=blueprint)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Supervise an order, with a due date of its own."""
        return as_sent("orders.supervise", number, data, orders.supervise)


@blueprint.route("/orders/<number>/supervision/end")
class OrderSupervisionEnd(MethodView):
    """The closing check."""

    @allow(Right.ORDERS_SUPERVISE)
    @takes(schemas.EndSupervision, door=blueprint)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """End the supervision with what was found."""
        return as_sent("orders.end_supervision", number, data, orders.end_supervision)


@blueprint.route("/orders/<number>/confidentiality")
class OrderConfidentiality(MethodView):
    """保密, made and lifted."""

    @allow(Right.ORDERS_PLACE)
    @takes(schemas.Confidentiality, door=blueprint)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Make an order confidential; to lift it is refused here: a person of the centre does it on its page."""
        is_hiding = data.pop("confidential")
        change = orders.conceal if is_hiding else orders.reveal
        return as_sent(f"orders.confidentiality:{is_hiding}", number, data, change)
