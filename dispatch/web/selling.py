"""The goods of a charity sale: brought out of the stock by its keeper, the partner's and consigned ones in words."""

from datetime import datetime

from flask import Response, request
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.funds.terms import Commodity
from dispatch.rules.market.sales import SaleSource
from dispatch.services import market
from dispatch.services.market import selling
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.form import number
from dispatch.web.sales import SALE, blueprint, changed
from dispatch.web.stock.door import read_amount
from dispatch.web.stock.parcels import whole_amount

LINE = "/lines/<int(min=1, max=9223372036854775807):line_id>"


@blueprint.post(f"{SALE}/own-goods")
@allow(Right.MARKET_KEEP)
@retrying
def bring_own(sale_id: int) -> Response:
    """The keeper takes own goods to the sale."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        goods = market.find_goods(session, number(form, "goods_id") or 0, actor=actor)
        amount = read_amount(form.get("amount", ""), goods.commodity)
        facility_id = number(form, "facility_id") or 0
        selling.bring_own(session, sale_id, facility_id, goods.id, amount, actor=actor, now=now)

    return changed(sale_id, work)


@blueprint.post(f"{SALE}/other-goods")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def bring_others(sale_id: int) -> Response:
    """Note goods of the partner's, or consigned ones."""

    def work(session: Session, actor: Actor, _now: datetime) -> None:
        form = request.form
        source = form.get("source", "")
        if source not in {SaleSource.PARTNER, SaleSource.CONSIGNED}:
            raise Invalid("source", "请选择一项")
        pieces = number(form, "pieces") or 0
        selling.bring_others(session, sale_id, SaleSource(source), form.get("words", ""), pieces, actor=actor)

    return changed(sale_id, work)


@blueprint.post(f"{LINE}/own-sold")
@allow(Right.MARKET_KEEP)
@retrying
def settle_own(line_id: int) -> Response:
    """The keeper says how much of own goods was sold; the rest comes back."""
    return settled(line_id)


@blueprint.post(f"{LINE}/sold")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def settle_others(line_id: int) -> Response:
    """How much of others' goods was sold."""
    return settled(line_id)


def settled(line_id: int) -> Response:
    """Say once how much of a line was sold; raises NotFound."""
    with transaction() as session:
        sale_id = selling.find_line(session, line_id, actor=current_actor())[0].sale_id

    def work(session: Session, actor: Actor, now: datetime) -> None:
        line, goods = selling.find_line(session, line_id, actor=actor)
        sold = whole_amount("sold", goods.commodity if goods else str(Commodity.PIECE))
        selling.settle_line(session, line.id, sold, actor=actor, now=now)

    return changed(sale_id, work)
