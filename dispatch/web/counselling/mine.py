"""The counsellor's own page: whom to expect, times to open, one appointment with its sealed notes."""

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta

from flask import Response, make_response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.errors import Conflict, Invalid, NotAllowed
from dispatch.gateways import limits
from dispatch.gateways.limits import limiter
from dispatch.models.care import Appointment
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.care.counselling import DANGER_LABELS, TOLD_LABELS, AppointmentState, Danger, EndedBy, Told
from dispatch.rules.grid.phone import mask_phone
from dispatch.rules.shanghai import SHANGHAI
from dispatch.services.care import counselling
from dispatch.services.care.counselling import breaking, keys, notes
from dispatch.services.care.counselling.notes import ReadNote
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import NOTHING_WRONG, Work, change, errors_of, status_of
from dispatch.web.counselling.door import blueprint, entries, hours, source_word, state_word, typed
from dispatch.web.orders.form import local_time, number

MINE = "/mine/<int(min=1, max=9223372036854775807):appointment_id>"
LOOK_BACK = timedelta(days=7)
NO_NOTES: Sequence[ReadNote] = ()


@blueprint.get("/mine")
@allow(Right.COUNSELLING_COUNSEL)
def mine() -> str:
    """Whom the counsellor expects, what is free, the key and who opened it."""
    return render_mine(current_actor(), NOTHING_WRONG)


def render_mine(actor: Actor, errors: Mapping[str, str]) -> str:
    """The counsellor's page; raises NotAllowed for who is none."""
    with transaction() as session:
        now = clock.now(session)
        counsellor = counselling.own(session, actor=actor)
        since = datetime.combine(clock.today(now) - LOOK_BACK, time(), SHANGHAI)
        found = counselling.own_appointments(session, since, actor=actor, now=now)
        limits_now = counselling.limits_of(session, counsellor.community_id)
        return render_template(
            "counselling/mine.html",
            counsellor=counsellor,
            found=found,
            noted=notes.count_notes(session, [one.appointment.id for one in found]),
            free=counselling.own_free_slots(session, actor=actor, now=now),
            key=keys.own_key(session, counsellor),
            openings=breaking.openings_of(session, counsellor),
            remind_before=now + timedelta(hours=limits_now.remind_hours),
            state_word=state_word,
            hours=hours,
            errors=errors,
            typed=request.form,
            now=now,
        )


@blueprint.post("/mine/slots")
@allow(Right.COUNSELLING_COUNSEL)
@retrying
def open_slots() -> Response:
    """Open a time, once or for some weeks."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        begins = local_time(request.form.get("begins", ""), "begins")
        minutes, weeks = number(request.form, "minutes"), number(request.form, "weeks") or 1
        if begins is None:
            raise Invalid("begins", "请选开始的日期和时间")
        if minutes is None:
            raise Invalid("ends", "请选一次多长")
        ends = begins + timedelta(minutes=min(minutes, 1440))
        room = request.form.get("room", "")
        counselling.open_slots(session, begins, ends, room, weeks=weeks, actor=actor, now=now)

    return change(work, render_mine, url_for("pages_counselling.mine"))


@blueprint.post("/mine/slots/<int(min=1, max=9223372036854775807):slot_id>/withdrawal")
@allow(Right.COUNSELLING_COUNSEL)
@retrying
def withdraw(slot_id: int) -> Response:
    """Take back a time that nobody has."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        counselling.withdraw(session, slot_id, actor=actor, now=now)

    return change(work, render_mine, url_for("pages_counselling.mine"))


@blueprint.get("/mine/calendar")
@allow(Right.COUNSELLING_COUNSEL)
def calendar() -> Response:
    """The counsellor's times for their own calendar: 预约, and nothing more."""
    actor = current_actor()
    with transaction() as session:
        now = clock.now(session)
        found = counselling.own_appointments(session, now, actor=actor, now=now)
    times = [one.appointment for one in found if one.appointment.state == AppointmentState.BOOKED]
    return entries(
        (str(one.uid), one.during.lower, one.during.upper)
        for one in times
        if one.during is not None and one.during.lower is not None and one.during.upper is not None
    )


@blueprint.get(MINE)
@allow(Right.COUNSELLING_COUNSEL)
def show(appointment_id: int) -> str:
    """One appointment of the counsellor's own."""
    return render_one(appointment_id, current_actor(), NOTHING_WRONG)


def render_one(
    appointment_id: int, actor: Actor, errors: Mapping[str, str], opened: Sequence[ReadNote] = NO_NOTES
) -> str:
    """The page of an appointment, its notes only in the answer to the passphrase."""
    with transaction() as session:
        now = clock.now(session)
        one = counselling.own_one(session, appointment_id, actor=actor, now=now)
        counsellor = counselling.own(session, actor=actor)
        return render_template(
            "counselling/show.html",
            one=one,
            phone=counselling.phone_of(one.appointment),
            mask=mask_phone,
            written=notes.count_notes(session, [appointment_id]).get(appointment_id, 0),
            key=keys.own_key(session, counsellor),
            opened=opened,
            dangers=[(value, gettext(word)) for value, word in DANGER_LABELS.items()],
            receivers=[(value, gettext(word)) for value, word in TOLD_LABELS.items()],
            state_word=state_word,
            source_word=source_word,
            hours=hours,
            errors=errors,
            typed=typed(),
            now=now,
        )


def of_one(appointment_id: int, work: Work) -> Response:
    """Do one thing with an appointment of one's own and go back to it."""

    def render(actor: Actor, errors: Mapping[str, str]) -> str:
        return render_one(appointment_id, actor, errors)

    return change(work, render, url_for("pages_counselling.show", appointment_id=appointment_id))


@blueprint.post(f"{MINE}/outcome")
@allow(Right.COUNSELLING_COUNSEL)
@retrying
def outcome(appointment_id: int) -> Response:
    """Whether the client came."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        came = request.form.get("came", "")
        if came not in {"yes", "no"}:
            raise Invalid("came", "请选来了还是没来")
        found = counselling.of_counsellor(session, appointment_id, actor=actor)
        counselling.note_outcome(session, found, came=came == "yes", actor=actor, now=now)

    return of_one(appointment_id, work)


@blueprint.post(f"{MINE}/cancellation")
@allow(Right.COUNSELLING_COUNSEL)
@retrying
def call_off(appointment_id: int) -> Response:
    """The counsellor cannot come: the client is told where an address was left."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        found = counselling.of_counsellor(session, appointment_id, actor=actor)
        counselling.cancel(session, found, EndedBy.COUNSELLOR, actor=actor, now=now)

    return of_one(appointment_id, work)


@blueprint.post(f"{MINE}/reminder")
@allow(Right.COUNSELLING_COUNSEL)
@retrying
def reminded(appointment_id: int) -> Response:
    """The counsellor has called."""

    def work(session: Session, actor: Actor, now: datetime) -> Appointment:
        found = counselling.of_counsellor(session, appointment_id, actor=actor)
        counselling.note_reminded(session, found, actor=actor, now=now)
        return found

    return of_one(appointment_id, work)


@blueprint.post(f"{MINE}/notes")
@allow(Right.COUNSELLING_COUNSEL)
@retrying
def write(appointment_id: int) -> Response:
    """Seal a note."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        notes.write_note(session, appointment_id, request.form.get("words", ""), actor=actor, now=now)

    return of_one(appointment_id, work)


@blueprint.post(f"{MINE}/disclosures")
@allow(Right.COUNSELLING_COUNSEL)
@retrying
def disclose(appointment_id: int) -> Response:
    """Record what was told to avert a danger."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        danger, told = request.form.get("danger", ""), request.form.get("told", "")
        if danger not in set(Danger):
            raise Invalid("danger", "请选对谁有危险")
        if told not in set(Told):
            raise Invalid("told", "请选告诉了谁")
        words = request.form.get("disclosed", "")
        notes.disclose(session, appointment_id, Danger(danger), Told(told), words, actor=actor, now=now)

    return of_one(appointment_id, work)


@blueprint.post(f"{MINE}/reading")
@allow(Right.COUNSELLING_COUNSEL)
@limiter.limit(limits.CODE, key_func=limits.principal)
def read(appointment_id: int) -> Response:
    """Open the notes for this one answer, which no cache keeps."""
    actor = current_actor()
    try:
        with transaction() as session:
            found = notes.read_notes(session, appointment_id, request.form.get("passphrase", ""), actor=actor)
    except (Conflict, Invalid, NotAllowed) as error:
        return make_response(render_one(appointment_id, actor, errors_of(error)), status_of(error))
    response = make_response(render_one(appointment_id, actor, NOTHING_WRONG, found))
    response.headers["Cache-Control"] = "private, no-store"
    return response
