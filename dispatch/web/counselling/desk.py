"""The desk's page of appointments: a time, an alias and how it stands, by the day; booking for who calls or comes."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from flask import Response, make_response, render_template, request, url_for
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.care.counselling import EndedBy, Source
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services.care import counselling
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, change, errors_of, status_of
from dispatch.web.counselling.door import blueprint, by_day, hours, read_booking, source_words, state_word
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.knowledge import read_day
from dispatch.web.orders.form import new_key, number

DAY = timedelta(days=1)


@blueprint.get("")
@allow(Right.COUNSELLING_BOOK)
def listing() -> str:
    """The appointments of a day, and who waits."""
    return render_listing(current_actor(), NOTHING_WRONG)


def render_listing(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page of a day."""
    with transaction() as session:
        now = clock.now(session)
        day = read_day(request.args, "day") or clock.today(now)
        since = datetime.combine(day, time(), SHANGHAI)
        lines = counselling.desk_lines(session, since, since + DAY, actor=actor)
    about = {"day": day, "before": day - DAY, "after": day + DAY, "lines": lines, "now": now}
    return render_template("counselling/desk.html", state_word=state_word, hours=hours, errors=errors, **about)


@blueprint.get("/new")
@allow(Right.COUNSELLING_BOOK)
def new() -> str:
    """Which service in which community, then its free times and the form."""
    return render_form(current_actor(), {"form_key": new_key(), "source": "phone"}, {})


def render_form(actor: Actor, said: Mapping[str, Any], errors: Mapping[str, str]) -> str:
    """The form with what was typed."""
    with transaction() as session:
        communities = communities_of(session, actor)
        community_id = chosen(communities)
        kinds = counselling.kinds_offered(session, community_id) if community_id is not None else []
        kind = next((one for one in kinds if one.id == number(request.values, "service_id")), None)
        slots = []
        if kind is not None and community_id is not None:
            ahead, now = counselling.limits_of(session, community_id).days_ahead, clock.now(session)
            slots = counselling.free_slots(session, community_id, kind.id, days_ahead=ahead, now=now)
    about = {"communities": communities, "community_id": community_id, "kinds": kinds, "kind": kind}
    return render_template(
        "counselling/form.html",
        days=by_day(slots),
        hours=hours,
        sources=source_words(),
        typed=said,
        errors=errors,
        **about,
    )


def chosen(communities: list[tuple[int, str]]) -> int | None:
    """The community that was chosen, or the only one that there is."""
    wanted = number(request.values, "community_id")
    known = [one for one, _ in communities]
    return wanted if wanted in known else known[0] if len(known) == 1 else None


@blueprint.post("/new")
@allow(Right.COUNSELLING_BOOK)
@retrying
def book() -> Response:
    """Book for a caller or a visitor and show the code, to be read out once."""
    actor = current_actor()
    try:
        source = Source.DESK if request.form.get("source") == "desk" else Source.PHONE
        asked = read_booking(request.form, number(request.form, "service_id") or 0, source)
        community_id = chosen_community()
        with transaction() as session:
            now = clock.now(session)
            made, code = counselling.book(session, community_id, asked, actor=actor, now=now)
    except (Invalid, Conflict) as error:
        return make_response(render_form(actor, request.form, errors_of(error)), status_of(error))
    return make_response(render_template("counselling/booked.html", made=made, code=code, hours=hours, now=now))


@blueprint.post("/<int(min=1, max=9223372036854775807):appointment_id>/cancellation")
@allow(Right.COUNSELLING_BOOK)
@retrying
def cancel(appointment_id: int) -> Response:
    """Cancel for a client who calls; the time goes to who waits."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        found = counselling.of_desk(session, appointment_id, actor=actor)
        version = number(request.form, "version")
        counselling.cancel(session, found, EndedBy.DESK, version=version, actor=actor, now=now)

    return change(work, render_listing, url_for("pages_counselling.listing"))
