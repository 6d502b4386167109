"""The catalogue over HTTP: kinds of order, teams, performers."""

from collections.abc import Mapping
from typing import Any

from flask import g
from marshmallow import RAISE

from dispatch.api.auth import allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.grid import page_of
from dispatch.errors import Invalid, NotFound
from dispatch.models.catalogue import Service
from dispatch.rules.access.roles import Actor, Right
from dispatch.schemas import catalogue as schemas
from dispatch.services import catalogue
from dispatch.transaction import transaction

blueprint = Blueprint("catalogue", __name__, url_prefix="/api", description="服务目录 · Catalogue")


def actor() -> Actor:
    """Who asks."""
    asking: Actor = g.actor
    return asking


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
