"""The service station over HTTP: who came is counted, and how often people came."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.rules.access.roles import Right
from dispatch.rules.care.station import Ended
from dispatch.schemas import station as schemas
from dispatch.services.care.station import Came, counting
from dispatch.transaction import transaction

blueprint = Blueprint("station", __name__, url_prefix="/api/station", description="服务站 · Service station")


@blueprint.route("/visits")
class Visits(MethodView):
    """Who came to the counter."""

    @allow(Right.STATION_KEEP)
    @blueprint.takes(schemas.NoteVisit, schemas.VisitNoted, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Count who came; with `ordered` an order is placed in the same step."""

        def work(session: Session) -> Answer:
            said = {name: value for name, value in data.items() if name != "community_id"}
            came = Came(**(said | {"ended": Ended(data["ended"])}))
            made = counting.note_visit(session, data["community_id"], came, actor=actor(), now=clock.now(session))
            return 201, schemas.VisitNoted().dump(made), {}

        return once("station.visits", data, work)


@blueprint.route("/figures")
class Figures(MethodView):
    """How often people came."""

    @allow(Right.STATION_KEEP)
    @blueprint.arguments(schemas.YearQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.StationFigures)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """Count by kind and month of a year."""
        with transaction() as session:
            found = counting.figures(session, query["year"], actor=actor())
        return {"items": [{"kind": one.kind, "months": list(one.months), "year": one.year} for one in found]}
