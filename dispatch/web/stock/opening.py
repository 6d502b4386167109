"""A new facility and its first keeper; later keepers come by hand-over."""

from collections.abc import Mapping
from datetime import datetime

from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.rules.access.roles import Actor, Right
from dispatch.services import grid, market
from dispatch.services.market import FacilityDraft
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, change
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.orders.form import number
from dispatch.web.stock.door import ID, blueprint, kind_words
from dispatch.web.stock.facilities import changed


@blueprint.get("/new")
@allow(Right.MARKET_APPROVE)
def opening() -> str:
    """The form of a new facility."""
    return render_opening(current_actor(), NOTHING_WRONG)


def render_opening(actor: Actor, errors: Mapping[str, str]) -> str:
    """The form with what was typed."""
    with transaction() as session:
        return render_template(
            "stock/opening.html",
            communities=communities_of(session, actor),
            kinds=kind_words(),
            typed=request.form,
            errors=errors,
        )


@blueprint.post("/new")
@allow(Right.MARKET_APPROVE)
@retrying
def open_it() -> Response:
    """Open a facility where the address says."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form, community_id = request.form, chosen_community()
        place = grid.resolve_place(session, form.get("address", ""), communities=frozenset({community_id}))
        if place.building_id is None:
            raise Invalid("address", "请写明在哪一幢楼，如“3号楼”")
        draft = FacilityDraft(form.get("code", ""), form.get("kind", ""), form.get("name", ""), place.building_id)
        market.open_facility(session, community_id, draft, actor=actor, now=now)

    return change(work, render_opening, url_for("pages_stock.overview"))


@blueprint.post(f"/{ID.format('facility_id')}/keeper")
@allow(Right.MARKET_APPROVE)
@retrying
def name_keeper(facility_id: int) -> Response:
    """Name the first keeper: somebody else than who names."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        market.name_keeper(session, facility_id, number(request.form, "user_id") or 0, actor=actor, now=now)

    return changed(facility_id, work)
