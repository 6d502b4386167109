"""Files to take away: a report, or the orders behind a figure; a large one is asked for first."""

from flask import Response

from dispatch import clock
from dispatch.gateways import limits
from dispatch.rules.access.roles import Right
from dispatch.services import reports
from dispatch.services.reports import ExportTooLarge
from dispatch.transaction import transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.reports.approving import form_to_ask, read_asked
from dispatch.web.reports.door import blueprint, read_part, read_query, say, the_figure, the_format
from dispatch.web.reports.pictures import download


@blueprint.get("/reports/file")
@allow(Right.REPORTS_READ, limit=limits.EXPORT)
def report_file() -> Response:
    """A report as XLSX, CSV or PDF."""
    wanted, actor = the_format(), current_actor()
    try:
        with transaction() as session:
            query = read_query(session, actor)
            data = reports.export_report(session, query, wanted, say=say, actor=actor, now=clock.now(session))
    except ExportTooLarge as error:
        return form_to_ask(read_asked(actor), error)
    return download(data, f"report-{query.begin}-{query.end}", wanted)


@blueprint.get("/reports/orders/file")
@allow(Right.REPORTS_READ, limit=limits.EXPORT)
def orders_file() -> Response:
    """The orders behind a figure as XLSX, CSV or PDF."""
    figure, wanted, actor = the_figure(), the_format(), current_actor()
    try:
        with transaction() as session:
            query = read_query(session, actor)
            data = reports.export_orders(
                session, query, figure, wanted, part=read_part(), say=say, actor=actor, now=clock.now(session)
            )
    except ExportTooLarge as error:
        return form_to_ask(read_asked(actor), error)
    return download(data, f"{figure}-{query.begin}-{query.end}", wanted)
