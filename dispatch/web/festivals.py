"""节日联谊: what comes, who is invited and fetched, who helps, who came; pictures by consent."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.care.festivals import ANSWER_LABELS, Answer, Calendar, Yearly
from dispatch.services.care import celebrating, hosting
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import Work, change
from dispatch.web.firms import sent_file
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.knowledge import needed_day
from dispatch.web.orders.form import number, one_of
from dispatch.web.pages import picture_of

MOST_BYTES = 12 * 1024 * 1024
EVENT = "/<int(min=1, max=9223372036854775807):festival_event_id>"

blueprint = Blueprint("pages_festivals", __name__, url_prefix="/festivals")


@blueprint.get("")
@allow(Right.LIFE_READ)
def listing() -> str:
    """The festivals, and the events that come and were."""
    return render_listing(current_actor(), {})


def render_listing(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    with transaction() as session:
        return render_template(
            "festivals/listing.html",
            rows=celebrating.list_events(session, actor=actor),
            festivals=celebrating.list_festivals(session, actor=actor),
            calendars=[(str(Calendar.LUNAR), gettext("农历")), (str(Calendar.SOLAR), gettext("公历"))],
            communities=communities_of(session, actor),
            today=clock.today(clock.now(session)),
            typed=request.form,
            errors=errors,
        )


@blueprint.post("")
@allow(Right.LIFE_RUN)
@retrying
def add_festival() -> Response:
    """Another festival; the seeded ones, where they are not there yet. What comes soon is planned at once."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form, community_id = request.form, chosen_community()
        if not form.get("seeded"):
            calendar = one_of(form, "calendar", Calendar)
            yearly = Yearly(calendar, number(form, "month") or 0, number(form, "day") or 0)
            celebrating.add_festival(session, community_id, form.get("name", ""), yearly, actor=actor)
        celebrating.begin_festivals(session, community_id, actor=actor)
        celebrating.plan_festivals(session, community_id=community_id, now=now)

    return change(work, render_listing, url_for("pages_festivals.listing"))


@blueprint.post("/kinds/<int(min=1, max=9223372036854775807):festival_id>")
@allow(Right.LIFE_RUN)
@retrying
def switch(festival_id: int) -> Response:
    """Celebrate it, or not any more."""

    def work(session: Session, actor: Actor, _now: datetime) -> None:
        is_on = request.form.get("is_on") == "1"
        celebrating.switch_festival(session, festival_id, is_on=is_on, actor=actor)

    return change(work, render_listing, url_for("pages_festivals.listing"))


@blueprint.get(EVENT)
@allow(Right.LIFE_READ)
def show(festival_event_id: int) -> str:
    """One event."""
    return render_event(festival_event_id, current_actor(), {})


def render_event(event_id: int, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    with transaction() as session:
        event = celebrating.find_event(session, event_id, actor=actor)
        (row,) = celebrating.list_events(session, actor=actor, event_id=event.id)
        today = clock.today(clock.now(session))
        return render_template(
            "festivals/show.html",
            event=event,
            row=row,
            invited=celebrating.invitations_of(session, event.id, actor=actor),
            helpers=hosting.helpers_of(session, event.id, actor=actor),
            pictures=hosting.pictures_of(session, event.id, actor=actor),
            answers={str(one): gettext(word) for one, word in ANSWER_LABELS.items()},
            may_run=actor.may(Right.LIFE_RUN),
            has_come=event.held_on <= today,
            typed=request.form,
            errors=errors,
        )


def changed(event_id: int, work: Work) -> Response:
    """Do something about an event; a refusal is shown on its page."""
    return change(work, partial(render_event, event_id), url_for("pages_festivals.show", festival_event_id=event_id))


@blueprint.post(f"{EVENT}/place")
@allow(Right.LIFE_RUN)
@retrying
def settle(festival_event_id: int) -> Response:
    """On which day and where."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        about = {"held_on": needed_day(request.form, "held_on"), "place": request.form.get("place", "")}
        celebrating.settle_event(session, festival_event_id, **about, actor=actor, now=now)

    return changed(festival_event_id, work)


@blueprint.post("/invitations/<int(min=1, max=9223372036854775807):invitation_id>")
@allow(Right.LIFE_RUN)
@retrying
def answer(invitation_id: int) -> Response:
    """What somebody said."""
    with transaction() as session:
        event_id = hosting.find_invitation(session, invitation_id, actor=current_actor()).event_id

    def work(session: Session, actor: Actor, _now: datetime) -> None:
        form = request.form
        said = {"wants_ride": bool(form.get("wants_ride")), "may_picture": bool(form.get("may_picture"))}
        hosting.answer_invitation(session, invitation_id, one_of(form, "answer", Answer), **said, actor=actor)

    return changed(event_id, work)


@blueprint.post(f"{EVENT}/rides")
@allow(Right.LIFE_RUN)
@retrying
def send_rides(festival_event_id: int) -> Response:
    """Send somebody to each home from which people are fetched."""
    return changed(
        festival_event_id,
        lambda session, actor, now: hosting.send_rides(session, festival_event_id, actor=actor, now=now),
    )


@blueprint.post(f"{EVENT}/helpers")
@allow(Right.LIFE_RUN)
@retrying
def choose_helpers(festival_event_id: int) -> Response:
    """Who helps."""

    def work(session: Session, actor: Actor, _now: datetime) -> None:
        hosting.choose_helpers(session, festival_event_id, ids("helpers"), actor=actor)

    return changed(festival_event_id, work)


def ids(field: str) -> set[int]:
    """The whole numbers that were ticked."""
    return {int(one) for one in request.form.getlist(field) if one.isascii() and one.isdigit()}


@blueprint.post(f"{EVENT}/attendance")
@allow(Right.LIFE_RUN)
@retrying
def note_attendance(festival_event_id: int) -> Response:
    """Who came."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        hosting.note_attendance(session, festival_event_id, ids("present"), actor=actor, now=now)

    return changed(festival_event_id, work)


@blueprint.post(f"{EVENT}/pictures")
@allow(Right.LIFE_RUN)
@retrying
def add_picture(festival_event_id: int) -> Response:
    """Keep a picture of people who have consented."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        about = {"words": request.form.get("words", ""), "shown": ids("shown")}
        hosting.add_picture(session, festival_event_id, sent_file("photo"), **about, actor=actor, now=now)

    return changed(festival_event_id, work)


add_picture.most_bytes = MOST_BYTES  # type: ignore[attr-defined]


@blueprint.get("/pictures/<int(min=1, max=9223372036854775807):festival_picture_id>")
@allow(Right.LIFE_READ)
def picture(festival_picture_id: int) -> Response:
    """One picture; each reading is audited."""
    actor = current_actor()
    with transaction() as session:
        return picture_of(hosting.read_picture(session, festival_picture_id, actor=actor))
