"""The stock of the supermarkets over HTTP: read, the catalogue of goods, recalls.

What a keeper, a counter or an approver does is done by a named person on the pages: a machine's key signs nothing.
"""

from collections.abc import Mapping
from typing import Any

from flask import Response, url_for
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.gateways import limits
from dispatch.models.market import Goods, Recall
from dispatch.rules.access.roles import Right
from dispatch.rules.market.shelf import Days, MoveKind, ShelfLife, may_be_given
from dispatch.schemas import stock as schemas
from dispatch.services import market
from dispatch.services.market import GoodsDraft, Standing
from dispatch.transaction import transaction

blueprint = Blueprint("stock", __name__, url_prefix="/api", description="爱心超市库存 · Stock of the love supermarket")

FACILITY = "/facilities/<int(min=1, max=9223372036854775807):facility_id>"
RECALL = "/recalls/<int(min=1, max=9223372036854775807):recall_id>"
OF_GOODS = tuple(schemas.GoodsOut().fields)
OF_RECALL = tuple(name for name in schemas.RecallOut().fields if name != "given")


def standing_out(one: Standing, days: Days) -> dict[str, Any]:
    """What leaves of so much of a lot."""
    plain = ("lot_id", "goods_id", "goods", "batch_number", "fund_id", "earmark_id", "commodity", "amount")
    return {name: getattr(one, name) for name in plain} | {
        "spot": str(one.shelf.spot),
        "last_good_day": one.shelf.last_good_day,
        "may_be_given": may_be_given(one.shelf, MoveKind.HAND_OUT, days),
    }


def goods_out(goods: Goods) -> dict[str, Any]:
    """What leaves of goods."""
    return {name: getattr(goods, name) for name in OF_GOODS}


def recall_out(session: Session, called: Recall) -> dict[str, Any]:
    """What leaves of a recall, with what has gone out."""
    given = [
        {name: getattr(one, name) for name in ("kind", "origin", "origin_id", "signed_on", "lot_id", "amount")}
        | {"step_id": one.move_id}
        for one in market.given_of(session, called.id, actor=actor())
    ]
    return {name: getattr(called, name) for name in OF_RECALL} | {"given": given}


@blueprint.route("/facilities")
class Facilities(MethodView):
    """The facilities of the reach."""

    @allow(Right.MARKET_READ)
    @blueprint.response(200, schemas.FacilitiesOut)
    def get(self) -> Mapping[str, Any]:
        """List the facilities with their keepers and what is open."""
        with transaction() as session:
            rows = market.overview(session, actor=actor(), now=clock.now(session))
        return {
            "items": [
                {name: getattr(row.facility, name) for name in ("id", "community_id", "kind", "name")}
                | {"keeper": row.keeper, "open_inspections": row.rounds, "open_disposals": row.disposals}
                | {"being_counted": row.is_counted}
                for row in rows
            ]
        }


@blueprint.route(f"{FACILITY}/stock")
class FacilityStock(MethodView):
    """What stands in a facility."""

    @allow(Right.MARKET_READ)
    @blueprint.response(200, schemas.StockOut)
    def get(self, facility_id: int) -> Mapping[str, Any]:
        """List the lots by goods, first out first; whether each may be given today."""
        with transaction() as session:
            market.find_facility(session, facility_id, actor=actor())
            today = clock.today(clock.now(session))
            found = market.stock_of(session, facility_id, actor=actor())
        return {"items": [standing_out(one, Days(today, today)) for one in found]}


@blueprint.route("/goods")
class GoodsOfTheCatalogue(MethodView):
    """The catalogue of goods."""

    @allow(Right.MARKET_READ, limit=limits.SEARCH)
    @blueprint.arguments(schemas.GoodsQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.GoodsListOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List goods, or those that fit what is typed."""
        with transaction() as session:
            found = market.list_goods(session, actor=actor(), query=query["q"], limit=query["limit"])
        return {"items": [goods_out(one) for one in found]}

    @allow(Right.MARKET_KEEP)
    @blueprint.takes(schemas.AddGoods, schemas.GoodsOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Add goods to a community's catalogue; 409 for a code that is there."""

        def work(session: Session) -> Answer:
            life = None if data["life_amount"] is None else ShelfLife(data["life_amount"], data["life_unit"])
            named = {name: data[name] for name in ("code", "name", "category", "commodity", "unit")}
            draft = GoodsDraft(**named, life=life, synonyms=tuple(data["synonyms"]))
            made = market.create_goods(session, data["community_id"], draft, actor=actor(), now=clock.now(session))
            return 201, schemas.GoodsOut().dump(goods_out(made)), {}

        return once("goods.add", as_plain(data), work)


def as_plain(data: Mapping[str, Any]) -> dict[str, Any]:
    """A body as it was sent: words instead of enumerations, for the fingerprint."""
    return {name: str(value) if isinstance(value, str) else value for name, value in data.items()}


@blueprint.route("/recalls")
class Recalls(MethodView):
    """Calling goods back."""

    @allow(Right.MARKET_APPROVE)
    @blueprint.takes(schemas.CallBack, schemas.RecallOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Call a batch back: what is left goes into quarantine everywhere; the answer lists what has gone out."""

        def work(session: Session) -> Answer:
            called = market.recall(session, **data, actor=actor(), now=clock.now(session))
            location = url_for("stock.OneRecall", recall_id=called.id)
            return 201, schemas.RecallOut().dump(recall_out(session, called)), {"Location": location}

        return once("recalls.call", data, work)


@blueprint.route(RECALL)
class OneRecall(MethodView):
    """One recall."""

    @allow(Right.MARKET_READ)
    @blueprint.response(200, schemas.RecallOut)
    def get(self, recall_id: int) -> Mapping[str, Any]:
        """Show a recall and what of it has gone out."""
        with transaction() as session:
            return recall_out(session, market.find_recall(session, recall_id, actor=actor()))
