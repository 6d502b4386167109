"""Recalls: called out, and who got some of it."""

from collections.abc import Mapping

from flask import Response, make_response, redirect, render_template, request, url_for

from dispatch import clock
from dispatch.errors import Conflict, Invalid
from dispatch.rules.access.roles import Actor, Right
from dispatch.services import market
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.knowledge import errors_of, status_of
from dispatch.web.orders.form import number
from dispatch.web.stock.door import ID, amount_words, blueprint, step_words

RECALL = f"/recalls/{ID.format('recall_id')}"
NO_ERRORS: Mapping[str, str] = {}


@blueprint.get("/recalls")
@allow(Right.MARKET_READ)
def recalls() -> str:
    """The recalls of the reach, newest first, and the form for another."""
    return render_recalls(current_actor(), NO_ERRORS)


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
    actor, form = current_actor(), request.form
    try:
        with transaction() as session:
            called = market.recall(
                session,
                number(form, "goods_id") or 0,
                batch_number=form.get("batch_number", ""),
                reason=form.get("reason", ""),
                source=form.get("source", ""),
                actor=actor,
                now=clock.now(session),
            )
            recall_id = called.id
    except (Invalid, Conflict) as error:
        return make_response(render_recalls(actor, errors_of(error)), status_of(error))
    return redirect(url_for("pages_stock.recall", recall_id=recall_id), 303)  # type: ignore[return-value]


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
