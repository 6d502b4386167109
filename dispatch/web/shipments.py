"""赈灾发运: planned to a town, sent, signed for line by line, what came back set apart, what is missing explained."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.gateways import limits
from dispatch.models.market import Goods, Shipment, ShipmentLine
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.market.shipments import STATE_LABELS, Destination, SentLine, ShipmentState
from dispatch.services import grid, market
from dispatch.services.market import ReceivedLine, ShipmentDraft, shipments, signing
from dispatch.services.market.overview import lots_of_step
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, Work, change
from dispatch.web.knowledge import needed_day, read_day
from dispatch.web.orders.form import number
from dispatch.web.pages import Look, picture_of
from dispatch.web.stock import door
from dispatch.web.stock.parcels import amounts_of, goods_rows, read_signed, whole_amount

MOST_BYTES = 12 * 1024 * 1024
SHIPMENT = f"/{door.ID.format('shipment_id')}"
LOOKS = {
    ShipmentState.PLANNED: ("hourglass-split", "waiting"),
    ShipmentState.SENT: ("send", "moving"),
    ShipmentState.RECEIVED: ("inbox", "soon"),
    ShipmentState.RECONCILED: ("check-circle", "done"),
    ShipmentState.CANCELLED: ("x-circle", "quiet"),
}

blueprint = Blueprint("pages_shipments", __name__, url_prefix="/shipments")


def shipment_look(state: str) -> Look:
    """Word, shape and tone of a shipment's state."""
    icon, tone = LOOKS[ShipmentState(state)]
    return Look(gettext(STATE_LABELS[ShipmentState(state)]), icon, tone)


@blueprint.get("")
@allow(Right.CAMPAIGNS_READ)
def listing() -> str:
    """The shipments, the newest first."""
    actor = current_actor()
    with transaction() as session:
        return render_template(
            "shipments/listing.html",
            shipments=market.list_shipments(session, actor=actor),
            facilities=market.list_markets(session, actor=actor),
            may_run=actor.may(Right.CAMPAIGNS_RUN),
            look=shipment_look,
        )


@blueprint.get("/new")
@allow(Right.CAMPAIGNS_RUN)
def new() -> str:
    """The form of a shipment to be."""
    return render_form(current_actor(), NOTHING_WRONG)


def render_form(actor: Actor, errors: Mapping[str, str]) -> str:
    """The form with what was typed; raises NotFound for a facility out of reach."""
    with transaction() as session:
        facility = market.find_facility(session, number(request.values, "facility_id") or 0, actor=actor)
        partners = market.list_partners(session, actor=actor)
        return render_template(
            "shipments/form.html",
            facility=facility,
            goods=goods_rows(session, facility, actor),
            partners=[one for one in partners if one.community_id == facility.community_id],
            today=clock.today(clock.now(session)),
            say=door.amount_words,
            typed=request.form,
            errors=errors,
        )


@blueprint.post("")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def plan() -> Response:
    """Plan a shipment."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        facility = market.find_facility(session, number(form, "facility_id") or 0, actor=actor)
        draft = ShipmentDraft(
            facility_id=facility.id,
            destination=Destination(form.get("city", ""), form.get("county", ""), form.get("town", "")),
            receiver=form.get("receiver", ""),
            persons=number(form, "persons") or 0,
            sends_on=needed_day(form, "sends_on"),
            consumed_by=needed_day(form, "consumed_by"),
            lines=amounts_of(session, facility, actor),
            partner_id=number(form, "partner_id"),
        )
        market.plan_shipment(session, draft, actor=actor, now=now)

    return change(work, render_form, url_for("pages_shipments.listing"))


@blueprint.get(SHIPMENT)
@allow(Right.CAMPAIGNS_READ, limit=limits.SEARCH)
def show(shipment_id: int) -> str:
    """One shipment: where to, line by line sent, received, returned, missing."""
    return render_shipment(shipment_id, current_actor(), NOTHING_WRONG)


def render_shipment(shipment_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page of a shipment; raises NotFound."""
    query, may_run = request.values.get("q", "")[:100].strip(), actor.may(Right.CAMPAIGNS_RUN)
    with transaction() as session:
        found = market.find_shipment(session, shipment_id, actor=actor)
        people = grid.search_residents(session, query, actor=actor).items if query and may_run else ()
        partner = market.find_partner(session, found.partner_id, actor=actor) if found.partner_id else None
        return render_template(
            "shipments/show.html",
            shipment=found,
            facility=market.find_facility(session, found.facility_id, actor=actor),
            partner=partner.name if partner is not None else None,
            lines=[(line, goods, missing_of(line)) for line, goods in lines_of(session, found)],
            given=lots_of_step(session, found.move_id) if found.move_id else (),
            has_picture=signing.is_signed(session, found, actor=actor),
            households=shipments.households_of(session, shipment_id),
            query=query,
            found=people,
            may_run=may_run,
            today=clock.today(clock.now(session)),
            say=door.amount_words,
            look=shipment_look,
            typed=request.form,
            errors=errors,
        )


def lines_of(session: Session, shipment: Shipment) -> list[tuple[ShipmentLine, Goods]]:
    """The lines of a shipment with their goods."""
    lines = market.lines_of_shipments(session, [shipment.id])[shipment.id]
    goods = shipments.goods_of(session, lines)
    return [(line, goods[line.goods_id]) for line in lines]


def missing_of(line: ShipmentLine) -> int:
    """What neither arrived nor came back; nothing is missing before the receiver has signed."""
    return 0 if line.received is None else SentLine(line.sent, line.received, line.returned).missing


def changed(shipment_id: int, work: Work) -> Response:
    """Do one thing with a shipment and show it."""
    address = url_for("pages_shipments.show", shipment_id=shipment_id)
    return change(work, partial(render_shipment, shipment_id), address)


@blueprint.post(f"{SHIPMENT}/sending")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def send(shipment_id: int) -> Response:
    """It leaves."""
    return changed(
        shipment_id, lambda session, actor, now: market.send_shipment(session, shipment_id, actor=actor, now=now)
    )


@blueprint.post(f"{SHIPMENT}/cancellation")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def cancel(shipment_id: int) -> Response:
    """It never leaves."""
    return changed(shipment_id, lambda session, actor, _: shipments.cancel_shipment(session, shipment_id, actor=actor))


@blueprint.post(f"{SHIPMENT}/signature")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def sign(shipment_id: int) -> Response:
    """The receiver signed: what arrived and what came back of each line."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        found = market.find_shipment(session, shipment_id, actor=actor)
        received = {
            line.goods_id: ReceivedLine(
                whole_amount(f"received-{line.goods_id}", goods.commodity),
                whole_amount(f"returned-{line.goods_id}", goods.commodity),
                request.form.get(f"reason-{line.goods_id}", ""),
            )
            for line, goods in lines_of(session, found)
        }
        signer, received_on = request.form.get("signer", ""), read_day(request.form, "received_on")
        about = {"signed": read_signed(), "received_on": received_on, "actor": actor, "now": now}
        market.sign_shipment(session, shipment_id, signer, received, **about)  # type: ignore[arg-type]

    return changed(shipment_id, work)


sign.most_bytes = MOST_BYTES  # type: ignore[attr-defined]


@blueprint.get(f"{SHIPMENT}/signature")
@allow(Right.CAMPAIGNS_READ)
def signature(shipment_id: int) -> Response:
    """The picture of what was signed; each reading is audited."""
    actor = current_actor()
    with transaction() as session:
        found = market.find_shipment(session, shipment_id, actor=actor)
        return picture_of(signing.read_signed(session, found, actor=actor))


@blueprint.post(f"{SHIPMENT}/reconciliation")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def reconcile(shipment_id: int) -> Response:
    """Every line adds up or has its reason."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        found = market.find_shipment(session, shipment_id, actor=actor)
        reasons = {
            line.goods_id: said
            for line, _ in lines_of(session, found)
            if (said := request.form.get(f"reason-{line.goods_id}", "").strip())
        }
        market.reconcile_shipment(session, shipment_id, reasons, actor=actor, now=now)

    return changed(shipment_id, work)


@blueprint.post(f"{SHIPMENT}/households")
@allow(Right.CAMPAIGNS_RUN)
@retrying
def note_household(shipment_id: int) -> Response:
    """A household of ours was helped by it: the counter is told."""

    def work(session: Session, actor: Actor, _now: datetime) -> None:
        shipments.note_household(session, shipment_id, number(request.form, "resident_id") or 0, actor=actor)

    return changed(shipment_id, work)
