"""Steps beyond receipt and shelf: kits packed and taken apart, goods brought elsewhere, a wrong step taken back."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.models.access import User
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.market.shelf import Commodity, Spot
from dispatch.services import market
from dispatch.services.market import KitDraft, correcting
from dispatch.services.market.overview import movements_of, steps_at
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, Work, change
from dispatch.web.orders.form import number
from dispatch.web.orders.views import names
from dispatch.web.stock.door import (
    ID,
    amount_words,
    blueprint,
    cause_words,
    read_amount,
    read_purse,
    spot_words,
    step_words,
)
from dispatch.web.stock.facilities import address_of
from dispatch.web.stock.parcels import amounts_of, goods_rows

FACILITY, STEP = f"/{ID.format('facility_id')}", f"/moves/{ID.format('move_id')}"


@blueprint.get(f"{FACILITY}/kits")
@allow(Right.MARKET_KEEP)
def packing(facility_id: int) -> str:
    """The form of kits to be packed."""
    return render_packing(facility_id, current_actor(), NOTHING_WRONG)


def render_packing(facility_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The form with what was typed."""
    with transaction() as session:
        found = market.find_facility(session, facility_id, actor=actor)
        goods = goods_rows(session, found, actor)
        return render_template(
            "stock/kits.html",
            facility=found,
            goods=goods,
            kits=[one for one, _ in goods if one.commodity == Commodity.PIECE],
            purses=market.purses(session, found.community_id, actor=actor),
            say=amount_words,
            typed=request.form,
            errors=errors,
        )


@blueprint.post(f"{FACILITY}/kits")
@allow(Right.MARKET_KEEP)
@retrying
def pack(facility_id: int) -> Response:
    """Pack kits from what ends first; they end with their earliest part."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form, found = request.form, market.find_facility(session, facility_id, actor=actor)
        fund_id, earmark_id = read_purse(form)
        draft = KitDraft(
            facility_id=facility_id,
            goods_id=number(form, "goods_id") or 0,
            number=number(form, "number") or 0,
            parts=tuple(amounts_of(session, found, actor).items()),
            fund_id=fund_id,
            earmark_id=earmark_id,
        )
        market.pack_kits(session, draft, actor=actor, now=now)

    return change(work, partial(render_packing, facility_id), address_of(facility_id))


@blueprint.get(f"{FACILITY}/transfers")
@allow(Right.MARKET_KEEP)
def bringing(facility_id: int) -> str:
    """The form of goods that are brought to another facility."""
    return render_bringing(facility_id, current_actor(), NOTHING_WRONG)


def render_bringing(facility_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The form with what was typed: what stands here, lot by lot, and the facilities that keep stock."""
    with transaction() as session:
        found = market.find_facility(session, facility_id, actor=actor)
        return render_template(
            "stock/transfer.html",
            facility=found,
            others=[
                one
                for one in market.list_markets(session, actor=actor)
                if one.id != found.id and one.community_id == found.community_id
            ],
            stock=market.stock_of(session, facility_id, actor=actor),
            spots=spot_words(),
            say=amount_words,
            typed=request.form,
            errors=errors,
        )


@blueprint.post(f"{FACILITY}/transfers")
@allow(Right.MARKET_KEEP)
@retrying
def bring(facility_id: int) -> Response:
    """Bring goods to another facility; what stands apart stands apart there."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        lots = read_lots(session, facility_id, actor)
        if not lots:
            raise Invalid("amount", "请至少填写一样的数量")
        other, reason = number(request.form, "to_facility_id"), request.form.get("reason", "")
        if other is None:
            raise Invalid("to_facility_id", "请选择另一个超市")
        market.transfer(session, facility_id, other, lots, reason=reason, actor=actor, now=now)

    return change(work, partial(render_bringing, facility_id), address_of(facility_id))


def read_lots(session: Session, facility_id: int, actor: Actor) -> list[tuple[int, Spot, int]]:
    """How much of each lot at each spot the form says; raises Invalid naming the field."""
    found = []
    for one in market.stock_of(session, facility_id, actor=actor):
        name = f"amount-{one.lot_id}-{one.shelf.spot}"
        if said := request.form.get(name, "").strip():
            found.append((one.lot_id, one.shelf.spot, read_amount(said, one.commodity, name)))
    return found


@blueprint.get(f"{FACILITY}/moves")
@allow(Right.MARKET_READ)
def steps(facility_id: int) -> str:
    """The newest steps of a facility."""
    actor = current_actor()
    with transaction() as session:
        return render_template(
            "stock/steps.html",
            facility=market.find_facility(session, facility_id, actor=actor),
            steps=steps_at(session, facility_id, actor=actor, before=number(request.args, "before")),
            step_words=step_words(),
            causes=cause_words(),
        )


@blueprint.get(STEP)
@allow(Right.MARKET_READ)
def step(move_id: int) -> str:
    """One step: what it moved, who made it, what took it back."""
    return render_step(move_id, current_actor(), NOTHING_WRONG)


def render_step(move_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page of a step; raises NotFound."""
    with transaction() as session:
        found, back = correcting.find_step(session, move_id, actor=actor)
        keeper = market.keeper_of(session, found.facility_id, now=clock.now(session))
        people = {one for one in (found.moved_by, found.approved_by) if one is not None}
        return render_template(
            "stock/step.html",
            step=found,
            back=back,
            facility=market.find_facility(session, found.facility_id, actor=actor),
            moved=movements_of(session, move_id),
            people=names(session, User, people),
            may_correct=actor.may(Right.MARKET_APPROVE)
            and actor.user_id != found.moved_by
            and correcting.may_be_corrected(found, back),
            may_unpack=keeper is not None
            and keeper.user_id == actor.user_id
            and correcting.may_be_unpacked(found, back),
            step_words=step_words(),
            causes=cause_words(),
            spots=spot_words(),
            say=amount_words,
            typed=request.form,
            errors=errors,
        )


def changed(move_id: int, work: Work) -> Response:
    """Take a step back and show it."""
    return change(work, partial(render_step, move_id), url_for("pages_stock.step", move_id=move_id))


@blueprint.post(f"{STEP}/reversal")
@allow(Right.MARKET_APPROVE)
@retrying
def correct(move_id: int) -> Response:
    """Somebody else takes a wrong step back."""
    reason = request.form.get("reason", "")
    return changed(
        move_id,
        lambda session, actor, now: correcting.correct_step(session, move_id, reason=reason, actor=actor, now=now),
    )


@blueprint.post(f"{STEP}/unpacking")
@allow(Right.MARKET_KEEP)
@retrying
def unpack(move_id: int) -> Response:
    """The keeper takes the kits apart."""
    reason = request.form.get("reason", "")
    return changed(
        move_id,
        lambda session, actor, now: correcting.unpack_kits(session, move_id, reason=reason, actor=actor, now=now),
    )
