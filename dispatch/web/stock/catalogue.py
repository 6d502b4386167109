"""The catalogue of goods: what there is, how it is measured, how long it usually keeps; new goods."""

from collections.abc import Mapping
from datetime import datetime

from flask import Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.market.shelf import Commodity
from dispatch.services import market
from dispatch.services.market import GoodsDraft
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, change
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.stock.door import blueprint
from dispatch.web.stock.facilities import read_life


def category_words() -> dict[str, str]:
    """What kinds of goods there are."""
    return {
        "food": gettext("食品"),
        "clothes": gettext("衣物"),
        "daily": gettext("日用品"),
        "study": gettext("学习用品"),
    }


@blueprint.get("/goods")
@allow(Right.MARKET_READ)
def goods() -> str:
    """The catalogue."""
    return render_goods(current_actor(), NOTHING_WRONG)


def render_goods(actor: Actor, errors: Mapping[str, str]) -> str:
    """The catalogue by name, and the form of new goods."""
    with transaction() as session:
        return render_template(
            "stock/goods.html",
            goods=market.list_goods(session, actor=actor),
            communities=communities_of(session, actor),
            categories=category_words(),
            may_add=actor.may(Right.MARKET_KEEP),
            typed=request.form,
            errors=errors,
        )


@blueprint.post("/goods")
@allow(Right.MARKET_KEEP)
@retrying
def add_goods() -> Response:
    """Add goods."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        measure = form.get("commodity", "")
        if measure not in set(Commodity):
            raise Invalid("commodity", "请选择按斤还是按件")
        draft = GoodsDraft(
            code=form.get("code", ""),
            name=form.get("name", ""),
            category=form.get("category", ""),
            commodity=Commodity(measure),
            unit=form.get("unit", ""),
            life=read_life(form),
        )
        market.create_goods(session, chosen_community(), draft, actor=actor, now=now)

    return change(work, render_goods, url_for("pages_stock.goods"))
