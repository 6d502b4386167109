"""Published reports over HTTP: the statements of service, for everybody."""

from collections.abc import Mapping
from typing import Any

from flask.views import MethodView
from marshmallow import RAISE

from dispatch.api.auth import open_to_all
from dispatch.api.blueprint import Blueprint
from dispatch.rules.access.roles import EVERYTHING
from dispatch.schemas import reports as schemas
from dispatch.services import reports
from dispatch.transaction import transaction

blueprint = Blueprint("reports", __name__, url_prefix="/api", description="公开 · Published reports")


@blueprint.route("/statements")
class Statements(MethodView):
    """The statements of service."""

    @open_to_all("quarterly statements are published to the residents")
    @blueprint.arguments(schemas.ListStatements, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.StatementPageOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List the newest version of every published statement, newest quarter first; counts only."""
        with transaction(EVERYTHING) as session:
            page = reports.list_statements(session, cursor=query["cursor"], limit=query["limit"])
            return {
                "items": [reports.statement_out(one, community) for one, community in page.items],
                "next": page.next,
            }
