"""Complaints about firms over HTTP: raised, answered, decided, withdrawn."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.order_views import is_closed
from dispatch.api.orders import as_sent, step, takes
from dispatch.models.orders import Complaint, Order
from dispatch.rules.access.roles import Right
from dispatch.rules.orders.complaints import ComplaintKind, Consequence, Verdict
from dispatch.schemas import complaints as schemas
from dispatch.schemas.orders import Versioned
from dispatch.services import orders
from dispatch.transaction import transaction

blueprint = Blueprint("complaints", __name__, url_prefix="/api", description="投诉 · Complaints")

ONE = "/complaints/<int(min=1, max=9223372036854775807):complaint_id>"
VERDICT = ("upheld", "consequence", "refund_fen", "until")
HIDDEN = {"words": None, "answer": None, "decision": None}


def complaint_out(complaint: Complaint, order: Order) -> dict[str, Any]:
    """What leaves of a complaint; of a confidential order not what was written."""
    out = {name: getattr(complaint, name) for name in schemas.ComplaintOut().fields}
    return out | HIDDEN if is_closed(order) else out


@blueprint.route("/complaints")
class WaitingComplaints(MethodView):
    """What waits for an answer or a decision."""

    @allow(Right.ORDERS_DECIDE)
    @blueprint.response(200, schemas.WaitingComplaintsOut)
    def get(self) -> Mapping[str, Any]:
        """List the complaints that are not decided, by the end of the time to answer; at most 100."""
        with transaction() as session:
            found = orders.complaints_to_decide(session, actor=actor())
            return {
                "items": [complaint_out(one.complaint, one.order) | {"order_number": one.order.number} for one in found]
            }


@blueprint.route("/orders/<number>/complaints")
class OrderComplaints(MethodView):
    """The complaints about one order."""

    @allow(Right.ORDERS_READ)
    @blueprint.response(200, schemas.ComplaintsOut)
    def get(self, number: str) -> Mapping[str, Any]:
        """List the complaints about an order, oldest first."""
        with transaction() as session:
            order = orders.find(session, number, actor=actor())
            return {"items": [complaint_out(one, order) for one in orders.complaints_of(session, order)]}

    @allow(Right.CALLERS_READ)
    @takes(schemas.RaiseComplaint, door=blueprint)
    def post(self, data: Mapping[str, Any], number: str) -> Response:
        """Raise a complaint about the firm that took the order; the firm is told and has some days to answer."""

        def work(session: Session, order: Order, now: Any) -> None:
            rest = {name: value for name, value in data.items() if name != "kind"}
            orders.raise_complaint(session, order, ComplaintKind(data["kind"]), **rest, actor=actor(), now=now)

        return step("orders.raise_complaint", number, data, work)


def about(complaint_id: int) -> str:
    """The number of the order that a complaint is about; raises NotFound."""
    with transaction() as session:
        return orders.order_complained_about(session, complaint_id, actor=actor())


@blueprint.route(f"{ONE}/answer")
class ComplaintAnswer(MethodView):
    """What the firm says."""

    @allow(Right.CALLERS_READ)
    @takes(schemas.AnswerComplaint, door=blueprint)
    def post(self, data: Mapping[str, Any], complaint_id: int) -> Response:
        """Enter what the firm answered by telephone."""
        return as_sent(
            f"orders.answer_complaint:{complaint_id}", about(complaint_id), data, orders.answer_complaint, complaint_id
        )


@blueprint.route(f"{ONE}/decision")
class ComplaintDecision(MethodView):
    """Deciding a complaint."""

    @allow(Right.FIRMS_EDIT)
    @takes(schemas.DecideComplaint, door=blueprint)
    def post(self, data: Mapping[str, Any], complaint_id: int) -> Response:
        """Uphold or reject, with the reason, by another than who raised it; a suspension takes effect at once."""

        def work(session: Session, order: Order, now: Any) -> None:
            given = {name: data[name] for name in VERDICT}
            verdict = Verdict(**given | {"consequence": Consequence(data["consequence"])})
            rest = {name: value for name, value in data.items() if name not in VERDICT}
            orders.decide_complaint(session, order, complaint_id, verdict, **rest, actor=actor(), now=now)

        return step(f"orders.decide_complaint:{complaint_id}", about(complaint_id), data, work)


@blueprint.route(ONE)
class OneComplaint(MethodView):
    """Taking a complaint back."""

    @allow(Right.CALLERS_READ)
    @takes(Versioned, door=blueprint)
    def delete(self, data: Mapping[str, Any], complaint_id: int) -> Response:
        """Withdraw one's own complaint while nobody has decided it."""
        return as_sent(
            f"orders.withdraw_complaint:{complaint_id}",
            about(complaint_id),
            data,
            orders.withdraw_complaint,
            complaint_id,
        )
