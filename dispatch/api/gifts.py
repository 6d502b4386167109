"""Gifts and charity sales over HTTP: received with receipts, reversed by line; planned, counted, banked, published."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Response, url_for
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.models.market import Gift, Sale
from dispatch.rules.access.roles import Right
from dispatch.rules.funds.draft import Foreign
from dispatch.rules.funds.terms import Commodity
from dispatch.rules.market.gifts import GiftItem, Package, Way
from dispatch.schemas import gifts as schemas
from dispatch.services import market
from dispatch.services.market import GiftDraft, SaleDraft
from dispatch.transaction import transaction

blueprint = Blueprint("gifts", __name__, url_prefix="/api", description="捐赠收据与义卖 · Gifts and sales")

ID = "<int(min=1, max=9223372036854775807):{}_id>"
GIFT, LINE, SALE = f"/gifts/{ID.format('gift')}", f"/gift-lines/{ID.format('line')}", f"/sales/{ID.format('sale')}"
OF_GIFT = tuple(name for name in schemas.GiftOut().fields if name != "lines")
OF_LINE = tuple(name for name in schemas.LineOut().fields if name not in {"receipt", "reversed_at"})
OF_SALE = tuple(name for name in schemas.SaleOut().fields if name not in {"fen", "counts"})


def gifts_out(session: Session, gifts: list[Gift]) -> list[dict[str, Any]]:
    """What leaves of gifts, their lines and receipts read in two queries."""
    ids = [gift.id for gift in gifts]
    lines, receipts = market.lines_of_gifts(session, ids), market.receipts_of_gifts(session, ids)
    return [
        {name: getattr(gift, name) for name in OF_GIFT}
        | {
            "lines": [
                {name: getattr(line, name) for name in OF_LINE}
                | {
                    "receipt": next((row.number for row in receipts[gift.id] if row.line.id == line.id), ""),
                    "reversed_at": reversal.reversed_at if reversal else None,
                }
                for line, reversal in lines[gift.id]
            ]
        }
        for gift in gifts
    ]


def sale_out(sale: Sale) -> dict[str, Any]:
    """What leaves of a sale: no figure before two people have counted the same."""
    counts = sum(fen is not None for fen in (sale.first_fen, sale.second_fen))
    return {name: getattr(sale, name) for name in OF_SALE} | {"fen": sale.second_fen, "counts": counts}


def read_draft(data: Mapping[str, Any]) -> GiftDraft:
    """The gift that a body describes."""
    plain = {name: value for name, value in data.items() if name not in {"items", "way"}}
    return GiftDraft(**plain, way=Way(data["way"]), items=tuple(read_item(one) for one in data["items"]))


def read_item(data: Mapping[str, Any]) -> GiftItem:
    """One item of it."""
    return GiftItem(
        item=data["item"],
        commodity=Commodity(data["commodity"]),
        amount=data["amount"],
        goods_id=data["goods_id"],
        package=Package(**(data["package"] or {})),
        foreign=Foreign(**data["foreign"]) if data["foreign"] else None,
    )


@blueprint.route("/gifts")
class Gifts(MethodView):
    """What was given."""

    @allow(Right.GIFTS_READ)
    @blueprint.arguments(schemas.GiftQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.GiftsOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List gifts with their lines, newest first."""
        with transaction() as session:
            rows = market.list_gifts(session, before=query["cursor"], limit=query["limit"] + 1, actor=actor())
            shown = list(rows[: query["limit"]])
            following = shown[-1].id if len(rows) > query["limit"] else None
            return {"items": gifts_out(session, shown), "next": following}

    @allow(Right.GIFTS_RECEIVE)
    @blueprint.takes(schemas.ReceiveGift, schemas.GiftOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Receive a gift: a line, an entry and a receipt per item. A pledge is received once (409)."""

        def work(session: Session) -> Answer:
            gift = market.receive_gift(session, read_draft(data), actor=actor(), now=clock.now(session))
            location = url_for("gifts.OneGift", gift_id=gift.id)
            return 201, schemas.GiftOut().dump(gifts_out(session, [gift])[0]), {"Location": location}

        return once("gifts.receive", data, work)


@blueprint.route(GIFT)
class OneGift(MethodView):
    """One gift."""

    @allow(Right.GIFTS_READ)
    @blueprint.response(200, schemas.GiftOut)
    def get(self, gift_id: int) -> Mapping[str, Any]:
        """Show one gift with its lines."""
        with transaction() as session:
            return gifts_out(session, [market.find_gift(session, gift_id, actor=actor())])[0]


@blueprint.route(f"{GIFT}/thanks")
class GiftThanks(MethodView):
    """That the donor was thanked."""

    @allow(Right.GIFTS_RECEIVE)
    @blueprint.arguments(schemas.Nothing, required=False)
    @blueprint.response(200, schemas.GiftOut)
    def post(self, data: Mapping[str, Any], gift_id: int) -> Response:
        """Note the thanks; said twice is said once."""

        def work(session: Session) -> Answer:
            gift = market.thank(session, gift_id, actor=actor(), now=clock.now(session))
            return 200, schemas.GiftOut().dump(gifts_out(session, [gift])[0]), {}

        return once(f"gifts.thank:{gift_id}", data, work)


@blueprint.route(f"{LINE}/reversal")
class LineReversal(MethodView):
    """A line that was written by mistake."""

    @allow(Right.GIFTS_RECEIVE)
    @blueprint.takes(schemas.ReverseLine, schemas.GiftOut)
    def post(self, data: Mapping[str, Any], line_id: int) -> Response:
        """Take it back with its receipt, its entry and its lot, once (409); what was spent meanwhile is refused."""

        def work(session: Session) -> Answer:
            gift = market.reverse_line(session, line_id, **data, actor=actor(), now=clock.now(session))
            return 200, schemas.GiftOut().dump(gifts_out(session, [gift])[0]), {}

        return once(f"gifts.reverse:{line_id}", data, work)


@blueprint.route("/sales")
class Sales(MethodView):
    """爱心义卖."""

    @allow(Right.CAMPAIGNS_READ)
    @blueprint.response(200, schemas.SalesOut)
    def get(self) -> Mapping[str, Any]:
        """List the sales, the newest first."""
        with transaction() as session:
            return {"items": [sale_out(sale) for sale in market.list_sales(session, actor=actor())]}

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.PlanSale, schemas.SaleOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Plan a sale; 422 without an agreement that was signed before it."""

        def work(session: Session) -> Answer:
            sale = market.plan_sale(session, SaleDraft(**data), actor=actor(), now=clock.now(session))
            return 201, schemas.SaleOut().dump(sale_out(sale)), {}

        return once("sales.plan", data, work)


def change(route: str, data: Mapping[str, Any], deed: Callable[[Session, datetime], Sale]) -> Response:
    """Do one step of a sale."""

    def work(session: Session) -> Answer:
        return 200, schemas.SaleOut().dump(sale_out(deed(session, clock.now(session)))), {}

    return once(route, data, work)


@blueprint.route(SALE)
class OneSale(MethodView):
    """One sale."""

    @allow(Right.CAMPAIGNS_READ)
    @blueprint.response(200, schemas.SaleOut)
    def get(self, sale_id: int) -> Mapping[str, Any]:
        """Show one sale."""
        with transaction() as session:
            return sale_out(market.find_sale(session, sale_id, actor=actor()))

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.arguments(schemas.Nothing, required=False)
    @blueprint.response(200, schemas.SaleOut)
    def delete(self, data: Mapping[str, Any], sale_id: int) -> Response:
        """Call off a sale that nobody has counted (else 409)."""
        return change(
            f"sales.cancel:{sale_id}", data, lambda session, _: market.cancel_sale(session, sale_id, actor=actor())
        )


@blueprint.route(f"{SALE}/counts")
class SaleCounts(MethodView):
    """Two people count."""

    @allow(Right.MARKET_COUNT)
    @blueprint.takes(schemas.CountSale, schemas.SaleOut)
    def post(self, data: Mapping[str, Any], sale_id: int) -> Response:
        """Enter what one person counted; a key is nobody and is refused (403)."""
        return change(
            f"sales.count:{sale_id}",
            data,
            lambda session, now: market.count_sale(session, sale_id, data["fen"], actor=actor(), now=now),
        )


@blueprint.route(f"{SALE}/banking")
class SaleBanking(MethodView):
    """All of it into the fund."""

    @allow(Right.FUNDS_BOOK)
    @blueprint.takes(schemas.BankSale, schemas.SaleOut)
    def post(self, data: Mapping[str, Any], sale_id: int) -> Response:
        """Bank what two people counted, all of it (else 422)."""
        return change(
            f"sales.bank:{sale_id}",
            data,
            lambda session, now: market.bank_sale(
                session, sale_id, data["fen"], data["holding_id"], actor=actor(), now=now
            ),
        )


@blueprint.route(f"{SALE}/publication")
class SalePublication(MethodView):
    """The result for everybody."""

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.PublishSale, schemas.SaleOut)
    def post(self, data: Mapping[str, Any], sale_id: int) -> Response:
        """Publish the result of a banked sale."""
        return change(
            f"sales.publish:{sale_id}",
            data,
            lambda session, now: market.publish_sale(session, sale_id, data["result"], actor=actor(), now=now),
        )
