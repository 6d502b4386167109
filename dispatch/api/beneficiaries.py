"""Who may be given something over HTTP: beneficiaries, applications with their decisions, cards."""

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from flask import Response
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.errors import Invalid
from dispatch.models.market.people import AidApplication
from dispatch.rules.access.roles import Right
from dispatch.rules.market.eligibility import Ground
from dispatch.schemas import beneficiaries as schemas
from dispatch.services.market import applications, beneficiaries, cards
from dispatch.services.market.applications import AidDraft
from dispatch.services.market.beneficiaries import BeneficiaryRow, Shown
from dispatch.transaction import retrying, transaction

blueprint = Blueprint("beneficiaries", __name__, url_prefix="/api", description="救助对象 · Beneficiaries")

BENEFICIARY = "/beneficiaries/<int(min=1, max=9223372036854775807):beneficiary_id>"
APPLICATION = "/aid-applications/<int(min=1, max=9223372036854775807):application_id>"
CARD = "/cards/<int(min=1, max=9223372036854775807):card_id>"
Deed = Callable[[Session, AidApplication, datetime], AidApplication]


def picture_of(written: str, field: str) -> bytes:
    """A picture that was sent in base 64; raises Invalid naming the field."""
    try:
        return base64.b64decode(written, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Invalid(field, "图片要用 base64 写") from error


def row_out(row: BeneficiaryRow) -> dict[str, Any]:
    """What leaves of a beneficiary."""
    return {name: getattr(row, name) for name in schemas.BeneficiaryOut().fields}


@blueprint.route("/beneficiaries")
class Beneficiaries(MethodView):
    """The list."""

    @allow(Right.BENEFICIARIES_READ)
    @blueprint.arguments(schemas.ListBeneficiaries, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.BeneficiaryPageOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List beneficiaries by their newest application, newest first; names masked, grounds never."""
        limit = query["limit"]
        with transaction() as session:
            rows = beneficiaries.list_beneficiaries(
                session,
                query=query["q"],
                shown=Shown(query["shown"]) if query["shown"] else None,
                after=query["after"],
                limit=limit + 1,
                actor=actor(),
                now=clock.now(session),
            )
            following = rows[limit - 1].application.id if len(rows) > limit else None
            return {"items": [row_out(one) for one in rows[:limit]], "next": following}


@blueprint.route(BENEFICIARY)
class OneBeneficiary(MethodView):
    """One beneficiary."""

    @allow(Right.BENEFICIARIES_READ)
    @blueprint.response(200, schemas.WholeBeneficiaryOut)
    def get(self, beneficiary_id: int) -> Mapping[str, Any]:
        """Show a beneficiary with all applications and cards."""
        with transaction() as session:
            row = beneficiaries.find_row(session, beneficiary_id, actor=actor(), now=clock.now(session))
            return row_out(row) | {
                "applications": beneficiaries.applications_of(session, beneficiary_id),
                "cards": beneficiaries.cards_of(session, beneficiary_id),
            }


@blueprint.route(f"{BENEFICIARY}/cards")
class BeneficiaryCards(MethodView):
    """Issuing a card."""

    @allow(Right.BENEFICIARIES_EDIT)
    @blueprint.arguments(schemas.NothingMore, required=False)
    @blueprint.response(201, schemas.NewCardOut)
    @retrying
    def post(self, _data: Mapping[str, Any], beneficiary_id: int) -> Mapping[str, Any]:
        """Issue a card; what is printed is told in this answer and never again: lost, it is replaced."""
        with transaction() as session:
            made = cards.issue(session, beneficiary_id, actor=actor(), now=clock.now(session))
            return new_card_out(made)


def new_card_out(made: cards.NewCard) -> Mapping[str, Any]:
    """A card with what is printed of it."""
    out = {name: getattr(made.card, name) for name in schemas.CardOut().fields}
    return out | {"qr": made.qr, "token": made.token}


@blueprint.route("/aid-applications")
class AidApplications(MethodView):
    """Applying."""

    @allow(Right.BENEFICIARIES_EDIT)
    @blueprint.takes(schemas.ApplyForAid, schemas.AidApplicationOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Register an application with its evidence; somebody else decides it."""

        def work(session: Session) -> Answer:
            rest = {name: value for name, value in data.items() if name not in {"evidence", "ground"}}
            made = applications.apply(
                session,
                AidDraft(ground=Ground(data["ground"]), **rest),
                evidence=[picture_of(one, "evidence") for one in data["evidence"]],
                actor=actor(),
                now=clock.now(session),
            )
            return 201, schemas.AidApplicationOut().dump(made), {}

        return once("market.apply", data, work)


@blueprint.route(APPLICATION)
class OneAidApplication(MethodView):
    """One application."""

    @allow(Right.BENEFICIARIES_READ)
    @blueprint.response(200, schemas.OpenedAidApplicationOut)
    def get(self, application_id: int) -> Mapping[str, Any]:
        """Show an application with its ground; the reading is audited."""
        with transaction() as session:
            found = applications.find(session, application_id, actor=actor())
            opened = applications.opened(session, found, actor=actor(), purpose="api")
            out = {name: getattr(found, name) for name in schemas.AidApplicationOut().fields}
            sealed = ("ground", "circumstances", "reason", "end_reason")
            return out | {name: getattr(opened, name) for name in sealed}


def decide(name: str, application_id: int, data: Mapping[str, Any], deed: Deed) -> Response:
    """One deed on a locked application, once per key."""

    def work(session: Session) -> Answer:
        found = applications.find(session, application_id, actor=actor(), locked=True)
        return 200, schemas.AidApplicationOut().dump(deed(session, found, clock.now(session))), {}

    return once(f"market.{name}:{application_id}", data, work)


@blueprint.route(f"{APPLICATION}/evidence")
class AidEvidence(MethodView):
    """Evidence."""

    @allow(Right.BENEFICIARIES_EDIT)
    @blueprint.takes(schemas.AddEvidence, schemas.AidApplicationOut)
    def post(self, data: Mapping[str, Any], application_id: int) -> Response:
        """Add a picture while nobody has decided; at most five."""
        return decide(
            "evidence",
            application_id,
            data,
            lambda session, found, now: applications.add_evidence(
                session, found, picture_of(data["picture"], "picture"), actor=actor(), now=now
            ),
        )


@blueprint.route(f"{APPLICATION}/approval")
class AidApproval(MethodView):
    """Approving."""

    @allow(Right.BENEFICIARIES_APPROVE)
    @blueprint.takes(schemas.DecideAid, schemas.AidApplicationOut)
    def post(self, data: Mapping[str, Any], application_id: int) -> Response:
        """Approve, or be the first of two; a person decides, never a key, and never who registered it."""
        return decide(
            "approve",
            application_id,
            data,
            lambda session, found, now: applications.approve(session, found, **data, actor=actor(), now=now),
        )


@blueprint.route(f"{APPLICATION}/refusal")
class AidRefusal(MethodView):
    """Refusing."""

    @allow(Right.BENEFICIARIES_APPROVE)
    @blueprint.takes(schemas.DecideAidWithReason, schemas.AidApplicationOut)
    def post(self, data: Mapping[str, Any], application_id: int) -> Response:
        """Refuse with a reason."""
        return decide(
            "refuse",
            application_id,
            data,
            lambda session, found, now: applications.refuse(session, found, **data, actor=actor(), now=now),
        )


@blueprint.route(f"{APPLICATION}/end")
class AidEnd(MethodView):
    """Ending before its time."""

    @allow(Right.BENEFICIARIES_APPROVE)
    @blueprint.takes(schemas.DecideAidWithReason, schemas.AidApplicationOut)
    def post(self, data: Mapping[str, Any], application_id: int) -> Response:
        """End what was approved, with a reason; the card ends too."""
        return decide(
            "end",
            application_id,
            data,
            lambda session, found, now: applications.end(session, found, **data, actor=actor(), now=now),
        )


@blueprint.route(f"{CARD}/replacement")
class CardReplacement(MethodView):
    """A lost card."""

    @allow(Right.BENEFICIARIES_EDIT)
    @blueprint.arguments(schemas.NothingMore, required=False)
    @blueprint.response(201, schemas.NewCardOut)
    @retrying
    def post(self, _data: Mapping[str, Any], card_id: int) -> Mapping[str, Any]:
        """Kill a lost card and issue another; what is printed is told in this answer and never again."""
        with transaction() as session:
            return new_card_out(cards.replace(session, card_id, actor=actor(), now=clock.now(session)))


@blueprint.route(CARD)
class OneCard(MethodView):
    """One card."""

    @allow(Right.BENEFICIARIES_EDIT)
    @blueprint.arguments(schemas.NothingMore, required=False)
    @blueprint.response(200, schemas.CardOut)
    @retrying
    def delete(self, _data: Mapping[str, Any], card_id: int) -> object:
        """Take a card back: it opens nothing any more."""
        with transaction() as session:
            return cards.revoke(session, card_id, actor=actor(), now=clock.now(session))
