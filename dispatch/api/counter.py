"""Hand-outs over HTTP: listed and shown; what goods cost of a month. A key hands nothing out: that is a keeper's."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.models.market import HandOut
from dispatch.rules.access.roles import Right
from dispatch.schemas import counter as schemas
from dispatch.services import market
from dispatch.services.market import counter, hand_outs
from dispatch.transaction import transaction

blueprint = Blueprint("counter", __name__, url_prefix="/api", description="领取 · Hand-outs")

HAND_OUT = "/hand-outs/<int(min=1, max=9223372036854775807):hand_out_id>"


def hand_out_out(one: HandOut) -> dict[str, Any]:
    """What leaves of a hand-out: no name, no ground, nothing of who signed for whom."""
    hidden = {"list_hash": one.list_hash.hex(), "by_proxy": one.proxy_relation is not None}
    return {name: getattr(one, name) for name in schemas.HandOutOut().fields if name not in hidden} | hidden


@blueprint.route("/hand-outs")
class HandOuts(MethodView):
    """The list."""

    @allow(Right.MARKET_READ)
    @blueprint.arguments(schemas.ListHandOuts, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.HandOutsOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List the newest hand-outs of a facility."""
        with transaction() as session:
            facility = market.find_facility(session, query["facility_id"], actor=actor())
            found = hand_outs.newest(session, facility.id, actor=actor(), limit=query["limit"])
            return {"items": [hand_out_out(one) for one in found]}


@blueprint.route(HAND_OUT)
class OneHandOut(MethodView):
    """One hand-out."""

    @allow(Right.MARKET_READ)
    @blueprint.response(200, schemas.WholeHandOutOut)
    def get(self, hand_out_id: int) -> Mapping[str, Any]:
        """Show a hand-out with its list."""
        with transaction() as session:
            one = hand_outs.find(session, hand_out_id, actor=actor())
            return hand_out_out(one) | {"lines": hand_outs.lines_of(session, one.id)}


@blueprint.route("/goods/<int(min=1, max=9223372036854775807):goods_id>/points")
class PointsOfGoods(MethodView):
    """What goods cost of a month."""

    @allow(Right.MARKET_APPROVE)
    @blueprint.takes(schemas.SetPoints, schemas.PointsOut)
    def post(self, data: Mapping[str, Any], goods_id: int) -> Response:
        """Set so many points for each step (grams or pieces) that is begun; others go by the policies."""

        def work(session: Session) -> Answer:
            now = clock.now(session)
            made = counter.set_points(session, goods_id, **data, actor=actor(), now=now)
            return 200, schemas.PointsOut().dump(made), {}

        return once(f"market.set_points:{goods_id}", data, work)
