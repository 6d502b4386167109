"""Appointments over HTTP, as the desk may see them: free times, booking under an alias, cancelling. No note leaves."""

from collections.abc import Mapping
from datetime import datetime, time, timedelta
from typing import Any

from flask import Response, url_for
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.gateways import limits
from dispatch.models.care import Appointment
from dispatch.rules.access.roles import Right
from dispatch.rules.care.counselling import EndedBy, Source
from dispatch.rules.shanghai import SHANGHAI
from dispatch.schemas import appointments as schemas
from dispatch.services.care import counselling
from dispatch.services.care.counselling import Booking
from dispatch.services.grid.build import demand_community
from dispatch.transaction import transaction

blueprint = Blueprint("appointments_api", __name__, url_prefix="/api", description="预约 · Appointments")

APPOINTMENT = "/appointments/<int(min=1, max=9223372036854775807):appointment_id>"
PLAIN = ("id", "alias", "state", "version")


def local(at: datetime | None) -> datetime | None:
    """An instant in Shanghai."""
    return at.astimezone(SHANGHAI) if at is not None else None


def appointment_out(appointment: Appointment) -> dict[str, Any]:
    """A time, an alias, how it stands."""
    during = appointment.during
    begins, ends = (during.lower, during.upper) if during is not None else (None, None)
    return {name: getattr(appointment, name) for name in PLAIN} | {"begins": local(begins), "ends": local(ends)}


@blueprint.route("/appointments")
class Appointments(MethodView):
    """The appointments of the reach."""

    @allow(Right.COUNSELLING_BOOK)
    @blueprint.arguments(schemas.AppointmentQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.AppointmentsOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List the appointments of a day, and who waits."""
        with transaction() as session:
            since = datetime.combine(query["day"] or clock.today(clock.now(session)), time(), SHANGHAI)
            found = counselling.desk_lines(session, since, since + timedelta(days=1), actor=actor())
        names = (*PLAIN, "begins", "ends")
        lines = [{name: getattr(one, name) for name in names} for one in found]
        return {"items": [one | {"begins": local(one["begins"]), "ends": local(one["ends"])} for one in lines]}

    @allow(Right.COUNSELLING_BOOK)
    @blueprint.takes(schemas.BookAppointment, schemas.BookedOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Book for a caller or a visitor; the code is told in this answer only. Without a slot they wait for one."""

        def work(session: Session) -> Answer:
            about = {name: data[name] for name in ("service_id", "alias", "slot_id", "phone", "email")}
            asked = Booking(source=Source(data["source"]), **about)
            now = clock.now(session)
            made, code = counselling.book(session, data["community_id"], asked, actor=actor(), now=now)
            location = url_for("appointments_api.OneAppointment", appointment_id=made.id)
            return 201, schemas.BookedOut().dump(appointment_out(made) | {"code": code}), {"Location": location}

        return once("appointments.book", data, work)


@blueprint.route(APPOINTMENT)
class OneAppointment(MethodView):
    """One appointment."""

    @allow(Right.COUNSELLING_BOOK)
    @blueprint.response(200, schemas.AppointmentOut)
    def get(self, appointment_id: int) -> Mapping[str, Any]:
        """Show one appointment."""
        with transaction() as session:
            return appointment_out(counselling.of_desk(session, appointment_id, actor=actor()))


@blueprint.route(f"{APPOINTMENT}/cancellation")
class AppointmentCancellation(MethodView):
    """An appointment that is given back."""

    @allow(Right.COUNSELLING_BOOK)
    @blueprint.takes(schemas.CancelAppointment, schemas.AppointmentOut)
    def post(self, data: Mapping[str, Any], appointment_id: int) -> Response:
        """Cancel; the time is offered to who waits longest. 409 for one that has ended."""

        def work(session: Session) -> Answer:
            found, now = counselling.of_desk(session, appointment_id, actor=actor()), clock.now(session)
            counselling.cancel(session, found, EndedBy.DESK, **data, actor=actor(), now=now)
            return 200, schemas.AppointmentOut().dump(appointment_out(found)), {}

        return once(f"appointments.cancel:{appointment_id}", data, work)


@blueprint.route("/free-times")
class FreeTimes(MethodView):
    """The free times of a service."""

    @allow(Right.COUNSELLING_BOOK, limit=limits.SEARCH)
    @blueprint.arguments(schemas.FreeTimeQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.FreeTimesOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List the free times of a service in a community, the soonest first."""
        demand_community(actor(), query["community_id"])
        with transaction() as session:
            ahead, now = counselling.limits_of(session, query["community_id"]).days_ahead, clock.now(session)
            found = counselling.free_slots(session, **query, days_ahead=ahead, now=now)
        names = ("id", "shown_as")
        lines = [(one, {name: getattr(one, name) for name in names}) for one in found]
        return {"items": [shown | {"begins": local(one.begins), "ends": local(one.ends)} for one, shown in lines]}
