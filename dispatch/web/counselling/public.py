"""预约: counselling booked by anybody under an alias, in large type; found again, confirmed and cancelled by its code.

There is no log-in and no cookie; how often is limited by address, by telephone number and by code.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotFound
from dispatch.gateways import limits
from dispatch.gateways.limits import limiter
from dispatch.models.care import Appointment
from dispatch.models.catalogue import Service
from dispatch.rules.access.roles import Actor
from dispatch.rules.care.counselling import EndedBy, Source, spelling_of
from dispatch.services.care import counselling
from dispatch.transaction import retrying, transaction
from dispatch.web.access import open_to_all
from dispatch.web.changing import errors_of, status_of
from dispatch.web.counselling.door import by_day, entries, hours, read_booking, state_word
from dispatch.web.giving.public import name_of, phone_typed, to_the_only_community, visitor
from dispatch.web.orders.form import new_key
from dispatch.web.phone.door import check_origin

ANYBODY = "anybody may book under an alias; only free times are shown"
OF_ONE_S_OWN = "the code of one's own appointment is the key; nothing else is told"
COMMUNITY = "/<int(min=1, max=9223372036854775807):community_id>"
SERVICE = COMMUNITY + "/<int(min=1, max=9223372036854775807):service_id>"

blueprint = Blueprint("appointments", __name__, url_prefix="/appointments")
blueprint.before_request(check_origin)


@blueprint.get("")
@open_to_all(ANYBODY)
def choose() -> Response:
    """In which community: straight on where there is one only."""
    return to_the_only_community("appointments.services", "appointments/choose.html")


@blueprint.get(COMMUNITY)
@open_to_all(ANYBODY)
def services(community_id: int) -> str:
    """What can be booked, and the way to one's own appointment."""
    name = name_of(community_id)
    with transaction(visitor(community_id).scope) as session:
        kinds = counselling.kinds_offered(session, community_id)
    return render_template("appointments/services.html", name=name, community_id=community_id, kinds=kinds)


@blueprint.get(SERVICE)
@open_to_all(ANYBODY)
def form(community_id: int, service_id: int) -> str:
    """The free times of a service, and who one is."""
    return render_form(community_id, service_id, {"form_key": new_key()}, {})


def kind_of(session: Session, community_id: int, service_id: int) -> Service:
    """A service that can be booked; raises NotFound."""
    found = [one for one in counselling.kinds_offered(session, community_id) if one.id == service_id]
    if not found:
        raise NotFound
    return found[0]


def render_form(community_id: int, service_id: int, said: Mapping[str, str], errors: Mapping[str, str]) -> str:
    """The form with what was typed."""
    name = name_of(community_id)
    with transaction(visitor(community_id).scope) as session:
        kind, now = kind_of(session, community_id, service_id), clock.now(session)
        days_ahead = counselling.limits_of(session, community_id).days_ahead
        slots = counselling.free_slots(session, community_id, kind.id, days_ahead=days_ahead, now=now)
    about = {"name": name, "community_id": community_id, "kind": kind, "days": by_day(slots), "hours": hours}
    return render_template("appointments/form.html", typed=said, errors=errors, **about)


@blueprint.post(SERVICE)
@open_to_all(ANYBODY)
@limiter.limit(limits.PLEDGE_BY_ADDRESS, key_func=limits.address)
@limiter.limit(limits.PLEDGE_BY_PHONE, key_func=phone_typed)
@retrying
def book(community_id: int, service_id: int) -> Response:
    """Keep the appointment and show its code, once; the form sent twice is kept once."""
    name_of(community_id)
    actor = visitor(community_id)
    try:
        asked = read_booking(request.form, service_id, Source.WEB)
        with transaction(actor.scope) as session:
            made, code = counselling.book(session, community_id, asked, actor=actor, now=clock.now(session))
            return shown(session, made, code, {})
    except (Invalid, Conflict) as error:
        page = render_form(community_id, service_id, request.form, errors_of(error))
        return make_response(page, status_of(error))


def code_typed() -> str:
    """The code that is tried, as a digest, however it is spelled."""
    return f"code:{sha256(spelling_of(request.form.get('code', '')[:40]).encode('utf-8', 'replace')).hexdigest()[:24]}"


@blueprint.get(f"{COMMUNITY}/mine")
@open_to_all(OF_ONE_S_OWN)
def find(community_id: int) -> str:
    """Where the code is typed."""
    return render_find(community_id, {})


def render_find(community_id: int, errors: Mapping[str, str]) -> str:
    """The form of the code."""
    about = {"name": name_of(community_id), "community_id": community_id}
    return render_template("appointments/find.html", errors=errors, **about)


def shown(session: Session, appointment: Appointment, code: str, errors: Mapping[str, str]) -> Response:
    """One's own appointment, kept in no cache."""
    now = clock.now(session)
    page = render_template(
        "appointments/own.html",
        own=counselling.shown_to_client(session, appointment, now=now),
        community_id=appointment.community_id,
        code=code,
        state_word=state_word,
        hours=hours,
        errors=errors,
        now=now,
    )
    response = make_response(page)
    response.headers["Cache-Control"] = "private, no-store"
    return response


def by_code(community_id: int, step: str) -> Response:
    """Find one's own appointment and take a step with it; a wrong code is answered like none."""
    name_of(community_id)
    actor, code = visitor(community_id), request.form.get("code", "")[:40]
    try:
        with transaction(actor.scope) as session:
            now = clock.now(session)
            appointment = counselling.of_client(session, community_id, code)
            refused = take(session, appointment, step, actor=actor, now=now)
            return shown(session, appointment, code, refused)
    except Conflict as error:
        return make_response(render_find(community_id, errors_of(error)), status_of(error))


def take(session: Session, appointment: Appointment, step: str, *, actor: Actor, now: datetime) -> dict[str, str]:
    """Confirm, cancel or only look; what was refused is said on the page."""
    try:
        if step == "confirm":
            counselling.confirm(session, appointment, actor=actor, now=now)
        elif step == "cancel":
            counselling.cancel(session, appointment, EndedBy.CLIENT, actor=actor, now=now)
    except Conflict as error:
        return errors_of(error)
    return {}


@blueprint.post(f"{COMMUNITY}/mine")
@open_to_all(OF_ONE_S_OWN)
@limiter.limit(limits.LOOKUP_BY_ADDRESS, key_func=limits.address)
@limiter.limit(limits.CODE_BY_CODE, key_func=code_typed)
def look_up(community_id: int) -> Response:
    """One's own appointment."""
    return by_code(community_id, "look")


@blueprint.post(f"{COMMUNITY}/mine/confirmation")
@open_to_all(OF_ONE_S_OWN)
@limiter.limit(limits.LOOKUP_BY_ADDRESS, key_func=limits.address)
@retrying
def confirm(community_id: int) -> Response:
    """Take the time that was offered."""
    return by_code(community_id, "confirm")


@blueprint.post(f"{COMMUNITY}/mine/cancellation")
@open_to_all(OF_ONE_S_OWN)
@limiter.limit(limits.LOOKUP_BY_ADDRESS, key_func=limits.address)
@retrying
def cancel(community_id: int) -> Response:
    """Give the time back."""
    return by_code(community_id, "cancel")


@blueprint.post(f"{COMMUNITY}/mine/calendar")
@open_to_all(OF_ONE_S_OWN)
@limiter.limit(limits.LOOKUP_BY_ADDRESS, key_func=limits.address)
def calendar(community_id: int) -> Response:
    """The entry for one's own calendar: 预约, from when until when."""
    name_of(community_id)
    try:
        with transaction(visitor(community_id).scope) as session:
            found = counselling.of_client(session, community_id, request.form.get("code", "")[:40])
    except Conflict as error:
        return make_response(render_find(community_id, errors_of(error)), status_of(error))
    if found.during is None or found.during.lower is None or found.during.upper is None:
        return entries(())
    return entries([(str(found.uid), found.during.lower, found.during.upper)])
