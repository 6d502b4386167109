"""A disposal: what, why, by when, and its two signatures."""

from collections.abc import Mapping
from functools import partial

from flask import Response, render_template, request, url_for

from dispatch import clock
from dispatch.rules.access.roles import Actor, Right
from dispatch.services import market
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, Work, change
from dispatch.web.orders.views import order_numbers
from dispatch.web.stock.door import ID, amount_words, blueprint, cause_words, read_signature

DISPOSAL = f"/disposals/{ID.format('disposal_id')}"


@blueprint.get(DISPOSAL)
@allow(Right.MARKET_READ)
def disposal(disposal_id: int) -> str:
    """One disposal."""
    return render_disposal(disposal_id, current_actor(), NOTHING_WRONG)


def render_disposal(disposal_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """What is to be destroyed and who has signed."""
    with transaction() as session:
        now = clock.now(session)
        found = market.find_disposal(session, disposal_id, actor=actor)
        keeper = market.keeper_of(session, found.facility_id, now=now)
        lot, goods = market.names_of_lots(session, [found.lot_id])[found.lot_id]
        may_order = actor.may(Right.ORDERS_READ) and found.order_id is not None
        return render_template(
            "stock/disposal.html",
            disposal=found,
            facility=market.find_facility(session, found.facility_id, actor=actor),
            lot=lot,
            goods=goods,
            number=order_numbers(session, {found.order_id}, actor).get(found.order_id) if may_order else None,
            is_keeper=keeper is not None and keeper.user_id == actor.user_id,
            may_approve=actor.may(Right.MARKET_APPROVE),
            today=clock.today(now),
            causes=cause_words(),
            say=amount_words,
            errors=errors,
        )


def changed(disposal_id: int, work: Work) -> Response:
    """Do one thing with a disposal and show it."""
    return change(
        work,
        partial(render_disposal, disposal_id),
        url_for("pages_stock.disposal", disposal_id=disposal_id),
    )


@blueprint.post(f"{DISPOSAL}/signature")
@allow(Right.MARKET_KEEP)
@retrying
def sign(disposal_id: int) -> Response:
    """The keeper signs."""
    way = request.form.get("way", "")
    return changed(
        disposal_id,
        lambda session, actor, now: market.sign_disposal(
            session, disposal_id, way, read_signature(), actor=actor, now=now
        ),
    )


@blueprint.post(f"{DISPOSAL}/approval")
@allow(Right.MARKET_APPROVE)
@retrying
def approve(disposal_id: int) -> Response:
    """Another person signs; the goods leave the book."""
    return changed(
        disposal_id,
        lambda session, actor, now: market.approve_disposal(
            session, disposal_id, read_signature(), actor=actor, now=now
        ),
    )


@blueprint.post(f"{DISPOSAL}/withdrawal")
@allow(Right.MARKET_APPROVE)
@retrying
def withdraw(disposal_id: int) -> Response:
    """An approver takes it back before anybody has signed."""
    reason = request.form.get("reason", "")
    return changed(
        disposal_id,
        lambda session, actor, now: market.withdraw_disposal(session, disposal_id, reason=reason, actor=actor, now=now),
    )
