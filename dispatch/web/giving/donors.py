"""捐赠人: found by name or number, entered, named on statements by consent."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch.gateways import limits
from dispatch.rules.access.roles import Actor, Right
from dispatch.services import market
from dispatch.services.market import DonorDraft
from dispatch.services.market.donors import set_email
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, change
from dispatch.web.giving.door import blueprint, chosen_community, communities_of
from dispatch.web.orders.form import number

MOST_SHOWN = 50


@blueprint.get("/donors")
@allow(Right.GIFTS_READ, limit=limits.SEARCH)
def donors() -> str:
    """The donors that fit the words, newest first."""
    return render_donors(current_actor(), {}, NOTHING_WRONG)


def render_donors(actor: Actor, typed: Mapping[str, Any], errors: Mapping[str, str]) -> str:
    """The list with the form of a new donor."""
    query = request.args.get("q", "")[:100]
    before = number(request.args, "before")
    with transaction() as session:
        rows = market.list_donors(session, query=query, before=before, limit=MOST_SHOWN + 1, actor=actor)
        communities = communities_of(session, actor)
    shown = rows[:MOST_SHOWN]
    return render_template(
        "giving/donors.html",
        rows=[(donor, market.masked_phone_of_donor(donor)) for donor in shown],
        following=shown[-1].id if len(rows) > MOST_SHOWN else None,
        communities=communities,
        query=query,
        typed=typed,
        errors=errors,
    )


@blueprint.post("/donors")
@allow(Right.GIFTS_RECEIVE)
@retrying
def add_donor() -> Response:
    """Enter a donor."""
    form = request.form

    def work(session: Session, actor: Actor, now: datetime) -> None:
        draft = DonorDraft(
            name=form.get("name", ""),
            kind=form.get("kind", "person"),
            phone=form.get("phone", "").strip() or None,
            email=form.get("email", ""),
            is_overseas=bool(form.get("is_overseas")),
            is_named=bool(form.get("is_named")),
        )
        market.add_donor(session, chosen_community(), draft, actor=actor, now=now)

    return change(work, lambda actor, errors: render_donors(actor, form, errors), url_for("pages_giving.donors"))


@blueprint.post("/donors/<int(min=1, max=9223372036854775807):donor_id>/naming")
@allow(Right.GIFTS_RECEIVE)
@retrying
def name_donor(donor_id: int) -> Response:
    """Note that a donor consents to be named, or does no more."""
    with transaction() as session:
        market.set_named(session, donor_id, is_named=request.form.get("is_named") == "yes", actor=current_actor())
    return redirect(url_for("pages_giving.donors"), 303)  # type: ignore[return-value]


@blueprint.post("/donors/<int(min=1, max=9223372036854775807):donor_id>/email")
@allow(Right.GIFTS_RECEIVE)
@retrying
def note_email(donor_id: int) -> Response:
    """Note where a donor wants to be thanked; left empty, nowhere any more."""
    said = request.form.get("email", "")
    return change(
        lambda session, actor, _: set_email(session, donor_id, said, actor=actor),
        lambda actor, errors: render_donors(actor, {}, errors),
        url_for("pages_giving.donors"),
    )
