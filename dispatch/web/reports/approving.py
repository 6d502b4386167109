"""Large exports: the form to ask for one, the list of what was asked, the decision, the one download."""

from flask import Response, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import DispatchError, Invalid
from dispatch.gateways import limits
from dispatch.models.access import User
from dispatch.models.reports import ExportRequest
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.reports.figures import LABELS, Figure
from dispatch.services import reports
from dispatch.services.reports import ExportAsked
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.orders.views import names
from dispatch.web.pages import told
from dispatch.web.reports.door import address_of, blueprint, one_of, read_part, read_query, say, the_format
from dispatch.web.reports.pictures import download

FORBIDDEN = 403
WRONG = 422
EXPORT = "/reports/exports/<int(min=1, max=9223372036854775807):export_id>"


def read_asked(actor: Actor) -> ExportAsked:
    """The export that the address asks for."""
    with transaction() as session:
        query = read_query(session, actor)
    return ExportAsked(query, the_format(), one_of(Figure, request.args.get("figure")), read_part())


def form_to_ask(asked: ExportAsked, error: DispatchError) -> Response:
    """What is too large to leave at once is asked for, with the reason why it is needed."""
    given = {"format": asked.form, "figure": asked.figure, "part": asked.part, **address_of(asked.query)}
    page = render_template(
        "reports/ask_export.html",
        asked=asked,
        subject=subject_words(asked),
        address=url_for("pages_reports.ask_export", **{name: one for name, one in given.items() if one is not None}),
        here=address_of(asked.query),
        message=told(error),
        is_wrong=isinstance(error, Invalid),
        typed=request.form.get("reason", ""),
    )
    return make_response(page, WRONG if isinstance(error, Invalid) else FORBIDDEN)


def subject_words(asked: ExportAsked) -> str:
    """What is to leave, in words."""
    what = say("报表") if asked.figure is None else say(LABELS[asked.figure])
    return f"{what} {asked.query.begin.isoformat()} – {asked.query.end.isoformat()} {asked.form.upper()}"


@blueprint.post("/reports/exports")
@allow(Right.REPORTS_READ)
@retrying
def ask_export() -> Response:
    """Ask for a large export."""
    actor = current_actor()
    asked = read_asked(actor)
    try:
        with transaction() as session:
            reason, now = request.form.get("reason", ""), clock.now(session)
            reports.ask_export(session, asked, reason=reason, actor=actor, now=now)
    except Invalid as error:
        return form_to_ask(asked, error)
    return redirect(url_for("pages_reports.exports"), 303)  # type: ignore[return-value]


@blueprint.get("/reports/exports")
@allow(Right.REPORTS_READ)
def exports() -> Response:
    """What I have asked for, and what others have and I may decide."""
    return listed(None)


def listed(error: DispatchError | None) -> Response:
    """The page; after a refusal with what was wrong."""
    actor = current_actor()
    with transaction() as session:
        own, waiting = reports.own_exports(session, actor=actor), reports.exports_to_decide(session, actor=actor)
        now = clock.now(session)
        page = render_template(
            "reports/exports.html",
            own=[(one, subject_words(ExportAsked.of(one.asked))) for one in own],
            waiting=[(one, subject_words(ExportAsked.of(one.asked))) for one in waiting],
            people=people_of(session, [*own, *waiting]),
            problem=None if error is None else told(error),
            now=now,
        )
    return make_response(page, 200 if error is None else 409)


def people_of(session: Session, found: list[ExportRequest]) -> dict[int, str]:
    """The names of who asked and who decided."""
    return names(session, User, {who for one in found for who in (one.asked_by, one.decided_by) if who is not None})


@blueprint.post(f"{EXPORT}/decision")
@allow(Right.AUDIT_READ)
@retrying
def decide_export(export_id: int) -> Response:
    """Approve or refuse what another person asked for."""
    actor, granted = current_actor(), request.form.get("granted") == "yes"
    try:
        with transaction() as session:
            reports.decide_export(session, export_id, granted=granted, actor=actor, now=clock.now(session))
    except reports.ExportDecided as error:
        return listed(error)
    return redirect(url_for("pages_reports.exports"), 303)  # type: ignore[return-value]


@blueprint.post(f"{EXPORT}/file")
@allow(Right.REPORTS_READ, limit=limits.EXPORT)
@retrying
def take_export(export_id: int) -> Response:
    """Download what was approved, once."""
    actor = current_actor()
    try:
        with transaction() as session:
            now = clock.now(session)
            data, asked = reports.take_export(session, export_id, say=say, actor=actor, now=now)
    except reports.ExportOver as error:
        return listed(error)
    name = "report" if asked.figure is None else str(asked.figure)
    return download(data, f"{name}-{asked.query.begin}-{asked.query.end}", asked.form)
