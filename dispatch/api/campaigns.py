"""Campaigns over HTTP: partners and agreements, appeals and prints, the media log, sessions of the 爱心聊吧."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask.views import MethodView
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.models.market import Appeal, Partner
from dispatch.rules.access.roles import Right
from dispatch.rules.market.campaigns import AgreementPurpose, Medium, PartnerKind
from dispatch.schemas import campaigns as schemas
from dispatch.services import market
from dispatch.services.market import AgreementDraft, PartnerDraft
from dispatch.transaction import transaction

blueprint = Blueprint("campaigns", __name__, url_prefix="/api", description="爱心活动 · Campaigns")

PARTNER = "/partners/<int(min=1, max=9223372036854775807):partner_id>"
APPEAL = "/appeals/<int(min=1, max=9223372036854775807):appeal_id>"


def partner_out(session: Session, partner: Partner) -> dict[str, Any]:
    """What leaves of a partner."""
    return partners_out(session, [partner])[0]


def partners_out(session: Session, partners: list[Partner]) -> list[dict[str, Any]]:
    """The same of many, with their agreements read in one query."""
    agreements = market.agreements_of(session, [partner.id for partner in partners])
    plain = ("id", "community_id", "kind", "name", "contact")
    return [{name: getattr(one, name) for name in plain} | {"agreements": agreements[one.id]} for one in partners]


def appeal_out(appeal: Appeal, copies: int) -> dict[str, Any]:
    """What leaves of a version of an appeal."""
    plain = ("id", "community_id", "title", "version", "words", "written_on")
    return {name: getattr(appeal, name) for name in plain} | {"copies": copies}


@blueprint.route("/partners")
class Partners(MethodView):
    """Who works with us."""

    @allow(Right.CAMPAIGNS_READ)
    @blueprint.response(200, schemas.PartnersOut)
    def get(self) -> Mapping[str, Any]:
        """List the partners with their agreements."""
        with transaction() as session:
            return {"items": partners_out(session, list(market.list_partners(session, actor=actor())))}

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.AddPartner, schemas.PartnerOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Enter a partner. 409 when it is there already."""

        def work(session: Session) -> Answer:
            said = {name: value for name, value in data.items() if name != "community_id"}
            draft = PartnerDraft(**{**said, "kind": PartnerKind(data["kind"])})
            partner = market.add_partner(session, data["community_id"], draft, actor=actor(), now=clock.now(session))
            return 201, schemas.PartnerOut().dump(partner_out(session, partner)), {}

        return once("partners.add", data, work)


@blueprint.route(f"{PARTNER}/agreements")
class Agreements(MethodView):
    """What was signed with a partner."""

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.SignAgreement, schemas.PartnerOut, status=201)
    def post(self, data: Mapping[str, Any], partner_id: int) -> Response:
        """Enter what was signed; it is never edited. 409 for a number that is there already."""

        def work(session: Session) -> Answer:
            draft = AgreementDraft(**{**data, "purpose": AgreementPurpose(data["purpose"])})
            market.sign_agreement(session, partner_id, draft, actor=actor(), now=clock.now(session))
            partner = market.find_partner(session, partner_id, actor=actor())
            return 201, schemas.PartnerOut().dump(partner_out(session, partner)), {}

        return once(f"agreements.sign:{partner_id}", data, work)


@blueprint.route("/appeals")
class Appeals(MethodView):
    """《倡议书》."""

    @allow(Right.CAMPAIGNS_READ)
    @blueprint.response(200, schemas.AppealsOut)
    def get(self) -> Mapping[str, Any]:
        """List every version, the newest first."""
        with transaction() as session:
            found = market.list_appeals(session, actor=actor())
        return {"items": [appeal_out(appeal, copies) for appeal, copies in found]}

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.WriteAppeal, schemas.AppealOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Write the first or the next version. 409 when there is a newer one than was read."""

        def work(session: Session) -> Answer:
            said = {name: data[name] for name in ("title", "words", "after")}
            now = clock.now(session)
            appeal = market.write_appeal(session, data["community_id"], **said, actor=actor(), now=now)
            return 201, schemas.AppealOut().dump(appeal_out(appeal, 0)), {}

        return once("appeals.write", data, work)


@blueprint.route(f"{APPEAL}/prints")
class Prints(MethodView):
    """Where a version was given."""

    @allow(Right.CAMPAIGNS_READ)
    @blueprint.response(200, schemas.PrintsOut)
    def get(self, appeal_id: int) -> Mapping[str, Any]:
        """List where a version was given, the newest first."""
        with transaction() as session:
            appeal = market.find_appeal(session, appeal_id, actor=actor())
            return {"items": market.prints_of(session, appeal.id)}

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.NotePrints, schemas.PrintsOut, status=201)
    def post(self, data: Mapping[str, Any], appeal_id: int) -> Response:
        """Note how many copies were given where and when."""

        def work(session: Session) -> Answer:
            market.note_prints(session, appeal_id, **data, actor=actor(), now=clock.now(session))
            return 201, schemas.PrintsOut().dump({"items": market.prints_of(session, appeal_id)}), {}

        return once(f"appeals.print:{appeal_id}", data, work)


@blueprint.route("/media-reports")
class MediaLog(MethodView):
    """What newspapers and broadcasters told."""

    @allow(Right.CAMPAIGNS_READ)
    @blueprint.response(200, schemas.MediaLogOut)
    def get(self) -> Mapping[str, Any]:
        """List the log, the newest first."""
        with transaction() as session:
            return {"items": market.list_media(session, actor=actor())}

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.NoteMedia, schemas.MediaOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Note a report; 422 when it shows people whose consent is not written down."""

        def work(session: Session) -> Answer:
            said = {name: value for name, value in data.items() if name != "community_id"}
            said["medium"] = Medium(data["medium"])
            report = market.note_media(session, data["community_id"], **said, actor=actor(), now=clock.now(session))
            return 201, schemas.MediaOut().dump(report), {}

        return once("media.note", data, work)


@blueprint.route("/chat-sessions")
class Chats(MethodView):
    """爱心聊吧."""

    @allow(Right.CAMPAIGNS_READ)
    @blueprint.response(200, schemas.ChatsOut)
    def get(self) -> Mapping[str, Any]:
        """List the sessions, the newest first."""
        with transaction() as session:
            return {"items": market.list_chats(session, actor=actor())}

    @allow(Right.CAMPAIGNS_RUN)
    @blueprint.takes(schemas.NoteChat, schemas.ChatOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Note an attendance: how many came, how many were referred to counselling."""

        def work(session: Session) -> Answer:
            said = {name: value for name, value in data.items() if name != "community_id"}
            chat = market.note_chat(session, data["community_id"], **said, actor=actor(), now=clock.now(session))
            return 201, schemas.ChatOut().dump(chat), {}

        return once("chats.note", data, work)
