"""服务商: the firms of the district, their standing, papers, prices, and what is decided about them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from functools import partial
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.clock import SHANGHAI
from dispatch.errors import Invalid
from dispatch.gateways import limits
from dispatch.models.access import Organisation, User
from dispatch.models.catalogue import Performer, Service
from dispatch.models.grid import Area
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.catalogue.firms import ACTION_LABELS, POSSIBLE, STANDING_LABELS, FirmAction, Standing
from dispatch.rules.catalogue.papers import NEVER
from dispatch.rules.catalogue.prices import PriceLine, fen_of
from dispatch.services import catalogue, orders
from dispatch.services.access import reach
from dispatch.services.catalogue import FirmApplication, FirmRow, NewPaper
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import change, make
from dispatch.web.knowledge import needed_day, read_day
from dispatch.web.orders.form import number, numbers
from dispatch.web.orders.views import names
from dispatch.web.pages import Look, picture_of

MOST_SHOWN = 50
PRICE_ROWS = 6
PAPER_ROWS = 3
MOST_SCAN_BYTES = 11 * 1024 * 1024
SOON = timedelta(days=30)
LOOKS = {
    Standing.APPLIED: ("hourglass-split", "waiting"),
    Standing.ADMITTED: ("check-circle", "done"),
    Standing.SUSPENDED: ("exclamation-triangle-fill", "late"),
    Standing.REFUSED: ("x-circle", "quiet"),
    Standing.LEFT: ("x-circle", "quiet"),
}
FORBIDDEN = 403

blueprint = Blueprint("pages_firms", __name__, url_prefix="/firms")


def standing_look(standing: Standing) -> Look:
    """Word, shape and tone of a firm's standing."""
    icon, tone = LOOKS[standing]
    return Look(gettext(STANDING_LABELS[standing]), icon, tone)


def papers_look(row: FirmRow, today: date) -> Look:
    """Word, shape and tone of a firm's papers as they are today."""
    if row.papers_until is None or row.papers_until == NEVER:
        return Look(gettext("证照不全"), "exclamation-triangle-fill", "late")
    until = row.papers_until.isoformat()
    if row.papers_until < today:
        return Look(gettext("证照 %(until)s 已过期", until=until), "exclamation-triangle-fill", "late")
    if row.papers_until <= today + SOON:
        return Look(gettext("证照到 %(until)s", until=until), "hourglass-split", "soon")
    return Look(gettext("证照到 %(until)s", until=until), "check-circle", "done")


def action_words(action: str) -> str:
    """What was decided, in the reader's language."""
    return str(gettext(ACTION_LABELS[FirmAction(action)]))


@blueprint.get("")
@allow(Right.CATALOGUE_READ, limit=limits.SEARCH)
def listing() -> str:
    """The firms that fit the words and the standing, page by page."""
    wanted = request.args.get("standing", "")
    standing = Standing(wanted) if wanted in set(Standing) else None
    query = request.args.get("q", "")[:100]
    with transaction() as session:
        now = clock.now(session)
        rows = catalogue.list_firms(
            session,
            query=query,
            standing=standing,
            after=number(request.args, "after") or 0,
            actor=current_actor(),
            now=now,
        )
    return render_template(
        "firms/listing.html",
        rows=rows[:MOST_SHOWN],
        following=rows[MOST_SHOWN - 1].firm.id if len(rows) > MOST_SHOWN else None,
        query=query,
        standing=standing,
        standings=[(one, standing_look(one).word) for one in Standing],
        standing_look=standing_look,
        papers_look=papers_look,
        today=clock.today(now),
    )


@blueprint.get("/new")
@allow(Right.FIRMS_EDIT)
def new() -> str:
    """The empty application."""
    return render_form(current_actor(), {"capacity": "3", "hours": "1-7 08:00-20:00"}, {})


def render_form(actor: Actor, typed: Mapping[str, Any], errors: Mapping[str, str]) -> str:
    """The form of an application with what was typed."""
    with transaction() as session:
        communities = session.query(Organisation).filter(
            Organisation.kind == "community", reach.among(Organisation.__table__.c.id, actor.scope.communities)
        )
        areas = session.query(Area).filter(reach.visible(Area, actor)).order_by(Area.community_id, Area.number)
        return render_template(
            "firms/form.html",
            communities=communities.order_by(Organisation.id).all(),
            areas=areas.all(),
            kinds=kinds_for_firms(session, actor),
            typed=typed,
            errors=errors,
            most_papers=PAPER_ROWS,
        )


def kinds_for_firms(session: Session, actor: Actor) -> Sequence[Service]:
    """The kinds that firms do, the most popular first."""
    if actor.organisation_id is None:
        return []
    found = catalogue.search_services(session, actor.organisation_id, "", limit=100)
    return [one for one in found if one.performer == "firm" and list(one.offered) != ["programme"]]


@blueprint.post("/new")
@allow(Right.FIRMS_EDIT)
@retrying
def apply() -> Response:
    """Enter an application."""
    form = request.form

    def work(session: Session, actor: Actor, now: datetime) -> str:
        firm = catalogue.apply_with(session, read_application(), actor=actor, now=now)
        return url_for("pages_firms.show", code=firm.code)

    typed = form.to_dict() | {name: form.getlist(name) for name in ("service_codes", "area_ids")}
    return make(work, lambda actor, errors: render_form(actor, typed, errors))


def read_application() -> FirmApplication:
    """What the form says; raises Invalid naming the field."""
    form = request.form
    community_id = number(form, "community_id")
    if community_id is None:
        raise Invalid("community_id", "请选择社区")
    return FirmApplication(
        community_id=community_id,
        code=form.get("code", "").strip(),
        name=form.get("name", ""),
        uscc=form.get("uscc", ""),
        contact=form.get("contact", "").strip() or None,
        phone=form.get("phone", ""),
        email=form.get("email", ""),
        capacity=number(form, "capacity") or 0,
        hours=tuple(line.strip() for line in form.get("hours", "").splitlines() if line.strip()),
        service_codes=tuple(form.getlist("service_codes")),
        area_ids=tuple(numbers(form.getlist("area_ids"), "area_ids")),
        papers=tuple(read_papers()),
    )


def read_papers() -> list[NewPaper]:
    """The papers of the form's rows; rows left empty do not count."""
    columns = [request.form.getlist(name) for name in ("paper_kind", "paper_number", "paper_from", "paper_until")]
    return [read_paper(*row) for row in zip(*columns, strict=False) if any(cell.strip() for cell in row)]


def read_paper(kind: str, paper_number: str, since: str, until: str) -> NewPaper:
    """One paper; raises Invalid for a missing day."""
    valid_from, valid_until = (read_day({"papers": written}, "papers") for written in (since, until))
    if valid_from is None or valid_until is None:
        raise Invalid("papers", "请写明证照从哪天到哪天有效")
    return NewPaper(kind=kind.strip(), number=paper_number.strip(), valid_from=valid_from, valid_until=valid_until)


@blueprint.get("/<string(maxlength=40):code>")
@allow(Right.CATALOGUE_READ)
def show(code: str) -> str:
    """One firm: standing, papers, prices, history, what it has in hand."""
    return render_firm(code, current_actor(), {})


def render_firm(code: str, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page of a firm; raises NotFound."""
    with transaction() as session:
        now = clock.now(session)
        firm = catalogue.find_firm(session, code, actor=actor)
        (row,) = catalogue.firm_rows(session, [firm], now=now)
        may_edit = actor.may(Right.FIRMS_EDIT)
        history = catalogue.firm_decisions(session, firm.id) if may_edit else []
        lists = catalogue.price_lists(session, firm.id)
        kinds = catalogue.kinds_of_firm(session, firm.id)
        return render_template(
            "firms/show.html",
            row=row,
            firm=firm,
            look=standing_look(row.standing),
            papers=catalogue.papers_of_firm(session, firm.id),
            papers_words=papers_look(row, clock.today(now)),
            scans=scans_by_paper(session, firm.id) if may_edit else {},
            history=history,
            people=names(session, User, {one.decided_by for one in history if one.decided_by}),
            lists=[(one, catalogue.lines_of(one.lines)) for one in lists],
            kinds=kinds,
            kind_names={one.id: one.name for one in kinds},
            newest={one.service_id: one.version for one in reversed(lists)},
            complaints=orders.complaint_figures(session, firm.id, firm.organisation_id, now=now),
            in_hand=orders.orders_in_hand(session, firm.id, actor=actor),
            possible=[one for one in POSSIBLE[row.standing] if one is not FirmAction.WARN],
            action_words=action_words,
            may_edit=may_edit,
            price_rows=PRICE_ROWS,
            errors=errors,
            typed=request.form,
            today=clock.today(now),
            now=now,
        )


def scans_by_paper(session: Session, performer_id: int) -> dict[int, list[int]]:
    """The positions of a firm's scans by the paper that each is of."""
    found: dict[int, list[int]] = {}
    for position, one in enumerate(catalogue.scans_of_firm(session, performer_id), start=1):
        found.setdefault(one.subject_id, []).append(position)
    return found


@blueprint.post("/<string(maxlength=40):code>/decision")
@allow(Right.FIRMS_EDIT)
@retrying
def decide(code: str) -> Response:
    """Admit, refuse, suspend, lift, let leave; with a reason."""

    def work(session: Session, firm: Performer, actor: Actor, now: datetime) -> None:
        chosen = request.form.get("action", "")
        if chosen not in set(FirmAction) - {FirmAction.APPLY, FirmAction.WARN}:
            raise Invalid("action", "请选择一项决定")
        action, day = FirmAction(chosen), read_day(request.form, "until")
        until = None
        if action is FirmAction.SUSPEND and day is not None:
            until = datetime.combine(day + timedelta(days=1), time(), SHANGHAI)
        orders.decide_firm(
            session, firm.id, action, reason=request.form.get("reason", ""), until=until, actor=actor, now=now
        )

    return changed(code, work)


@blueprint.post("/<string(maxlength=40):code>/papers")
@allow(Right.FIRMS_EDIT)
@retrying
def add_paper(code: str) -> Response:
    """Enter a paper or its renewal."""

    def work(session: Session, firm: Performer, actor: Actor, _now: datetime) -> None:
        read = read_papers()
        if not read:
            raise Invalid("papers", "每张证照都要写明种类和编号")
        for paper in read:
            catalogue.add_paper(session, firm.id, paper, actor=actor)

    return changed(code, work)


@blueprint.post("/<string(maxlength=40):code>/papers/scans")
@allow(Right.FIRMS_EDIT)
@retrying
def add_scan(code: str) -> Response:
    """Keep a scan of a paper."""

    def work(session: Session, firm: Performer, actor: Actor, now: datetime) -> None:
        paper_id = number(request.form, "paper_id") or 0
        catalogue.add_scan(session, firm.id, paper_id, sent_file("scan"), actor=actor, now=now)

    return changed(code, work)


def sent_file(name: str) -> bytes:
    """What a file of the form holds, from its begin also when the work is tried again; nothing for none."""
    sent = request.files.get(name)
    if sent is None:
        return b""
    sent.stream.seek(0)
    return sent.stream.read()


add_scan.most_bytes = MOST_SCAN_BYTES  # type: ignore[attr-defined]


@blueprint.get("/<string(maxlength=40):code>/scans/<int:position>")
@allow(Right.FIRMS_EDIT)
def scan(code: str, position: int) -> Response:
    """The n-th scan of a firm's papers; each reading is audited."""
    actor = current_actor()
    with transaction() as session:
        firm = catalogue.find_firm(session, code, actor=actor)
        content = catalogue.read_scan(session, firm.id, position, actor=actor)
    return picture_of(content)


@blueprint.post("/<string(maxlength=40):code>/papers/given-up")
@allow(Right.FIRMS_EDIT)
@retrying
def give_up_paper(code: str) -> Response:
    """Note that a paper is held no more."""

    def work(session: Session, firm: Performer, actor: Actor, now: datetime) -> None:
        paper_id, reason = number(request.form, "paper_id") or 0, request.form.get("reason", "")
        catalogue.give_up_paper(session, firm.id, paper_id, reason=reason, actor=actor, now=now)

    return changed(code, work)


@blueprint.post("/<string(maxlength=40):code>/prices")
@allow(Right.FIRMS_EDIT)
@retrying
def set_prices(code: str) -> Response:
    """Publish the next version of a price list."""

    def work(session: Session, firm: Performer, actor: Actor, now: datetime) -> None:
        day = needed_day(request.form, "valid_from", "请填写生效日期")
        service_id = number(request.form, "service_id") or 0
        catalogue.set_prices(session, firm.id, service_id, read_lines(), valid_from=day, actor=actor, now=now)

    return changed(code, work)


def read_lines() -> list[PriceLine]:
    """The lines of the form; rows left empty do not count; one amount means from and to."""
    columns = [request.form.getlist(name) for name in ("item", "unit", "least", "most")]
    lines = []
    for item, unit, least, most in zip(*columns, strict=False):
        if item.strip() or least.strip():
            lowest = fen_of(least, "lines")
            lines.append(
                PriceLine(item.strip(), unit.strip(), lowest, fen_of(most, "lines") if most.strip() else lowest)
            )
    return lines


def changed(code: str, deed: Any) -> Response:
    """Do one change of a firm and show it."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        deed(session, catalogue.find_firm(session, code, actor=actor), actor, now)

    return change(work, partial(render_firm, code), url_for("pages_firms.show", code=code))
