"""家属查看: what an elder agreed that family far away may see, on a page behind a secret link; and its consents.

The page names nobody and no place. It is stored nowhere, sends no referrer, and says the same of a link that is
wrong, revoked or over.
"""

from collections.abc import Mapping
from datetime import datetime

import segno
from flask import Blueprint, Response, make_response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.rules.access.roles import EVERYTHING, Actor, Right
from dispatch.rules.care.family import RELATION_LABELS, TOLD_LABELS, Relation, is_alive
from dispatch.rules.care.vouchers import last_day
from dispatch.services.access import policies
from dispatch.services.care import family
from dispatch.services.care.family import NewLink
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import change, errors_of, status_of
from dispatch.web.knowledge import needed_day
from dispatch.web.orders.form import number, one_of
from dispatch.web.phone.door import by_link

ROWS = 50
MONTHS = "care.family_link_months"
QR_SCALE = 6
DEAD = 404

public_blueprint = Blueprint("family", __name__, url_prefix="/f")
blueprint = Blueprint("pages_family", __name__, url_prefix="/family")


@public_blueprint.after_request
def keep_out_of_sight(response: Response) -> Response:
    """Neither stored nor indexed anywhere; the page itself says that it sends no referrer."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@public_blueprint.get("/<token>")
@by_link
@retrying
def show(token: str) -> Response:
    """The months and the alarms that the elder agreed to show."""
    try:
        with transaction(EVERYTHING) as session:
            view = family.open_link(session, token, now=clock.now(session))
    except NotFound:
        return make_response(render_template("family/page.html", view=None), DEAD)
    words = {str(told): gettext(word) for told, word in TOLD_LABELS.items()}
    return make_response(render_template("family/page.html", view=view, told_words=words))


@blueprint.get("")
@allow(Right.VISITS_PLAN)
def listing() -> str:
    """The consents, and the form of the next."""
    return render_listing(current_actor(), {})


def render_listing(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    before = number(request.args, "before")
    with transaction() as session:
        now = clock.now(session)
        today = clock.today(now)
        rows = family.list_links(session, actor=actor, before=before, limit=ROWS + 1)
        return render_template(
            "family/listing.html",
            rows=rows[:ROWS],
            following=rows[ROWS - 1].link.id if len(rows) > ROWS else None,
            elders=family.elders(session, actor=actor),
            relations={str(one): gettext(word) for one, word in RELATION_LABELS.items()},
            alive=lambda link: is_alive(link.expires_on, today, is_revoked=link.revoked_at is not None),
            typed=request.form or proposed(session, actor, now),
            errors=errors,
            now=now,
        )


def proposed(session: Session, actor: Actor, now: datetime) -> dict[str, str]:
    """What the empty form proposes: from today, as long as the policy says, both things."""
    today = clock.today(now)
    months = int(policies.policy(session, min(actor.scope.communities, default=0), MONTHS))
    both = {"sees_visits": "1", "sees_alarms": "1"}
    return both | {"consented_on": today.isoformat(), "expires_on": last_day(today, months).isoformat()}


@blueprint.post("")
@allow(Right.VISITS_PLAN)
@retrying
def make_link() -> Response:
    """Make a link and show it, this once."""
    actor, form = current_actor(), request.form
    try:
        with transaction() as session:
            wanted = NewLink(
                number(form, "resident_id") or 0,
                one_of(form, "relation", Relation),
                form.get("sees_visits") == "1",
                form.get("sees_alarms") == "1",
                needed_day(form, "consented_on"),
                needed_day(form, "expires_on"),
            )
            made, token = family.make_link(session, wanted, actor=actor, now=clock.now(session))
    except Invalid as error:
        return make_response(render_listing(actor, errors_of(error)), status_of(error))
    address = url_for("family.show", token=token, _external=True)
    picture = segno.make(address, error="m").svg_data_uri(scale=QR_SCALE, border=2)
    response = make_response(render_template("family/made.html", link=made, address=address, picture=picture))
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/<int(min=1, max=9223372036854775807):link_id>/revocation")
@allow(Right.VISITS_PLAN)
@retrying
def revoke(link_id: int) -> Response:
    """The elder agrees no more."""
    return change(
        lambda session, actor, now: family.revoke_link(session, link_id, actor=actor, now=now),
        render_listing,
        url_for("pages_family.listing"),
    )
