"""知识库: what the desk may answer by itself, to search, read in versions, write, print; and what helped."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.gateways import limits
from dispatch.models.access import User
from dispatch.models.catalogue import KnowledgeVersion, Service
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.catalogue.knowledge import KnowledgeText, differences
from dispatch.services import catalogue, orders
from dispatch.services.catalogue import Knowledge
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import change, make
from dispatch.web.orders.form import number
from dispatch.web.orders.views import names

MOST_FOUND = 30
MOST_KINDS_SHOWN = 100
PROGRAMME = "programme"
PERIODS = (30, 90, 365)
SEPARATORS = re.compile(r"[,，、;；\n]+")

blueprint = Blueprint("pages_knowledge", __name__, url_prefix="/knowledge")


@blueprint.get("")
@allow(Right.CATALOGUE_READ, limit=limits.SEARCH)
def listing() -> str:
    """What fits what was typed, best first; without words all of it by id, or what was withdrawn."""
    actor, query = current_actor(), request.args.get("q", "")
    is_withdrawn = bool(request.args.get("withdrawn"))
    with transaction() as session:
        today = clock.today(clock.now(session))
        following = None
        if query.strip():
            found = catalogue.search_knowledge(session, query, day=today, limit=MOST_FOUND, actor=actor)
        else:
            after = number(request.args, "after") or 0
            rows = catalogue.list_knowledge(
                session, after=after, limit=MOST_FOUND + 1, withdrawn=is_withdrawn, actor=actor
            )
            found = list(rows[:MOST_FOUND])
            following = found[-1].item.id if len(rows) > MOST_FOUND else None
        kinds = kind_names(session, actor)
    template = "knowledge/found.html" if request.headers.get("HX-Request") else "knowledge/listing.html"
    return render_template(
        template, found=found, following=following, kinds=kinds, today=today, query=query, is_withdrawn=is_withdrawn
    )


def kind_names(session: Session, actor: Actor) -> dict[str, str]:
    """The names of the kinds in use by code."""
    return {one.code: one.name for one in kinds_of(session, actor)}


def kinds_of(session: Session, actor: Actor) -> Sequence[Service]:
    """The kinds that an item may concern, the most popular first; a programme's own are nothing to ask about."""
    if actor.organisation_id is None:
        return []
    found = catalogue.search_services(session, actor.organisation_id, "", limit=MOST_KINDS_SHOWN)
    return [one for one in found if list(one.offered) != [PROGRAMME]]


@blueprint.get("/<int(max=9223372036854775807):item_id>")
@allow(Right.CATALOGUE_READ)
def show(item_id: int) -> str:
    """One item as it stands or as it once was, with what that version changed."""
    return render_item(item_id, current_actor())


def render_item(item_id: int, actor: Actor, errors: Mapping[str, str] | None = None) -> str:
    """The page of an item; raises NotFound for an item or a version that is not there."""
    wanted = number(request.args, "version")
    with transaction() as session:
        found = catalogue.find_knowledge_by_id(session, item_id, actor=actor)
        said = catalogue.knowledge_versions(session, item_id)
        shown = next((one for one in said if one.version == (wanted or found.item.version)), None)
        if shown is None:
            raise NotFound
        return render_template(
            "knowledge/item.html",
            one=found,
            said=said,
            shown=shown,
            changes=changes_of(said, shown),
            people=names(session, User, {each.written_by for each in said if each.written_by}),
            kinds=kind_names(session, actor),
            may_edit=actor.may(Right.CATALOGUE_EDIT) and catalogue.may_edit_knowledge(found.item, actor),
            now=clock.now(session),
            errors=errors or {},
            typed=request.form,
        )


def changes_of(said: Sequence[KnowledgeVersion], shown: KnowledgeVersion) -> list[tuple[str, str]]:
    """The lines of a version against the one before it; nothing for the first."""
    before = next((one for one in said if one.version == shown.version - 1), None)
    if before is None:
        return []
    return [(str(kind), line) for kind, line in differences(whole(before), whole(shown))]


def whole(one: KnowledgeVersion) -> str:
    """A version as one text: title, body, source and days."""
    until = one.valid_until.isoformat() if one.valid_until else ""
    return f"{one.title}\n{one.body}\n{one.source}\n{one.valid_from.isoformat()} – {until}"


@blueprint.get("/new")
@allow(Right.CATALOGUE_EDIT)
def new() -> str:
    """The empty form."""
    with transaction() as session:
        typed = {"valid_from": clock.today(clock.now(session)).isoformat()}
    return render_form(None, current_actor(), typed)


@blueprint.get("/<int(max=9223372036854775807):item_id>/edit")
@allow(Right.CATALOGUE_EDIT)
def edit(item_id: int) -> str:
    """The form with what stands."""
    actor = current_actor()
    with transaction() as session:
        found = catalogue.find_knowledge_by_id(session, item_id, actor=actor)
    return render_form(found, actor, typed_of(found))


def typed_of(found: Knowledge) -> dict[str, Any]:
    """An item as its form shows it."""
    item, said = found.item, found.text
    return {
        "title": said.title,
        "body": said.body,
        "source": said.source,
        "valid_from": said.valid_from.isoformat(),
        "valid_until": said.valid_until.isoformat() if said.valid_until else "",
        "kind": item.kinds[0],
        "kinds": item.kinds[1:],
        "words": "、".join(item.words),
        "version": item.version,
    }


def render_form(
    found: Knowledge | None, actor: Actor, typed: Mapping[str, Any], errors: Mapping[str, str] | None = None
) -> str:
    """The form of a new item, or of a new version."""
    with transaction() as session:
        kinds = kinds_of(session, actor)
    return render_template("knowledge/form.html", one=found, typed=typed, kinds=kinds, errors=errors or {})


@blueprint.post("/new")
@allow(Right.CATALOGUE_EDIT)
@retrying
def create() -> Response:
    """Publish a new item."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        code = request.form.get("code", "").strip()
        made = catalogue.create_knowledge(session, code, read_text(request.form), actor=actor, now=now)
        return address_of(made.item.id)

    return make(work, lambda actor, errors: render_form(None, actor, typed_again(), errors))


def address_of(item_id: int) -> str:
    """The page of an item."""
    return url_for("pages_knowledge.show", item_id=item_id)


@blueprint.post("/<int(max=9223372036854775807):item_id>/edit")
@allow(Right.CATALOGUE_EDIT)
@retrying
def revise(item_id: int) -> Response:
    """Publish a new version."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        text, read = read_text(request.form), number(request.form, "version") or 0
        catalogue.revise_knowledge(session, item_id, text, version=read, actor=actor, now=now)

    def render(actor: Actor, errors: Mapping[str, str]) -> str:
        with transaction() as session:
            found = catalogue.find_knowledge_by_id(session, item_id, actor=actor)
        return render_form(found, actor, typed_again(), errors)

    return change(work, render, address_of(item_id))


@blueprint.post("/<int(max=9223372036854775807):item_id>/withdraw")
@allow(Right.CATALOGUE_EDIT)
@retrying
def withdraw(item_id: int) -> Response:
    """Take an item out of use, with a reason."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        reason, read = request.form.get("reason", ""), number(request.form, "version") or 0
        catalogue.withdraw_knowledge(session, item_id, reason=reason, version=read, actor=actor, now=now)

    return change(work, partial(render_item, item_id), address_of(item_id))


def typed_again() -> dict[str, Any]:
    """Everything that was typed, for the form that is shown again."""
    return request.form.to_dict() | {"kinds": request.form.getlist("kinds")}


def read_text(form: Mapping[str, str]) -> KnowledgeText:
    """What a form says of an item; raises Invalid for a day that is none."""
    valid_from = needed_day(form, "valid_from", "请填写生效日期")
    kinds = (form.get("kind", ""), *request.form.getlist("kinds"))
    return KnowledgeText(
        title=form.get("title", ""),
        body=form.get("body", ""),
        source=form.get("source", ""),
        valid_from=valid_from,
        valid_until=read_day(form, "valid_until"),
        kinds=tuple(kind for kind in kinds if kind),
        words=tuple(SEPARATORS.split(form.get("words", ""))),
    )


def read_day(form: Mapping[str, str], field: str) -> date | None:
    """A day of the form, None when empty; raises Invalid."""
    written = form.get(field, "").strip()
    if not written:
        return None
    try:
        return date.fromisoformat(written)
    except ValueError as error:
        raise Invalid(field, "请填写完整的日期") from error


def needed_day(form: Mapping[str, str], field: str, message: str = "请填写完整的日期") -> date:
    """A day of the form that must be there; raises Invalid."""
    found = read_day(form, field)
    if found is None:
        raise Invalid(field, message)
    return found


@blueprint.get("/uses")
@allow(Right.CATALOGUE_READ)
def uses() -> str:
    """What closed calls within reach, most used first, and what callers found least useful."""
    wanted = number(request.args, "days")
    days = wanted if wanted in PERIODS else PERIODS[1]
    with transaction() as session:
        since = clock.now(session) - timedelta(days=days)
        counted = orders.knowledge_figures(session, since=since, actor=current_actor())
    useless = sorted((one for one in counted if one.useless), key=lambda one: (-one.useless, one.useful, one.item_id))
    return render_template("knowledge/uses.html", counted=counted, useless=useless, days=days, periods=PERIODS)
