"""The grid over HTTP: places for address texts, areas, buildings, residents."""

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import RAISE

from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.gateways import limits
from dispatch.rules.access.roles import Right
from dispatch.schemas import grid as schemas
from dispatch.services import grid
from dispatch.transaction import transaction

blueprint = Blueprint("grid", __name__, url_prefix="/api", description="网格 · Grid")


def page_of(rows: Sequence[Any], limit: int) -> Mapping[str, Any]:
    """A page of rows read with one more than the page holds."""
    shown = rows[:limit]
    return {"items": shown, "next": shown[-1].id if len(rows) > limit else None}


@blueprint.get("/places")
@allow(Right.GRID_READ, limit=limits.SEARCH)
@blueprint.arguments(schemas.PlaceQuery, location="query", unknown=RAISE)
@blueprint.response(200, schemas.PlaceOut)
def find_place(query: Mapping[str, Any]) -> grid.Place:
    """Find where an address text is, or what it may mean."""
    reach = None if actor().scope.everything else actor().scope.communities
    with transaction() as session:
        return grid.resolve_place(session, query["text"], communities=reach)


@blueprint.get("/areas")
@allow(Right.GRID_READ)
@blueprint.arguments(schemas.PageQuery, location="query", unknown=RAISE)
@blueprint.response(200, schemas.AreaPageOut)
def list_areas(query: Mapping[str, Any]) -> Mapping[str, Any]:
    """List the areas, by id."""
    with transaction() as session:
        rows = grid.list_areas(session, actor=actor(), after=query["cursor"] or 0, limit=query["limit"] + 1)
        return page_of(rows, query["limit"])


@blueprint.get("/buildings")
@allow(Right.GRID_READ)
@blueprint.arguments(schemas.BuildingQuery, location="query", unknown=RAISE)
@blueprint.response(200, schemas.BuildingPageOut)
def list_buildings(query: Mapping[str, Any]) -> Mapping[str, Any]:
    """List the buildings, by id, of one area or of all."""
    with transaction() as session:
        rows = grid.list_buildings(
            session,
            actor=actor(),
            area_id=query["area_id"],
            after=query["cursor"] or 0,
            limit=query["limit"] + 1,
        )
        return page_of(rows, query["limit"])


@blueprint.get("/residents")
@allow(Right.GRID_READ, limit=limits.SEARCH)
@blueprint.arguments(schemas.ResidentQuery, location="query", unknown=RAISE)
@blueprint.response(200, schemas.ResidentPageOut)
def search_residents(query: Mapping[str, Any]) -> grid.ResidentPage:
    """Search the register by name, pinyin, initials, phone or address; masked, by name."""
    with transaction() as session:
        return grid.search_residents(session, query["q"], actor=actor(), after=query["cursor"], limit=query["limit"])
