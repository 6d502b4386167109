"""保管人: who holds a share has a key of their own; two at one screen open what was written of one appointment."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from flask import Response, make_response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotAllowed, NotFound
from dispatch.gateways import limits
from dispatch.gateways.limits import limiter
from dispatch.rules.access.roles import Actor, Right
from dispatch.services.care.counselling import breaking, keys
from dispatch.services.care.counselling.breaking import Second
from dispatch.services.care.counselling.notes import ReadNote
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, change, errors_of, status_of
from dispatch.web.counselling.door import blueprint, typed
from dispatch.web.counselling.keys import chosen_passphrase
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.orders.form import number


@blueprint.get("/holder")
@allow(Right.COUNSELLING_HOLD)
def holder() -> str:
    """One's own key as a holder, and the form of two."""
    return render_holder(current_actor(), NOTHING_WRONG)


def render_holder(actor: Actor, errors: Mapping[str, str], opened: Sequence[ReadNote] | None = None) -> str:
    """The page of a holder; what was opened stands in this one answer only."""
    with transaction() as session:
        communities = communities_of(session, actor)
        with_key = [one for one, _ in communities if keys.holds(session, one, actor=actor)]
        return render_template(
            "counselling/holder.html",
            communities=communities,
            with_key=with_key,
            noted=breaking.noted(session, actor=actor),
            opened=opened,
            errors=errors,
            typed=typed(),
            now=clock.now(session),
        )


@blueprint.post("/holder/key")
@allow(Right.COUNSELLING_HOLD)
@limiter.limit(limits.CODE, key_func=limits.principal)
@retrying
def make_holder_key() -> Response:
    """Make one's own key, or wrap it anew with another passphrase."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        community_id, old = chosen_community(), request.form.get("old_passphrase", "")
        if old:
            new = chosen_passphrase()
            keys.change_passphrase(session, community_id, keys.HOLDER, old, new, actor=actor, now=now)
        else:
            keys.make_holder_key(session, community_id, chosen_passphrase(), actor=actor, now=now)

    return change(work, render_holder, url_for("pages_counselling.holder"))


def asked_about() -> int:
    """The appointment that is asked for, 0 where the field names none."""
    try:
        return number(request.form, "appointment_id") or 0
    except Invalid:
        return 0


@blueprint.post("/holder/opening")
@allow(Right.COUNSELLING_HOLD)
@limiter.limit(limits.CODE, key_func=limits.principal)
@retrying
def open_both() -> Response:
    """Two holders open the notes of one appointment, for this one answer."""
    actor, form = current_actor(), request.form
    about = asked_about()
    try:
        second = Second(form.get("second_login", ""), form.get("second_passphrase", ""))
        with transaction() as session:
            now, reason = clock.now(session), form.get("reason", "")
            passphrase = form.get("passphrase", "")
            found = breaking.open_both(session, about, passphrase, second, reason, actor=actor, now=now)
    except (Invalid, Conflict, NotAllowed, NotFound) as error:
        with transaction() as session:
            breaking.note_refused(session, about, error, actor=actor)
        if isinstance(error, NotFound):
            raise
        return make_response(render_holder(actor, errors_of(error)), status_of(error))
    response = make_response(render_holder(actor, NOTHING_WRONG, found))
    response.headers["Cache-Control"] = "private, no-store"
    return response
