"""Webhooks that come in: a performer's own system accepts, declines and reports, signed with its secret."""

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any, TypeVar

from flask import g, request
from flask.views import MethodView
from flask_babel import gettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from dispatch import clock
from dispatch.api.auth import open_to_all
from dispatch.api.blueprint import Blueprint
from dispatch.models.orders import Order
from dispatch.rules.access.roles import EVERYTHING
from dispatch.rules.notify.signature import SIGNATURE_HEADER, SignatureFault
from dispatch.schemas import notify as schemas
from dispatch.services import notify, orders
from dispatch.services.orders import NamedRound, WorkReport
from dispatch.transaction import retrying, transaction

blueprint = Blueprint("webhooks", __name__, url_prefix="/api", description="服务商系统 · Performers' own systems")

SCHEME = "dispatch-signature"
SIGNATURE_PARAMETER = {
    "in": "header",
    "name": SIGNATURE_HEADER,
    "required": True,
    "schema": {"type": "string"},
    "description": "t=<seconds since 1970>,v1=<hex HMAC-SHA256 of `<t>.<body>` with your secret>; 5 minutes",
}
View = TypeVar("View", bound=Callable[..., Any])


def told(fault: SignatureFault | None) -> str:
    """Why a message is not believed."""
    if fault is SignatureFault.MALFORMED:
        return str(gettext("缺少签名,或签名的格式不对(X-Dispatch-Signature: t=…,v1=…)"))
    if fault is SignatureFault.STALE:
        return str(gettext("签名时间与现在相差超过 5 分钟"))
    return str(gettext("签名不对"))


def signed(view: View) -> View:
    """Believe the body by its signature before anything in it is read; keeps who sent it in `g`."""

    @wraps(view)
    def believed(*args: Any, performer_code: str, **kwargs: Any) -> Any:
        header = request.headers.get(SIGNATURE_HEADER, "")
        with transaction(EVERYTHING) as session:
            seconds = int(clock.real(session).timestamp())
            sender, fault = notify.find_sender(session, performer_code, header, request.get_data(), seconds=seconds)
        if sender is None:
            raise Unauthorized(told(fault), www_authenticate=WWWAuthenticate(SCHEME))
        g.performer_id = sender
        return view(*args, performer_code=performer_code, **kwargs)

    return believed  # type: ignore[return-value]


@blueprint.route("/webhooks/<performer_code>")
class Webhooks(MethodView):
    """What a performer's system says."""

    @open_to_all("signed with the performer's own secret")
    @signed
    @blueprint.arguments(schemas.ReceiveWebhook)
    @blueprint.response(200, schemas.WebhookTaken)
    @blueprint.doc(parameters=[SIGNATURE_PARAMETER])
    def post(self, data: Mapping[str, Any], performer_code: str) -> Mapping[str, Any]:  # noqa: ARG002 - in the address
        """Take one act: accept, decline, set_out, arrive or finish. A message id is taken once, ever."""
        try:
            return take(g.performer_id, data)
        except orders.PapersEnded:
            step_aside(g.performer_id, data)
            raise


@retrying
def take(performer_id: int, data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Do the act, unless the message was taken before; a refused act leaves nothing behind."""
    key = round_of(performer_id, data)
    with transaction(EVERYTHING) as session:
        is_new = notify.take_once(session, performer_id, data["message_id"])
        order = act(session, key, data) if is_new else orders.order_of(session, key)
        return {"order_number": order.number, "state": order.state, "replayed": not is_new}


def round_of(performer_id: int, data: Mapping[str, Any]) -> NamedRound:
    """The round that a message names."""
    return NamedRound(performer_id, data["order_number"], data["round"])


@retrying
def step_aside(performer_id: int, data: Mapping[str, Any]) -> None:
    """What follows a refusal for papers, in a transaction of its own: the next round."""
    with transaction(EVERYTHING) as session:
        orders.step_aside(session, round_of(performer_id, data), now=clock.now(session))


def act(session: Session, key: NamedRound, data: Mapping[str, Any]) -> Order:
    """The service of an action."""
    now = clock.now(session)
    if data["action"] == "decline":
        return orders.decline(session, key, reason=data["reason"], now=now)
    if data["action"] == "finish":
        report = WorkReport(result=data["result"], cost_fen=data["cost_fen"], note=data["note"])
        return orders.finish(session, key, report, now=now)
    step = {"accept": orders.accept, "set_out": orders.set_out, "arrive": orders.arrive}[data["action"]]
    return step(session, key, now=now)
