"""公示 over HTTP: the published statements of the supermarket, and the proof of one's own line, without a key."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from flask import request
from flask.views import MethodView
from marshmallow import RAISE

from dispatch.api.auth import open_to_all
from dispatch.api.blueprint import Blueprint
from dispatch.errors import NotFound
from dispatch.gateways import limits
from dispatch.gateways.limits import limiter
from dispatch.models.reports import Disclosure
from dispatch.rules.access.roles import Scope
from dispatch.rules.market.gifts import spelling_of
from dispatch.schemas import disclosing as schemas
from dispatch.services import reports
from dispatch.transaction import transaction

OF_DISCLOSURE = tuple(schemas.DisclosureOut().fields.keys() - {"shared"})
PUBLISHED = "statements of the supermarket are published to the residents; no names, no small counts"
OF_ONE_S_OWN = "number and secret of one's own receipt are the key; nothing else is told"

blueprint = Blueprint("disclosures", __name__, url_prefix="/api", description="公示 · Disclosure")


def reach_of(community_id: int) -> Scope:
    """A stranger who asks reaches one community; of a hidden one nothing is ever published."""
    return Scope(communities=frozenset({community_id}))


def disclosure_out(made: Disclosure, published: Sequence[Disclosure]) -> dict[str, Any]:
    """What leaves of a statement, and with which others it has days in common."""
    shared = [
        {"id": other.id, "first_day": first, "last_day": last}
        for other, first, last in reports.shared_days(made, published)
    ]
    return {name: getattr(made, name) for name in OF_DISCLOSURE} | {"shared": shared}


def receipt_asked() -> str:
    """The receipt that is asked about, as a digest: guessing its secret is soon over."""
    body = request.get_json(silent=True)
    asked = body if isinstance(body, dict) else {}
    about = f"{asked.get('community_id')}:{spelling_of(str(asked.get('number'))[:40])}"
    return f"receipt:{sha256(about.encode('utf-8', 'replace')).hexdigest()[:24]}"


@blueprint.route("/disclosures")
class Disclosures(MethodView):
    """The published statements of the supermarket."""

    @open_to_all(PUBLISHED)
    @blueprint.arguments(schemas.ListDisclosures, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.DisclosuresOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List the published versions of a community, newest first."""
        with transaction(reach_of(query["community_id"])) as session:
            published = reports.list_disclosures(session, query["community_id"])
            return {"items": [disclosure_out(one, published) for one in published]}


@blueprint.route("/disclosures/proof")
class DisclosureProof(MethodView):
    """The proof of one's own line."""

    @open_to_all(OF_ONE_S_OWN)
    @limiter.limit(limits.LOOKUP_BY_ADDRESS, key_func=limits.address)
    @limiter.limit(limits.LOOKUP_BY_NUMBER, key_func=receipt_asked)
    @blueprint.arguments(schemas.AskProof)
    @blueprint.response(200, schemas.ProofOut)
    def post(self, data: Mapping[str, Any]) -> Mapping[str, Any]:
        """Prove that the line of a receipt is in the newest statement that holds it; the secret is not sent back."""
        community_id = data["community_id"]
        with transaction(reach_of(community_id)) as session:
            found = reports.proof_for(session, community_id, data["number"], data["secret"])
            if found is None:
                raise NotFound
            return reports.proof_out(found)
