"""A round of inspection on the keeper's phone: lot by lot, one tick each."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.market.keeping import Finding, expected_finding
from dispatch.rules.market.shelf import Spot
from dispatch.services import market
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, change
from dispatch.web.orders.form import number
from dispatch.web.stock.door import ID, amount_words, blueprint, day_look, finding_words, read_amount, spot_words

ROUND = f"/rounds/{ID.format('inspection_id')}"


@blueprint.get(ROUND)
@allow(Right.MARKET_READ)
def round_of(inspection_id: int) -> str:
    """One round."""
    return render_round(inspection_id, current_actor(), NOTHING_WRONG)


def render_round(inspection_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """What is still to be looked at, each with what its dates say; what was ticked stays counted."""
    with transaction() as session:
        now = clock.now(session)
        found = market.find_inspection(session, inspection_id, actor=actor)
        today = clock.today(now)
        left = market.to_tick(session, found)
        near = market.near_days(session, found.community_id)
        return render_template(
            "stock/round.html",
            round=found,
            facility=market.find_facility(session, found.facility_id, actor=actor),
            left=left,
            expected={
                (one.lot_id, one.shelf.spot): str(expected_finding(one.shelf, today=today, near_days=near))
                for one in left
            },
            ticks=market.ticks_of(session, found.id),
            today=today,
            spots=spot_words(),
            findings=finding_words(),
            say=amount_words,
            look=partial(day_look, near_days=near),
            errors=errors,
            typed=request.form,
        )


@blueprint.post(f"{ROUND}/ticks")
@allow(Right.MARKET_KEEP)
@retrying
def tick(inspection_id: int) -> Response:
    """Tick one lot at one spot."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        known = market.find_lot(session, number(form, "lot_id") or 0, actor=actor)
        said = form.get("amount", "").strip()
        market.tick(
            session,
            inspection_id,
            known.id,
            Spot(chosen("spot", Spot)),
            Finding(chosen("finding", Finding)),
            amount=read_amount(said, known.commodity) if said else None,
            actor=actor,
            now=now,
        )

    return change(
        work,
        partial(render_round, inspection_id),
        url_for("pages_stock.round_of", inspection_id=inspection_id),
    )


def chosen(field: str, known: type[Spot] | type[Finding]) -> str:
    """One of the words of a list; raises Invalid."""
    word = request.form.get(field, "")
    if word not in set(known):
        raise Invalid(field, "请选择一项")
    return word
