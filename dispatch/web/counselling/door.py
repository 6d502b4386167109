"""The door of the staff's pages of counselling: looks of states, what a booking form says, calendar entries."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from itertools import groupby

from flask import Blueprint, Response, request
from flask_babel import gettext
from icalendar import Calendar, Event

from dispatch import clock
from dispatch.errors import Invalid
from dispatch.rules.care.counselling import NEUTRAL, SOURCE_LABELS, STATE_LABELS, AppointmentState, Source
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services.care.counselling import Booking, FreeSlot
from dispatch.web.orders.form import number, source_number
from dispatch.web.pages import Look

LOOKS = {
    AppointmentState.WAITING: ("hourglass-split", "waiting"),
    AppointmentState.OFFERED: ("person-raised-hand", "soon"),
    AppointmentState.BOOKED: ("calendar3", "moving"),
    AppointmentState.KEPT: ("check-circle", "done"),
    AppointmentState.MISSED: ("exclamation-triangle", "late"),
    AppointmentState.LAPSED: ("x-circle", "quiet"),
    AppointmentState.CANCELLED: ("x-circle", "quiet"),
}
WAIT = "wait"
PRODUCT = "-//houqing-dispatch//appointments//ZH"

blueprint = Blueprint("pages_counselling", __name__, url_prefix="/counselling")


def state_word(state: str) -> Look:
    """Word, shape and tone of an appointment's state."""
    icon, tone = LOOKS[AppointmentState(state)]
    return Look(gettext(STATE_LABELS[AppointmentState(state)]), icon, tone)


def source_words() -> list[tuple[Source, str]]:
    """How somebody at the desk comes to book."""
    return [(one, gettext(SOURCE_LABELS[one])) for one in (Source.PHONE, Source.DESK)]


def source_word(source: str) -> str:
    """How an appointment came to be."""
    return str(gettext(SOURCE_LABELS[Source(source)]))


def by_day(slots: Iterable[FreeSlot]) -> list[tuple[date, list[FreeSlot]]]:
    """Free times by the day, the soonest first."""
    return [(day, list(some)) for day, some in groupby(slots, key=lambda one: clock.today(one.begins))]


def hours(begins: datetime, ends: datetime) -> str:
    """From when until when in Shanghai: 14:00–15:00."""
    return f"{begins.astimezone(SHANGHAI):%H:%M}–{ends.astimezone(SHANGHAI):%H:%M}"


def read_booking(form: Mapping[str, str], service_id: int, source: Source) -> Booking:
    """What a form asks for; raises Invalid naming the field."""
    chosen = form.get("slot_id", "")
    if not chosen:
        raise Invalid("slot_id", "请选择一个时间，或者选候补")
    return Booking(
        service_id,
        source,
        form.get("alias", ""),
        slot_id=None if chosen == WAIT else number(form, "slot_id"),
        phone=form.get("phone", ""),
        email=form.get("email", ""),
        form_key=source_number(form.get("form_key", "")),
    )


def entries(times: Iterable[tuple[str, datetime, datetime]]) -> Response:
    """Appointments (id, from, until) as iCalendar; each says 预约 and nothing more."""
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    for uid, begins, ends in times:
        event = Event()
        event.add("uid", uid)
        event.add("summary", NEUTRAL)
        event.add("dtstart", begins)
        event.add("dtend", ends)
        event.add("dtstamp", begins)
        event.add("class", "PRIVATE")
        calendar.add_component(event)
    response = Response(calendar.to_ical(), mimetype="text/calendar")
    response.headers["Content-Disposition"] = "attachment; filename=appointments.ics"
    response.headers["Cache-Control"] = "private, no-store"
    return response


def typed() -> Mapping[str, str]:
    """What was typed, without a passphrase: that goes back into no page."""
    return {name: value for name, value in request.form.items() if "passphrase" not in name}
