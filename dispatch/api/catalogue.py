"""The catalogue over HTTP: kinds of order, teams, performers, knowledge."""

from collections.abc import Mapping
from typing import Any

from flask import Response, url_for
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.grid import page_of
from dispatch.api.once import Answer, once
from dispatch.errors import Invalid, NotFound
from dispatch.gateways import limits
from dispatch.models.catalogue import Service
from dispatch.rules.access.roles import Right
from dispatch.rules.catalogue.knowledge import KnowledgeText
from dispatch.schemas import catalogue as schemas
from dispatch.services import catalogue
from dispatch.services.catalogue import Knowledge
from dispatch.transaction import transaction

blueprint = Blueprint("catalogue", __name__, url_prefix="/api", description="服务目录 · Catalogue")


def organisation_of_actor() -> int:
    """The organisation whose catalogue the actor sees; raises NotFound for an actor without one."""
    organisation_id = actor().organisation_id
    if organisation_id is None:
        raise NotFound
    return organisation_id


@blueprint.get("/services")
@allow(Right.CATALOGUE_READ)
@blueprint.arguments(schemas.ServiceQuery, location="query", unknown=RAISE)
@blueprint.response(200, schemas.ServicePageOut)
def search_services(query: Mapping[str, Any]) -> Mapping[str, Any]:
    """List the kinds of order that fit what was typed, best first; without q the most popular first."""
    with transaction() as session:
        found = catalogue.search_services(
            session, organisation_of_actor(), query["q"], offered=query["list"], limit=query["limit"]
        )
        return {"items": found, "next": None}


@blueprint.get("/services/<string:code>")
@allow(Right.CATALOGUE_READ)
@blueprint.response(200, schemas.ServiceOut)
def show_service(code: str) -> Service:
    """Show one kind of order with its questions."""
    with transaction() as session:
        try:
            return catalogue.find_service(session, organisation_of_actor(), code=code)
        except Invalid as error:
            raise NotFound from error


@blueprint.get("/teams")
@allow(Right.CATALOGUE_READ)
@blueprint.arguments(schemas.TeamQuery, location="query", unknown=RAISE)
@blueprint.response(200, schemas.TeamPageOut)
def list_teams(query: Mapping[str, Any]) -> Mapping[str, Any]:
    """List the teams, by id, of one kind or of both."""
    with transaction() as session:
        rows = catalogue.list_teams(
            session,
            actor=actor(),
            kind=query["kind"],
            after=query["cursor"] or 0,
            limit=query["limit"] + 1,
        )
        return page_of(rows, query["limit"])


@blueprint.get("/performers")
@allow(Right.CATALOGUE_READ)
@blueprint.arguments(schemas.PerformerQuery, location="query", unknown=RAISE)
@blueprint.response(200, schemas.PerformerPageOut)
def list_performers(query: Mapping[str, Any]) -> Mapping[str, Any]:
    """List the performers in use, by id, of one kind or serving one kind of order."""
    with transaction() as session:
        service = None
        if query["service_code"] is not None:
            service = catalogue.find_service(session, organisation_of_actor(), code=query["service_code"])
        rows = catalogue.list_performers(
            session,
            actor=actor(),
            kind=query["kind"],
            service_id=None if service is None else service.id,
            after=query["cursor"] or 0,
            limit=query["limit"] + 1,
        )
        return page_of(rows, query["limit"])


def knowledge_out(found: Knowledge) -> dict[str, Any]:
    """What leaves of an item with its text."""
    item, said = found.item, found.text
    out = {name: getattr(item if hasattr(item, name) else said, name) for name in schemas.KnowledgeOut().fields}
    return out | {"published_at": said.published_at.astimezone(clock.SHANGHAI)}


def text_of(data: Mapping[str, Any]) -> KnowledgeText:
    """What a body says of an item."""
    plain = {name: data[name] for name in ("title", "body", "source", "valid_from", "valid_until")}
    return KnowledgeText(**plain, kinds=tuple(data["kinds"]), words=tuple(data["words"]))


@blueprint.route("/knowledge")
class KnowledgeList(MethodView):
    """What the desk may answer by itself."""

    @allow(Right.CATALOGUE_READ, limit=limits.SEARCH)
    @blueprint.arguments(schemas.KnowledgeQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.KnowledgePageOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List what may be answered today and fits what was typed, best first; without q all of it, by id."""
        with transaction() as session:
            if query["q"].strip() or query["kind"] is not None:
                found = catalogue.search_knowledge(
                    session,
                    query["q"],
                    day=clock.today(clock.now(session)),
                    kind=query["kind"],
                    limit=query["limit"],
                    actor=actor(),
                )
                return {"items": [knowledge_out(one) for one in found], "next": None}
            rows = catalogue.list_knowledge(
                session,
                after=query["cursor"] or 0,
                limit=query["limit"] + 1,
                withdrawn=query["withdrawn"],
                actor=actor(),
            )
            following = rows[query["limit"] - 1].item.id if len(rows) > query["limit"] else None
            return {"items": [knowledge_out(one) for one in rows[: query["limit"]]], "next": following}

    @allow(Right.CATALOGUE_EDIT)
    @blueprint.takes(schemas.CreateKnowledge, schemas.KnowledgeOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Publish a new item. 409 when the code is taken."""

        def work(session: Session) -> Answer:
            now = clock.now(session)
            made = catalogue.create_knowledge(session, data["code"], text_of(data), actor=actor(), now=now)
            location = url_for("catalogue.OneKnowledge", code=made.item.code)
            return 201, schemas.KnowledgeOut().dump(knowledge_out(made)), {"Location": location}

        return once("knowledge.create", data, work)


@blueprint.route("/knowledge/<string(maxlength=60):code>")
class OneKnowledge(MethodView):
    """One item of knowledge."""

    @allow(Right.CATALOGUE_READ)
    @blueprint.response(200, schemas.KnowledgeOut)
    def get(self, code: str) -> Mapping[str, Any]:
        """Show an item, withdrawn or not: of the own organisation or the nearest above, else in reach."""
        with transaction() as session:
            return knowledge_out(catalogue.find_knowledge(session, code, actor=actor()))


@blueprint.route("/knowledge/<string(maxlength=60):code>/versions")
class KnowledgeVersions(MethodView):
    """What an item has said."""

    @allow(Right.CATALOGUE_READ)
    @blueprint.response(200, schemas.KnowledgeVersionsOut)
    def get(self, code: str) -> Mapping[str, Any]:
        """Show every version, newest first."""
        with transaction() as session:
            found = catalogue.find_knowledge(session, code, actor=actor())
            return {"items": catalogue.knowledge_versions(session, found.item.id)}

    @allow(Right.CATALOGUE_EDIT)
    @blueprint.takes(schemas.ReviseKnowledge, schemas.KnowledgeOut, status=201)
    def post(self, data: Mapping[str, Any], code: str) -> Response:
        """Publish a new version of an item, also of a withdrawn one. 409 when another version stands by now."""

        def work(session: Session) -> Answer:
            found = catalogue.find_knowledge(session, code, actor=actor())
            made = catalogue.revise_knowledge(
                session, found.item.id, text_of(data), version=data["version"], actor=actor(), now=clock.now(session)
            )
            return 201, schemas.KnowledgeOut().dump(knowledge_out(made)), {}

        return once(f"knowledge.revise:{code}", data, work)


@blueprint.route("/knowledge/<string(maxlength=60):code>/withdrawal")
class KnowledgeWithdrawal(MethodView):
    """Taking an item out of use."""

    @allow(Right.CATALOGUE_EDIT)
    @blueprint.takes(schemas.WithdrawKnowledge, schemas.KnowledgeOut)
    def post(self, data: Mapping[str, Any], code: str) -> Response:
        """Withdraw an item with a reason; orders that were answered with it keep showing it."""

        def work(session: Session) -> Answer:
            found = catalogue.find_knowledge(session, code, actor=actor())
            gone = catalogue.withdraw_knowledge(session, found.item.id, **data, actor=actor(), now=clock.now(session))
            return 200, schemas.KnowledgeOut().dump(knowledge_out(gone)), {}

        return once(f"knowledge.withdraw:{code}", data, work)
