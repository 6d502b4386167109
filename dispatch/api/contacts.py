"""Visits and calls over HTTP, who is away, and the helpers: their leaves and their days."""

from collections.abc import Mapping
from typing import Any

from flask import Response
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.duties import ID, page_of
from dispatch.api.once import Answer, once
from dispatch.errors import Invalid, NotFound
from dispatch.models.care import Absence, Contact, HelperLeave
from dispatch.models.catalogue import Performer
from dispatch.models.orders import Order
from dispatch.rules.access.roles import Right
from dispatch.rules.care.terms import AbsenceKind
from dispatch.schemas import duties as schemas
from dispatch.services import care, catalogue
from dispatch.services.care import absences, days, listing, reading
from dispatch.services.care.listing import Wanted
from dispatch.transaction import transaction

blueprint = Blueprint("contacts", __name__, url_prefix="/api/care", description="探访记录 · Visits made")

HELPER = f"/helpers/{ID.format('performer')}"
SEALED = {*reading.SEALED_WORDS, "difficulty_order_number"}
OF_CONTACT = tuple(schemas.ContactOut().fields.keys() - SEALED)
OF_ABSENCE = tuple(schemas.AbsenceOut().fields)
OF_LEAVE = tuple(schemas.LeaveOut().fields)


def contact_out(contact: Contact, order_number: str | None, words: Mapping[str, str]) -> dict[str, Any]:
    """What leaves of a contact; its words only to who plans visits."""
    plain = {name: getattr(contact, name) for name in OF_CONTACT}
    said = {name: words.get(name) for name in reading.SEALED_WORDS}
    return plain | said | {"difficulty_order_number": order_number}


def absence_out(absence: Absence) -> dict[str, Any]:
    """What leaves of an absence."""
    return {name: getattr(absence, name) for name in OF_ABSENCE}


def leave_answer(leave: HelperLeave, status: int = 200) -> Answer:
    """A leave as an answer."""
    return status, schemas.LeaveOut().dump({name: getattr(leave, name) for name in OF_LEAVE}), {}


def check_home(session: Session, household_id: int) -> None:
    """Refuse a home at which nobody is enrolled, or that is not the actor's to visit; raises Invalid."""
    try:
        days.home_page(session, household_id, actor=actor())
    except NotFound as error:
        raise Invalid("household_id", "没有这一户,请重新选择") from error


@blueprint.route("/contacts")
class Contacts(MethodView):
    """Visits and calls."""

    @allow(Right.VISITS_READ)
    @blueprint.arguments(schemas.ContactsQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.ContactsOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List visits and calls, newest first."""
        with transaction() as session:
            rows = listing.list_contacts(session, Wanted(**query), actor=actor())
            read = reading.words_read(session, [one for one, _ in rows[: query["limit"]]], actor=actor())
            return page_of([contact_out(one, number, read.get(one.id, {})) for one, number in rows], query["limit"])

    @allow(Right.VISITS_RECORD)
    @blueprint.takes(schemas.RecordContact, schemas.ContactOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Record a visit or call: what it counts for is met at once, a difficulty becomes an order."""

        def work(session: Session) -> Answer:
            now = clock.now(session)
            check_home(session, data["household_id"])
            said = data | {"happened_at": data["happened_at"] or now}
            made = care.record_contact(session, care.Record(**said), actor=actor(), now=now)
            opened = session.get(Order, made.difficulty_order_id) if made.difficulty_order_id else None
            own = reading.words_of(made) if actor().may(Right.VISITS_PLAN) else {}
            return 201, schemas.ContactOut().dump(contact_out(made, opened.number if opened else None, own)), {}

        return once("care.record_contact", data, work)


@blueprint.route("/absences")
class Absences(MethodView):
    """Who cannot be visited."""

    @allow(Right.VISITS_PLAN)
    @blueprint.arguments(schemas.AbsencesQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.AbsencesOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List absences, newest first."""
        with transaction() as session:
            rows = listing.list_absences(session, Wanted(**query), actor=actor())
            return page_of([absence_out(one) for one in rows], query["limit"])

    @allow(Right.VISITS_PLAN)
    @blueprint.takes(schemas.BeginAbsence, schemas.AbsenceOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Say that somebody stays elsewhere; orders to an empty home are withdrawn. Said twice is said once."""

        def work(session: Session) -> Answer:
            about = {"actor": actor(), "now": clock.now(session)}
            made = absences.begin_absence(session, kind=AbsenceKind.AWAY, **data, **about)
            return 201, schemas.AbsenceOut().dump(absence_out(made)), {}

        return once("care.begin_absence", data, work)


@blueprint.route(f"/absences/{ID.format('absence')}/end")
class EndOfAbsence(MethodView):
    """The end of an absence."""

    @allow(Right.VISITS_PLAN)
    @blueprint.takes(schemas.EndAbsence, schemas.AbsenceOut)
    def post(self, data: Mapping[str, Any], absence_id: int) -> Response:
        """Somebody who stayed elsewhere is home: the last day of it. 409 for a stay in hospital."""

        def work(session: Session) -> Answer:
            found = absences.end_away(session, absence_id, **data, actor=actor())
            return 200, schemas.AbsenceOut().dump(absence_out(found)), {}

        return once(f"care.end_absence:{absence_id}", data, work)


def linked(helper: Performer) -> dict[str, int | None]:
    """A helper, and who it is in the register."""
    return {"performer_id": helper.id, "resident_id": helper.resident_id}


@blueprint.route("/helpers")
class Helpers(MethodView):
    """The helpers."""

    @allow(Right.VISITS_PLAN)
    @blueprint.response(200, schemas.HelpersOut)
    def get(self) -> Mapping[str, Any]:
        """List who is paired, asked for something or on leave."""
        with transaction() as session:
            rows = days.list_helpers(session, actor=actor(), today=clock.today(clock.now(session)))
            return {
                "items": [
                    linked(row.helper)
                    | {"name": row.helper.name, "paired": row.paired, "due": row.due}
                    | {"leaves": [{name: getattr(one, name) for name in OF_LEAVE} for one in row.leaves]}
                    for row in rows
                ]
            }


@blueprint.route(f"{HELPER}/resident")
class LinkedHelper(MethodView):
    """Who a helper is in the register."""

    @allow(Right.VISITS_PLAN)
    @blueprint.takes(schemas.LinkHelper, schemas.LinkedHelperOut)
    def post(self, data: Mapping[str, Any], performer_id: int) -> Response:
        """Say who a helper is in the register: with their death their duties and orders go to others."""

        def work(session: Session) -> Answer:
            found = catalogue.set_resident(session, performer_id, data["resident_id"], actor=actor())
            return 200, schemas.LinkedHelperOut().dump(linked(found)), {}

        return once(f"care.link_helper:{performer_id}", data, work)


@blueprint.route(f"{HELPER}/day")
class HelperDay(MethodView):
    """A helper's day."""

    @allow(Right.VISITS_PLAN)
    @blueprint.arguments(schemas.DayQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.HelperDayOut)
    def get(self, query: Mapping[str, Any], performer_id: int) -> Mapping[str, Any]:
        """Show the homes of a day in walking order."""
        with transaction() as session:
            day = query["day"] or clock.today(clock.now(session))
            stops = days.day_of(session, performer_id, day, actor=actor())
            return {"day": day, "items": [stop_out(stop) for stop in stops]}


def stop_out(stop: days.Stop) -> dict[str, Any]:
    """What leaves of a stop."""
    return {
        "household_id": stop.home.household_id,
        "address": stop.home.address,
        "duties": list(stop.kinds),
        "chores": list(stop.chores),
        "wanted_from": stop.wanted_from,
        "wanted_until": stop.wanted_until,
        "order_number": stop.order,
        "metres": stop.metres,
    }


@blueprint.route(f"{HELPER}/leaves")
class Leaves(MethodView):
    """A helper's leaves."""

    @allow(Right.VISITS_PLAN)
    @blueprint.takes(schemas.RecordLeave, schemas.LeaveOut, status=201)
    def post(self, data: Mapping[str, Any], performer_id: int) -> Response:
        """A helper cannot come for some days, or at all any more: others are asked. 409 for days taken already."""

        def work(session: Session) -> Answer:
            made = care.record_leave(session, performer_id, **data, actor=actor(), now=clock.now(session))
            return leave_answer(made, 201)

        return once(f"care.record_leave:{performer_id}", data, work)


@blueprint.route(f"/leaves/{ID.format('leave')}/end")
class EndOfLeave(MethodView):
    """The end of a leave."""

    @allow(Right.VISITS_PLAN)
    @blueprint.takes(schemas.EndLeave, schemas.LeaveOut)
    def post(self, data: Mapping[str, Any], leave_id: int) -> Response:
        """A helper is back: the last day of the leave."""

        def work(session: Session) -> Answer:
            return leave_answer(care.end_leave(session, leave_id, **data, actor=actor()))

        return once(f"care.end_leave:{leave_id}", data, work)
