"""The counsellor's key: made with a passphrase and two holders, wrapped anew, or replaced when it was forgotten."""

from collections.abc import Mapping
from datetime import datetime

from flask import Response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch.errors import Invalid
from dispatch.gateways import limits
from dispatch.gateways.limits import limiter
from dispatch.rules.access.roles import Actor, Right
from dispatch.services.care import counselling
from dispatch.services.care.counselling import keys
from dispatch.services.care.counselling.sealing import NewPassphrase
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, Work, change
from dispatch.web.counselling.door import blueprint, typed
from dispatch.web.orders.form import numbers


@blueprint.get("/mine/key")
@allow(Right.COUNSELLING_COUNSEL)
def own_key() -> str:
    """The key, and what can be done with it."""
    return render_key(current_actor(), NOTHING_WRONG)


def render_key(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page of the key; a passphrase goes back into no page."""
    with transaction() as session:
        counsellor = counselling.own(session, actor=actor)
        return render_template(
            "counselling/key.html",
            key=keys.own_key(session, counsellor),
            holders=keys.holders(session, counsellor.community_id, without=actor.user_id),
            errors=errors,
            typed=typed(),
        )


def keep(work: Work) -> Response:
    """Do one thing with the key and go back to it."""
    return change(work, render_key, url_for("pages_counselling.own_key"))


def chosen_passphrase() -> NewPassphrase:
    """The new passphrase, typed twice alike; raises Invalid."""
    passphrase = request.form.get("passphrase", "")
    if passphrase != request.form.get("passphrase_again", ""):
        raise Invalid("passphrase_again", "两次填写的口令不一样")
    return NewPassphrase(passphrase)


@blueprint.post("/mine/key")
@allow(Right.COUNSELLING_COUNSEL)
@limiter.limit(limits.CODE, key_func=limits.principal)
@retrying
def make_key() -> Response:
    """Make the key, or a new one when the passphrase was forgotten."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        chosen = numbers(request.form.getlist("holder_ids"), "holder_ids")
        forgotten = bool(request.form.get("forgotten"))
        by = {"actor": actor, "now": now}
        keys.make_counsellor_key(session, chosen_passphrase(), chosen, forgotten=forgotten, **by)

    return keep(work)


@blueprint.post("/mine/key/passphrase")
@allow(Right.COUNSELLING_COUNSEL)
@limiter.limit(limits.CODE, key_func=limits.principal)
@retrying
def change_passphrase() -> Response:
    """Wrap the key anew."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        community_id = counselling.own(session, actor=actor).community_id
        old, new = request.form.get("old_passphrase", ""), chosen_passphrase()
        keys.change_passphrase(session, community_id, keys.COUNSELLOR, old, new, actor=actor, now=now)

    return keep(work)


@blueprint.post("/mine/key/holders")
@allow(Right.COUNSELLING_COUNSEL)
@limiter.limit(limits.CODE, key_func=limits.principal)
@retrying
def change_holders() -> Response:
    """Give the shares to two others."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        chosen = numbers(request.form.getlist("holder_ids"), "holder_ids")
        keys.change_holders(session, request.form.get("old_passphrase", ""), chosen, actor=actor, now=now)

    return keep(work)
