"""爱心卡: issued and printed once, replaced when lost, taken back; and the page that checks one without a network."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import segno
from flask import Blueprint, Response, make_response, redirect, render_template, send_from_directory, url_for
from markupsafe import Markup
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict
from dispatch.models.access import Organisation
from dispatch.rules.access.roles import Actor, Right
from dispatch.services.market import cards
from dispatch.services.market.cards import NewCard
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor, open_to_all
from dispatch.web.beneficiaries import BENEFICIARY, render_one
from dispatch.web.changing import errors_of

STATIC = Path(__file__).parent / "static"
NO_DATA = "a page and a script without any data: a card is checked by its own signature"
CARD = "/cards/<int(min=1, max=9223372036854775807):card_id>"
CONFLICT = 409

blueprint = Blueprint("pages_cards", __name__)


@blueprint.post(f"{BENEFICIARY}/cards")
@allow(Right.BENEFICIARIES_EDIT)
@retrying
def issue(beneficiary_id: int) -> Response:
    """Issue a card and show it for printing, this once."""
    return printed(
        beneficiary_id, lambda session, actor, now: cards.issue(session, beneficiary_id, actor=actor, now=now)
    )


@blueprint.post(f"{CARD}/replacement")
@allow(Right.BENEFICIARIES_EDIT)
@retrying
def replace(card_id: int) -> Response:
    """A lost card is dead; show the new one for printing, this once."""
    return printed(
        holder_of(card_id), lambda session, actor, now: cards.replace(session, card_id, actor=actor, now=now)
    )


@blueprint.post(f"{CARD}/revocation")
@allow(Right.BENEFICIARIES_EDIT)
@retrying
def revoke(card_id: int) -> Response:
    """Take a card back."""
    beneficiary_id = holder_of(card_id)

    def work(session: Session, actor: Actor, now: datetime) -> Response:
        cards.revoke(session, card_id, actor=actor, now=now)
        address = url_for("pages_beneficiaries.show", beneficiary_id=beneficiary_id)
        return redirect(address, 303)  # type: ignore[return-value]

    return done(beneficiary_id, work)


def holder_of(card_id: int) -> int:
    """Whose card it is; raises NotFound."""
    with transaction() as session:
        return cards.find(session, card_id, actor=current_actor()).beneficiary_id


def printed(beneficiary_id: int, make: Callable[[Session, Actor, datetime], NewCard]) -> Response:
    """Make a card and show it on paper."""

    def work(session: Session, actor: Actor, now: datetime) -> Response:
        made = make(session, actor, now)
        return make_response(paper(made, session.get_one(Organisation, made.card.community_id).name))

    return done(beneficiary_id, work)


def done(beneficiary_id: int, work: Callable[[Session, Actor, datetime], Response]) -> Response:
    """Do one thing with a card; a refusal is shown on the page of its holder."""
    actor = current_actor()
    try:
        with transaction() as session:
            return work(session, actor, clock.now(session))
    except Conflict as error:
        return make_response(render_one(beneficiary_id, actor, errors_of(error)), CONFLICT)


def paper(made: NewCard, place: str) -> str:
    """The card as it is printed; its code stands nowhere else."""
    code = segno.make_qr(made.qr, error="m")
    drawn = code.svg_inline(scale=4, border=2, svgclass=None, lineclass=None, omitsize=True)
    return render_template("cards/paper.html", card=made.card, token=made.token, place=place, code=Markup(drawn))  # noqa: S704 - segno draws it from our letters


@blueprint.get("/cards/check")
@open_to_all(NO_DATA)
def check() -> str:
    """Whether a card was valid on the day of its issue, by its signature alone; works without a network."""
    return render_template("cards/check.html", key=json.dumps(cards.public_key()))


@blueprint.get("/cards/worker.js")
@open_to_all(NO_DATA)
def worker() -> Response:
    """The service worker, from below /cards/ so that its reach is this page."""
    return send_from_directory(STATIC, "card-worker.js", mimetype="text/javascript")
