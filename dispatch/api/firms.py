"""Firms over HTTP: applications, decisions, papers and price lists."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from flask import Response, url_for
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.gateways import limits
from dispatch.models.catalogue import Performer, PriceList
from dispatch.rules.access.roles import Right
from dispatch.rules.catalogue.firms import FirmAction, Standing
from dispatch.rules.catalogue.papers import NEVER
from dispatch.rules.catalogue.prices import PriceLine
from dispatch.schemas import firms as schemas
from dispatch.services import catalogue, orders
from dispatch.services.catalogue import FirmApplication, FirmRow, NewPaper
from dispatch.transaction import transaction

blueprint = Blueprint("firms", __name__, url_prefix="/api", description="服务商 · Firms")

CODE = "/firms/<string(maxlength=40):code>"


def firm_out(row: FirmRow) -> dict[str, Any]:
    """What leaves of a firm."""
    plain = {name: getattr(row.firm, name) for name in ("code", "name", "uscc", "capacity", "satisfaction_permille")}
    return plain | {
        "standing": str(row.standing),
        "suspended_until": row.firm.suspended_until,
        "kinds": list(row.kinds),
        "papers_until": None if row.papers_until == NEVER else row.papers_until,
        "papers_missing": row.missing(),
    }


def as_it_stands(session: Session, firm: Performer) -> dict[str, Any]:
    """What leaves of one firm, as it stands now."""
    (row,) = catalogue.firm_rows(session, [firm], now=clock.now(session))
    return firm_out(row)


def prices_out(made: PriceList, code: str) -> dict[str, Any]:
    """What leaves of a version of a price list."""
    return {
        "service_code": code,
        "version": made.version,
        "valid_from": made.valid_from,
        "written_at": made.written_at,
        "lines": [asdict(line) for line in catalogue.lines_of(made.lines)],
    }


@blueprint.route("/firms")
class Firms(MethodView):
    """The firms of the district."""

    @allow(Right.CATALOGUE_READ, limit=limits.SEARCH)
    @blueprint.arguments(schemas.FirmQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.FirmPageOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List firms by id, whatever their standing."""
        standing = None if query["standing"] is None else Standing(query["standing"])
        with transaction() as session:
            rows = catalogue.list_firms(
                session,
                query=query["q"],
                standing=standing,
                after=query["cursor"] or 0,
                limit=query["limit"] + 1,
                actor=actor(),
                now=clock.now(session),
            )
        shown = rows[: query["limit"]]
        following = shown[-1].firm.id if len(rows) > query["limit"] else None
        return {"items": [firm_out(row) for row in shown], "next": following}

    @allow(Right.FIRMS_EDIT)
    @blueprint.takes(schemas.ApplyFirm, schemas.FirmOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Enter a firm's application; it gets nothing until a second person admits it."""

        def work(session: Session) -> Answer:
            now = clock.now(session)
            lists = {name: tuple(data[name]) for name in ("hours", "service_codes", "area_ids")}
            papers = tuple(NewPaper(**paper) for paper in data["papers"])
            asked = FirmApplication(**{**data, **lists, "papers": papers})
            firm = catalogue.apply_with(session, asked, actor=actor(), now=now)
            return (
                201,
                schemas.FirmOut().dump(as_it_stands(session, firm)),
                {"Location": url_for("firms.OneFirm", code=firm.code)},
            )

        return once("firms.apply", data, work)


@blueprint.route(CODE)
class OneFirm(MethodView):
    """One firm."""

    @allow(Right.CATALOGUE_READ)
    @blueprint.response(200, schemas.FirmOut)
    def get(self, code: str) -> Mapping[str, Any]:
        """Show where a firm stands and until when its papers hold."""
        with transaction() as session:
            return as_it_stands(session, catalogue.find_firm(session, code, actor=actor()))


@blueprint.route(f"{CODE}/decisions")
class FirmDecisions(MethodView):
    """Admission, suspension, leaving."""

    @allow(Right.FIRMS_EDIT)
    @blueprint.response(200, schemas.FirmDecisionsOut)
    def get(self, code: str) -> Mapping[str, Any]:
        """Show what was decided, newest first."""
        with transaction() as session:
            firm = catalogue.find_firm(session, code, actor=actor())
            return {"items": catalogue.firm_decisions(session, firm.id)}

    @allow(Right.FIRMS_EDIT)
    @blueprint.takes(schemas.DecideFirm, schemas.DecidedOut)
    def post(self, data: Mapping[str, Any], code: str) -> Response:
        """Decide with a reason. Admission is a second person's, never a key's (403)."""

        def work(session: Session) -> Answer:
            now = clock.now(session)
            firm = catalogue.find_firm(session, code, actor=actor())
            action, words = FirmAction(data["action"]), {"reason": data["reason"], "until": data["until"]}
            in_hand = orders.decide_firm(session, firm.id, action, **words, actor=actor(), now=now)
            body = {"firm": as_it_stands(session, firm), "in_hand": [order.number for order in in_hand]}
            return 200, schemas.DecidedOut().dump(body), {}

        return once(f"firms.decide:{code}", data, work)


@blueprint.route(f"{CODE}/papers")
class FirmPapers(MethodView):
    """Licences and certificates."""

    @allow(Right.CATALOGUE_READ)
    @blueprint.response(200, schemas.PapersOut)
    def get(self, code: str) -> Mapping[str, Any]:
        """Show a firm's papers, also those given up."""
        with transaction() as session:
            firm = catalogue.find_firm(session, code, actor=actor())
            return {"items": catalogue.papers_of_firm(session, firm.id)}

    @allow(Right.FIRMS_EDIT)
    @blueprint.takes(schemas.WritePaper, schemas.FirmOut, status=201)
    def post(self, data: Mapping[str, Any], code: str) -> Response:
        """Enter a paper or its renewal. 409 when it is there already."""

        def work(session: Session) -> Answer:
            firm = catalogue.find_firm(session, code, actor=actor())
            catalogue.add_paper(session, firm.id, NewPaper(**data), actor=actor())
            return 201, schemas.FirmOut().dump(as_it_stands(session, firm)), {}

        return once(f"firms.paper:{code}", data, work)


@blueprint.route(f"{CODE}/prices")
class FirmPrices(MethodView):
    """Price lists."""

    @allow(Right.CATALOGUE_READ)
    @blueprint.response(200, schemas.PriceListsOut)
    def get(self, code: str) -> Mapping[str, Any]:
        """Show every version of a firm's lists."""
        with transaction() as session:
            firm = catalogue.find_firm(session, code, actor=actor())
            lists = catalogue.price_lists(session, firm.id)
            kinds = catalogue.services_by_id(session, {one.service_id for one in lists})
            return {"items": [prices_out(one, kinds[one.service_id].code) for one in lists]}

    @allow(Right.FIRMS_EDIT)
    @blueprint.takes(schemas.WritePrices, schemas.PriceListOut, status=201)
    def post(self, data: Mapping[str, Any], code: str) -> Response:
        """Publish the next version of a list. 409 when another version stands by now."""

        def work(session: Session) -> Answer:
            firm = catalogue.find_firm(session, code, actor=actor())
            kind = catalogue.find_service(session, firm.organisation_id, code=data["service_code"])
            made = catalogue.set_prices(
                session,
                firm.id,
                kind.id,
                [PriceLine(**line) for line in data["lines"]],
                valid_from=data["valid_from"],
                version=data["version"],
                actor=actor(),
                now=clock.now(session),
            )
            return 201, schemas.PriceListOut().dump(prices_out(made, kind.code)), {}

        return once(f"firms.prices:{code}", data, work)
