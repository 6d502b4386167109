"""Reports over HTTP: figures with their orders, trends and files; the published statements, for everybody."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from flask import Response, make_response
from flask.views import MethodView
from flask_babel import gettext
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow, open_to_all
from dispatch.api.blueprint import Blueprint
from dispatch.gateways import limits
from dispatch.rules.access.roles import EVERYTHING, Right
from dispatch.rules.reports.figures import NO_RATES, Figure, Value, shown
from dispatch.schemas import reports as schemas
from dispatch.services import reports
from dispatch.services.reports import AssignedBy, FileFormat, Grouping, Part, ReportQuery
from dispatch.transaction import transaction

blueprint = Blueprint("reports", __name__, url_prefix="/api", description="统计与公开 · Reports")

FILTERS = ("community_id", "area_id", "service_id", "team_id", "performer_id")
FILE_DOC = {
    "200": {
        "description": "the file, marked with who took it and when",
        "content": {form.media_type: {"schema": {"type": "string", "format": "binary"}} for form in FileFormat},
    }
}


def query_of(session: Session, asked: Mapping[str, Any]) -> ReportQuery:
    """The report that the arguments describe."""
    return ReportQuery(
        begin=asked["begin"],
        end=asked["end"],
        by=Grouping(asked["by"]),
        assigned_by=AssignedBy(asked["assigned_by"] or reports.assigned_by(session, actor())),
        **{name: asked.get(name) for name in FILTERS},
    )


def part_of(asked: Mapping[str, Any]) -> Part | None:
    """Which part of a figure is asked for."""
    return Part(asked["part"]) if asked["part"] else None


def figures_out(values: Mapping[Figure, Value]) -> list[dict[str, object]]:
    """The figures as they leave."""
    return [
        {
            "figure": str(figure),
            "numerator": float(value.numerator),
            "denominator": float(value.denominator),
            "shown": None if (number := shown(figure, value)) is None else str(number),
            "percent": figure not in NO_RATES,
        }
        for figure, value in values.items()
    ]


@blueprint.route("/reports")
class Reports(MethodView):
    """A report."""

    @allow(Right.REPORTS_READ)
    @blueprint.arguments(schemas.AskReport, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.ReportOut)
    def get(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give the figures of some days by team, area, kind or firm, beside the period before."""
        with transaction() as session:
            found = reports.report(session, query_of(session, asked), actor=actor())
        rows = [
            {
                "id": row.id,
                "name": row.name,
                "counts": asdict(row.counts),
                "figures": figures_out(found.figures(row)),
            }
            for row in found.rows
        ]
        return {
            "begin": found.query.begin,
            "end": found.query.end,
            "items": rows,
            "counts": asdict(found.total),
            "figures": figures_out(found.figures()),
            "before_begin": found.before_days[0],
            "before_end": found.before_days[1],
            "before": figures_out(found.figures_before()),
        }


@blueprint.route("/reports/trend")
class Trend(MethodView):
    """A report over time."""

    @allow(Right.REPORTS_READ)
    @blueprint.arguments(schemas.AskReport, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.TrendOut)
    def get(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give the counts of each day, week or month."""
        with transaction() as session:
            steps = reports.trend(session, query_of(session, asked), actor=actor())
        return {"items": [{"first": one.first, "last": one.last, "counts": asdict(one.counts)} for one in steps]}


@blueprint.route("/reports/heat")
class Heat(MethodView):
    """Where and when orders come."""

    @allow(Right.REPORTS_READ)
    @blueprint.arguments(schemas.AskHeat, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.HeatOut)
    def get(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give the orders placed by area and day (week, month), by area and hour of the day, and by building."""
        with transaction() as session:
            found = reports.heat(session, ReportQuery(**asked), actor=actor())
        return {
            "steps": [{"first": first, "last": last} for first, last in found.steps],
            "areas": [asdict(area) for area in found.areas],
            "buildings": [asdict(building) for building in found.buildings],
        }


@blueprint.route("/reports/orders")
class FigureOrders(MethodView):
    """A figure opened to its orders."""

    @allow(Right.REPORTS_READ)
    @blueprint.arguments(schemas.AskOrders, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.OpenedPageOut)
    def get(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """List the orders that a figure counts, does not count, and leaves out, each with the reason."""
        with transaction() as session:
            page = reports.open_figure(
                session,
                query_of(session, asked),
                Figure(asked["figure"]),
                part=part_of(asked),
                cursor=asked["cursor"],
                limit=asked["limit"],
                actor=actor(),
            )
        return {"items": [asdict(one) for one in page.items], "next": page.next}


@blueprint.route("/reports/overrides")
class OverriddenRules(MethodView):
    """What was dispatched by hand otherwise than the router had decided."""

    @allow(Right.REPORTS_READ)
    @blueprint.arguments(schemas.AskReport, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.OverridesOut)
    def get(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        """Give the rules most overridden by kind, with who did it and why, and the newest hundred such choices."""
        with transaction() as session:
            found = reports.overrides(session, query_of(session, asked), actor=actor())
        return {
            "rules": [rule_out(rule) for rule in found.rules],
            "newest": [asdict(one) for one in found.newest],
            "times": found.times,
            "is_cut": found.is_cut,
        }


def rule_out(rule: reports.OverriddenRule) -> dict[str, Any]:
    """A rule with who set it aside and why."""
    return asdict(rule) | {"people": words_out(rule.people), "reasons": words_out(rule.reasons)}


def words_out(counted: Sequence[tuple[str, int]]) -> list[dict[str, Any]]:
    """Words with how often each stands there."""
    return [{"words": words, "times": times} for words, times in counted]


@blueprint.route("/reports/file")
class ReportFile(MethodView):
    """A report to take away."""

    @allow(Right.REPORTS_READ, limit=limits.EXPORT)
    @blueprint.doc(responses=FILE_DOC)
    @blueprint.arguments(schemas.AskFile, location="query", unknown=RAISE)
    def get(self, asked: Mapping[str, Any]) -> Response:
        """Give a report as CSV, XLSX or PDF."""
        form = FileFormat(asked["format"])
        with transaction() as session:
            data = reports.export_report(
                session, query_of(session, asked), form, say=gettext, actor=actor(), now=clock.now(session)
            )
        return file_of(data, "report", form)


@blueprint.route("/reports/orders/file")
class FigureOrdersFile(MethodView):
    """The orders behind a figure to take away."""

    @allow(Right.REPORTS_READ, limit=limits.EXPORT)
    @blueprint.doc(responses=FILE_DOC)
    @blueprint.arguments(schemas.AskOrdersFile, location="query", unknown=RAISE)
    def get(self, asked: Mapping[str, Any]) -> Response:
        """Give the orders behind a figure as CSV, XLSX or PDF, 50,000 at most."""
        form, figure = FileFormat(asked["format"]), Figure(asked["figure"])
        with transaction() as session:
            data = reports.export_orders(
                session,
                query_of(session, asked),
                figure,
                form,
                part=part_of(asked),
                say=gettext,
                actor=actor(),
                now=clock.now(session),
            )
        return file_of(data, str(figure), form)


def file_of(data: bytes, name: str, form: FileFormat) -> Response:
    """A file to be saved."""
    response = make_response(data)
    response.headers["Content-Type"] = form.media_type
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.{form}"'
    return response


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
