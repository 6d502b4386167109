"""One lot: its dates, where it stands, its steps; put elsewhere, its last day brought forward."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.market import LotBalance
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.market.shelf import MoveKind, Spot
from dispatch.services import market
from dispatch.services.market import Shift
from dispatch.services.market.lots import standings
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, change
from dispatch.web.knowledge import needed_day
from dispatch.web.orders.form import number
from dispatch.web.stock.door import ID, amount_words, blueprint, day_look, read_amount, spot_words, step_words

LOT = f"/lots/{ID.format('lot_id')}"


@blueprint.get(LOT)
@allow(Right.MARKET_READ)
def lot(lot_id: int) -> str:
    """One lot."""
    return render_lot(lot_id, current_actor(), NOTHING_WRONG)


def render_lot(lot_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """Its dates, where it stands with what can be done there, and its steps."""
    with transaction() as session:
        now = clock.now(session)
        found = market.find_lot(session, lot_id, actor=actor)
        _, goods = market.names_of_lots(session, [lot_id])[lot_id]
        places = market.overview(session, actor=actor, now=now)
        return render_template(
            "stock/lot.html",
            lot=found,
            goods=goods,
            standings=standings(session, LotBalance.lot_id == lot_id),
            places={one.facility.id: one for one in places},
            steps=market.steps_of(session, lot_id, actor=actor),
            step_words=step_words(),
            may_release=actor.may(Right.MARKET_APPROVE),
            me=actor.user_id,
            today=clock.today(now),
            spots=spot_words(),
            say=amount_words,
            look=partial(day_look, near_days=market.near_days(session, found.community_id)),
            typed=request.form,
            errors=errors,
        )


@blueprint.post(f"{LOT}/shift")
@allow(Right.MARKET_KEEP)
@retrying
def shift(lot_id: int) -> Response:
    """Put some of it on the shelf, back into the store, or apart."""
    to_spot = request.form.get("to_spot")
    return moved(lot_id, MoveKind.QUARANTINE if to_spot == Spot.QUARANTINE else MoveKind.SHELVE)


@blueprint.post(f"{LOT}/release")
@allow(Right.MARKET_APPROVE)
@retrying
def release(lot_id: int) -> Response:
    """Let some of it out of quarantine."""
    return moved(lot_id, MoveKind.RELEASE)


def moved(lot_id: int, kind: MoveKind) -> Response:
    """Move what the form says from spot to spot."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form, known = request.form, market.find_lot(session, lot_id, actor=actor)
        amount = read_amount(form.get("amount", ""), known.commodity)
        wanted = Shift(lot_id, amount, read_spot("from_spot"), read_spot("to_spot"))
        facility_id, reason = number(form, "facility_id") or 0, form.get("reason", "")
        market.shift(session, facility_id, kind, [wanted], reason=reason, actor=actor, now=now)

    return change(work, partial(render_lot, lot_id), url_for("pages_stock.lot", lot_id=lot_id))


def read_spot(field: str) -> Spot:
    """A spot of the form; raises Invalid."""
    try:
        return Spot(request.form.get(field, ""))
    except ValueError as error:
        raise Invalid(field, "请选择一项") from error


@blueprint.post(f"{LOT}/forward")
@allow(Right.MARKET_KEEP)
@retrying
def bring_forward(lot_id: int) -> Response:
    """State an earlier last day."""

    def work(session: Session, actor: Actor, _now: datetime) -> None:
        day = needed_day(request.form, "expires_on")
        market.bring_forward(session, lot_id, day, actor=actor)

    return change(work, partial(render_lot, lot_id), url_for("pages_stock.lot", lot_id=lot_id))
