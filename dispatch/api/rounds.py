"""Yearly rounds and relief shipments over HTTP: listed, frozen, sent, signed for, carried on, closed."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.beneficiaries import picture_of
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.models.market import Round, Shipment
from dispatch.rules.access.roles import Right
from dispatch.rules.market.shipments import Destination
from dispatch.schemas import rounds as schemas
from dispatch.services import market
from dispatch.services.market import ReceivedLine, RoundDraft, ShipmentDraft, rounds
from dispatch.services.market.signing import Signed
from dispatch.transaction import transaction

blueprint = Blueprint("rounds", __name__, url_prefix="/api", description="年度发放与赈灾 · Rounds and shipments")

ID = "<int(min=1, max=9223372036854775807):{}_id>"
ROUND, ENTRY = f"/rounds/{ID.format('round')}", f"/round-entries/{ID.format('entry')}"
SHIPMENT = f"/shipments/{ID.format('shipment')}"
OF_ROUND = ("id", "community_id", "year", "name", "facility_id", "state")
OF_ENTRY = ("id", "household_id", "resident_id", "state", "tries", "signed_on", "reason", "set_back")
OF_SHIPMENT = tuple(name for name in schemas.ShipmentOut().fields if name != "lines")
PLAIN = ("facility_id", "partner_id", "receiver", "persons", "sends_on", "consumed_by")


def round_out(session: Session, one: Round) -> dict[str, Any]:
    """What leaves of a round, with its list."""
    listed = market.entries_of(session, one.id)
    entries = [{name: getattr(entry, name) for name in OF_ENTRY} | {"order_number": no} for entry, _, no in listed]
    return round_head(session, [one])[0] | {"entries": entries}


def round_head(session: Session, rounds: list[Round]) -> list[dict[str, Any]]:
    """The same of many, without the lists."""
    far = market.progress_of_many(session, [one.id for one in rounds])
    return [
        {name: getattr(one, name) for name in OF_ROUND}
        | {"listed": far[one.id].listed, "delivered": far[one.id].delivered, "excused": far[one.id].excused}
        for one in rounds
    ]


def shipments_out(session: Session, shipments: list[Shipment]) -> list[dict[str, Any]]:
    """What leaves of shipments, their lines read in one query."""
    lines = market.lines_of_shipments(session, [one.id for one in shipments])
    return [{name: getattr(one, name) for name in OF_SHIPMENT} | {"lines": lines[one.id]} for one in shipments]


def step_of_round(
    route: str, data: Mapping[str, Any], deed: Callable[[Session, datetime], int], status: int = 200
) -> Response:
    """Do one step; `deed` gives the id of its round."""

    def work(session: Session) -> Answer:
        found = market.find_round(session, deed(session, clock.now(session)), actor=actor())
        return status, schemas.YearlyRoundOut().dump(round_out(session, found)), {}

    return once(route, data, work)


def step_of_shipment(
    route: str, data: Mapping[str, Any], deed: Callable[[Session, datetime], Shipment], status: int = 200
) -> Response:
    """Do one step of a shipment."""

    def work(session: Session) -> Answer:
        made = deed(session, clock.now(session))
        return status, schemas.ShipmentOut().dump(shipments_out(session, [made])[0]), {}

    return once(route, data, work)


@blueprint.route("/rounds")
class Rounds(MethodView):
    """年度发放."""

    @allow(Right.CAMPAIGNS_READ)
    @blueprint.response(200, schemas.RoundsOut)
    def get(self) -> Mapping[str, Any]:
        """List the rounds and how far each is."""
        with transaction() as session:
            return {"items": round_head(session, list(market.list_rounds(session, actor=actor())))}

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.PlanRound, schemas.YearlyRoundOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Begin a round's list with the bill of a parcel."""
        bill = {line["goods_id"]: line["amount"] for line in data["bill"]}
        draft = RoundDraft(**{**data, "bill": bill})
        return step_of_round(
            "rounds.plan", data, lambda session, now: market.plan_round(session, draft, actor=actor(), now=now).id, 201
        )


@blueprint.route(ROUND)
class OneRound(MethodView):
    """One round."""

    @allow(Right.CAMPAIGNS_READ)
    @blueprint.response(200, schemas.YearlyRoundOut)
    def get(self, round_id: int) -> Mapping[str, Any]:
        """Show a round with its list."""
        with transaction() as session:
            return round_out(session, market.find_round(session, round_id, actor=actor()))


@blueprint.route(f"{ROUND}/entries")
class RoundEntries(MethodView):
    """The list."""

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.ListHousehold, schemas.YearlyRoundOut, status=201)
    def post(self, data: Mapping[str, Any], round_id: int) -> Response:
        """Put a household on the list, once (409); a frozen list neither grows nor shrinks (409)."""
        return step_of_round(
            f"rounds.list:{round_id}",
            data,
            lambda session, _: market.list_household(session, round_id, **data, actor=actor()).round_id,
            201,
        )


@blueprint.route(f"{ROUND}/freezing")
class RoundFreezing(MethodView):
    """The list is final."""

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.NoWord, schemas.YearlyRoundOut)
    def post(self, data: Mapping[str, Any], round_id: int) -> Response:
        """Freeze the list."""
        return step_of_round(
            f"rounds.freeze:{round_id}",
            data,
            lambda session, now: market.freeze_round(session, round_id, actor=actor(), now=now).id,
        )


@blueprint.route(f"{ROUND}/closing")
class RoundClosing(MethodView):
    """Everybody has a parcel or a reason."""

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.NoWord, schemas.YearlyRoundOut)
    def post(self, data: Mapping[str, Any], round_id: int) -> Response:
        """End the round; 409 while somebody has neither a parcel nor a reason."""
        return step_of_round(
            f"rounds.close:{round_id}",
            data,
            lambda session, now: market.close_round(session, round_id, actor=actor(), now=now).id,
        )


@blueprint.route(f"{ENTRY}/delivery")
class EntryDelivery(MethodView):
    """Somebody takes the parcel there."""

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.NoWord, schemas.YearlyRoundOut)
    def post(self, data: Mapping[str, Any], entry_id: int) -> Response:
        """Place the delivery's order, one at a time (409)."""
        return step_of_round(
            f"rounds.send:{entry_id}",
            data,
            lambda session, now: market.send_parcel(session, entry_id, actor=actor(), now=now).round_id,
        )


def signed_in(data: Mapping[str, Any]) -> Signed:
    """What was signed, sent in base 64; raises Invalid naming the field."""
    return Signed(picture_of(data["signature"], "signature"), picture_of(data["paper"], "paper"))


@blueprint.route(f"{ENTRY}/signature")
class EntrySignature(MethodView):
    """Somebody signed for the parcel."""

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.SignParcel, schemas.YearlyRoundOut)
    def post(self, data: Mapping[str, Any], entry_id: int) -> Response:
        """Enter the signature and its picture (else 422): the goods leave the stock by lot, none past its day (409)."""
        return step_of_round(
            f"rounds.sign:{entry_id}",
            data,
            lambda session, now: (
                market.sign_parcel(
                    session,
                    entry_id,
                    data["signer"],
                    signed=signed_in(data),
                    signed_on=data["signed_on"],
                    actor=actor(),
                    now=now,
                ).round_id
            ),
        )


@blueprint.route(f"{ENTRY}/setback")
class EntrySetback(MethodView):
    """A parcel that was taken there and not handed over."""

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.SetBackParcel, schemas.YearlyRoundOut)
    def post(self, data: Mapping[str, Any], entry_id: int) -> Response:
        """Carry it on, with the reason: it is sent again, or excused by another (else 403)."""
        return step_of_round(
            f"rounds.set_back:{entry_id}",
            data,
            lambda session, _: rounds.set_back(session, entry_id, data["set_back"], actor=actor()).round_id,
        )


@blueprint.route(f"{ENTRY}/excuse")
class EntryExcuse(MethodView):
    """No parcel, for a reason."""

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.ExcuseHousehold, schemas.YearlyRoundOut)
    def post(self, data: Mapping[str, Any], entry_id: int) -> Response:
        """Leave a household out, with the reason."""
        return step_of_round(
            f"rounds.excuse:{entry_id}",
            data,
            lambda session, _: market.excuse_household(session, entry_id, **data, actor=actor()).round_id,
        )


@blueprint.route("/shipments")
class Shipments(MethodView):
    """赈灾物资."""

    @allow(Right.CAMPAIGNS_READ)
    @blueprint.response(200, schemas.ShipmentsOut)
    def get(self) -> Mapping[str, Any]:
        """List the shipments with their lines, the newest first."""
        with transaction() as session:
            return {"items": shipments_out(session, list(market.list_shipments(session, actor=actor())))}

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.PlanShipment, schemas.ShipmentOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Plan a shipment to a town."""
        lines = {line["goods_id"]: line["amount"] for line in data["lines"]}
        place = Destination(data["city"], data["county"], data["town"])
        draft = ShipmentDraft(destination=place, lines=lines, **{name: data[name] for name in PLAIN})
        return step_of_shipment(
            "shipments.plan",
            data,
            lambda session, now: market.plan_shipment(session, draft, actor=actor(), now=now),
            201,
        )


@blueprint.route(SHIPMENT)
class OneShipment(MethodView):
    """One shipment."""

    @allow(Right.CAMPAIGNS_READ)
    @blueprint.response(200, schemas.ShipmentOut)
    def get(self, shipment_id: int) -> Mapping[str, Any]:
        """Show a shipment with its lines."""
        with transaction() as session:
            return shipments_out(session, [market.find_shipment(session, shipment_id, actor=actor())])[0]


@blueprint.route(f"{SHIPMENT}/sending")
class ShipmentSending(MethodView):
    """It leaves."""

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.NoWord, schemas.ShipmentOut)
    def post(self, data: Mapping[str, Any], shipment_id: int) -> Response:
        """Send it: the lots leave the stock, none past its day on the planned day of use (409)."""
        return step_of_shipment(
            f"shipments.send:{shipment_id}",
            data,
            lambda session, now: market.send_shipment(session, shipment_id, actor=actor(), now=now),
        )


@blueprint.route(f"{SHIPMENT}/signature")
class ShipmentSignature(MethodView):
    """The receiver signs."""

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.SignShipment, schemas.ShipmentOut)
    def post(self, data: Mapping[str, Any], shipment_id: int) -> Response:
        """Enter what the receiver signed for, line by line, with its picture; never more than was sent (422)."""
        said = {
            line["goods_id"]: ReceivedLine(line["received"], line["returned"], line["reason"]) for line in data["lines"]
        }
        about = {"signed": signed_in(data), "received_on": data["received_on"], "actor": actor()}
        return step_of_shipment(
            f"shipments.sign:{shipment_id}",
            data,
            lambda session, now: market.sign_shipment(session, shipment_id, data["signer"], said, **about, now=now),
        )


@blueprint.route(f"{SHIPMENT}/reconciliation")
class ShipmentReconciliation(MethodView):
    """Every line is explained."""

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.ReconcileShipment, schemas.ShipmentOut)
    def post(self, data: Mapping[str, Any], shipment_id: int) -> Response:
        """Close it; 422 while something is missing without a reason."""
        reasons = {line["goods_id"]: line["reason"] for line in data["reasons"]}
        return step_of_shipment(
            f"shipments.reconcile:{shipment_id}",
            data,
            lambda session, now: market.reconcile_shipment(session, shipment_id, reasons, actor=actor(), now=now),
        )
