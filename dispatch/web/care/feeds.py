"""订阅日历: links for helpers and, by consent, for an elder's family, made and revoked; and the file behind them.

The file names nobody and no room. A link that is wrong, revoked or over says the same: there is no such page.
"""

import segno
from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Invalid, NotFound
from dispatch.rules.access.roles import EVERYTHING, Actor, Right
from dispatch.services import care
from dispatch.services.care import cases, feeding
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.care.door import ID, blueprint
from dispatch.web.care.elder import ENROLMENT, render_elder
from dispatch.web.care.ics import written
from dispatch.web.care.visitors import HELPER
from dispatch.web.changing import errors_of, status_of
from dispatch.web.knowledge import needed_day
from dispatch.web.orders.form import number
from dispatch.web.phone.door import by_link

public_blueprint = Blueprint("care_feeds", __name__, url_prefix="/calendar")
NOBODYS = 404
QR_SCALE = 6


@public_blueprint.get("/<token>.ics")
@by_link
@retrying
def read(token: str) -> Response:
    """The calendar of a link; unchanged it is not sent again."""
    try:
        with transaction(EVERYTHING) as session:
            entries = feeding.read_feed(session, token, now=clock.now(session))
    except NotFound:
        return Response(status=NOBODYS, mimetype="text/plain")
    response = Response(written(entries), content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'inline; filename="visits.ics"'
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.add_etag()
    return response.make_conditional(request)


def shown(token: str, back: str) -> Response:
    """The new link on a page, this once: to be tapped, scanned or copied."""
    address = url_for("care_feeds.read", token=token, _external=True)
    webcal = "webcal" + address.removeprefix(request.scheme)
    picture = segno.make(webcal, error="m").svg_data_uri(scale=QR_SCALE, border=2)
    response = make_response(
        render_template("care/feed.html", address=address, webcal=webcal, picture=picture, back=back)
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post(f"{HELPER}/feed")
@allow(Right.VISITS_PLAN)
@retrying
def give_helper(performer_id: int) -> Response:
    """A calendar for a helper, in place of the one before."""
    return shown(token_for(performer_id, current_actor()), url_for("pages_care.helpers"))


@blueprint.post("/day/feed")
@allow(Right.VISITS_RECORD)
@retrying
def give_own() -> Response:
    """A helper's own calendar; raises NotFound for who is none."""
    actor = current_actor()
    if actor.performer_id is None:
        raise NotFound
    return shown(token_for(actor.performer_id, actor), url_for("pages_care.my_day"))


def token_for(performer_id: int, actor: Actor) -> str:
    """The token of a helper's new calendar."""
    with transaction() as session:
        return feeding.give_helper_feed(session, performer_id, actor=actor, now=clock.now(session))


@blueprint.post("/day/feed/end")
@allow(Right.VISITS_RECORD)
@retrying
def end_own() -> Response:
    """A helper's own calendar opens nothing any more."""
    with transaction() as session:
        feeding.revoke_own_feeds(session, actor=current_actor(), now=clock.now(session))
    return back_to(url_for("pages_care.my_day"))


@blueprint.post(f"{ENROLMENT}/feeds")
@allow(Right.VISITS_PLAN)
@retrying
def give_family(enrolment_id: int) -> Response:
    """A calendar for the family of who is enrolled, by consent."""
    actor = current_actor()
    try:
        with transaction() as session:
            token = token_of_family(session, enrolment_id, actor)
    except Invalid as error:
        return make_response(render_elder(enrolment_id, actor, errors_of(error)), status_of(error))
    return shown(token, url_for("pages_care.elder", enrolment_id=enrolment_id))


def token_of_family(session: Session, enrolment_id: int, actor: Actor) -> str:
    """The token of a new calendar for a family; raises Invalid naming the field, NotFound."""
    care.find_enrolment(session, enrolment_id, actor=actor)
    people = {one.id for one in cases.load(session, [enrolment_id])[0].people}
    resident_id = number(request.form, "resident_id") or 0
    if resident_id not in people:
        raise Invalid("resident_id", "请先查找并选择居民")
    relation, day = request.form.get("relation", ""), needed_day(request.form, "consented_on")
    now = clock.now(session)
    return feeding.give_family_feed(session, resident_id, relation=relation, consented_on=day, actor=actor, now=now)


@blueprint.post(f"/feeds/{ID.format('feed_id')}/end")
@allow(Right.VISITS_PLAN)
@retrying
def end_feed(feed_id: int) -> Response:
    """A calendar opens nothing any more."""
    with transaction() as session:
        feed = feeding.revoke_feed(session, feed_id, actor=current_actor(), now=clock.now(session))
        enrolment_id = None if feed.resident_id is None else feeding.enrolment_of(session, feed.resident_id)
    if enrolment_id is None:
        return back_to(url_for("pages_care.helpers"))
    return back_to(url_for("pages_care.elder", enrolment_id=enrolment_id))


def back_to(address: str) -> Response:
    """On to a page after a change."""
    return redirect(address, 303)  # type: ignore[return-value]
