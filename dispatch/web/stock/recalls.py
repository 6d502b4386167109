"""Recalls: called out, and who got some of it."""

from collections.abc import Mapping
from datetime import datetime

from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch.rules.access.roles import Actor, Right
from dispatch.services import market
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, make
from dispatch.web.orders.form import number
from dispatch.web.stock.door import ID, amount_words, blueprint, step_words

RECALL = f"/recalls/{ID.format('recall_id')}"


@blueprint.get("/recalls")
@allow(Right.MARKET_READ)
def recalls() -> str:
    """The recalls of the reach, newest first, and the form for another."""
    return render_recalls(current_actor(), NOTHING_WRONG)


def render_recalls(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page."""
    with transaction() as session:
        return render_template(
            "stock/recalls.html",
            recalls=market.list_recalls(session, actor=actor),
            goods=market.list_goods(session, actor=actor),
            may_call=actor.may(Right.MARKET_APPROVE),
            typed=request.form,
            errors=errors,
        )


@blueprint.post("/recalls")
@allow(Right.MARKET_APPROVE)
@retrying
def call_back() -> Response:
    """Call a batch, or all of some goods, back."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        form = request.form
        said = {name: form.get(name, "") for name in ("batch_number", "reason", "source")}
        called = market.recall(session, number(form, "goods_id") or 0, **said, actor=actor, now=now)
        return url_for("pages_stock.recall", recall_id=called.id)

    return make(work, render_recalls)


@blueprint.get(RECALL)
@allow(Right.MARKET_READ)
def recall(recall_id: int) -> str:
    """What was called back, and what of it has reached people."""
    actor = current_actor()
    with transaction() as session:
        found = market.find_recall(session, recall_id, actor=actor)
        given = market.given_of(session, recall_id, actor=actor)
        goods = market.find_goods(session, found.goods_id, actor=actor)
        homes = market.receivers_of(session, found, given, actor=actor)
        names = market.names_of_lots(session, [one.lot_id for one in given])
    return render_template(
        "stock/recall.html",
        recall=found,
        goods=goods,
        given=given,
        homes=homes,
        names=names,
        steps=step_words(),
        say=amount_words,
    )
