"""电子保姆: the list of alarm devices, one device with its contacts, and calling about an alarm."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.gateways import limits
from dispatch.models.care import AlarmDevice, AlarmState
from dispatch.rules.access.roles import Actor, Right
from dispatch.rules.care.chain import CONTACTS, KIND_LABELS, OUTCOME_LABELS, CallKind, CallOutcome
from dispatch.rules.care.devices import POSSIBLE, STATE_LABELS, DeviceState
from dispatch.rules.care.signals import MEANING_LABELS, Meaning
from dispatch.services import grid
from dispatch.services.care import alarms
from dispatch.transaction import retrying, transaction
from dispatch.web.access import allow, current_actor
from dispatch.web.changing import Work, change, make
from dispatch.web.giving.door import chosen_community, communities_of
from dispatch.web.orders.form import number, one_of
from dispatch.web.pages import Look

MOST_FOUND = 10
SILENT = "silent"
ID = "<int(min=1, max=9223372036854775807):device_id>"
LOOKS = {
    DeviceState.REGISTERED: ("hourglass-split", "waiting"),
    DeviceState.INSTALLED: ("hourglass-split", "soon"),
    DeviceState.TESTED: ("check-circle", "done"),
    DeviceState.DORMANT: ("exclamation-triangle-fill", "late"),
    DeviceState.RECOVERED: ("x-circle", "quiet"),
}

blueprint = Blueprint("pages_devices", __name__, url_prefix="/devices")


def state_look(state: str) -> Look:
    """Word, shape and tone of a device's state."""
    icon, tone = LOOKS[DeviceState(state)]
    return Look(gettext(STATE_LABELS[DeviceState(state)]), icon, tone)


def troubles(state: AlarmState) -> list[Look]:
    """What is the matter with a device, in words; nothing when all is well."""
    found = (
        (state.silent_since, gettext("没有信号")),
        (state.mains_lost_since, gettext("断电")),
        (state.battery_low_since, gettext("电池不足")),
    )
    return [Look(word, "exclamation-triangle-fill", "late") for since, word in found if since is not None]


def words() -> dict[str, Any]:
    """The words of this page in the reader's language."""
    return {
        "device_look": state_look,
        "troubles": troubles,
        "kinds": {str(one): gettext(word) for one, word in KIND_LABELS.items()},
        "contact_kinds": [(str(one), gettext(word)) for one, word in KIND_LABELS.items() if one in CONTACTS],
        "outcomes": [(str(one), gettext(word)) for one, word in OUTCOME_LABELS.items()],
        "meanings": {str(one): gettext(MEANING_LABELS[one]) for one in Meaning},
    }


@blueprint.get("")
@allow(Right.DEVICES_READ)
def listing() -> str:
    """The devices: those in use, or of one state."""
    return render_listing(current_actor(), {})


def render_listing(actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    wanted = request.args.get("state", "")
    states = [DeviceState(wanted)] if wanted in set(DeviceState) else []
    with transaction() as session:
        communities = communities_of(session, actor)
        return render_template(
            "devices/listing.html",
            rows=alarms.list_devices(session, actor=actor, states=states, silent=wanted == SILENT),
            open_alarms=alarms.open_alarms(session, actor=actor) if actor.may(Right.DEVICES_CALL) else (),
            state=wanted,
            states=[
                (SILENT, gettext("没有信号的")),
                *((str(one), gettext(word)) for one, word in STATE_LABELS.items()),
            ],
            communities=communities,
            models=alarms.models(session, communities[0][0]) if communities else {},
            now=clock.now(session),
            typed=request.form or {"poll_seconds": "60"},
            errors=errors,
            **words(),
        )


@blueprint.post("")
@allow(Right.DEVICES_EDIT)
@retrying
def register() -> Response:
    """Register a device."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        form = request.form
        draft = alarms.DeviceDraft(
            number=form.get("number", ""),
            account=form.get("account", ""),
            model=form.get("model", ""),
            line=form.get("line", ""),
            poll_seconds=number(form, "poll_seconds") or 0,
            key=form.get("key", "").strip() or None,
        )
        made = alarms.register_device(session, chosen_community(), draft, actor=actor, now=now)
        return url_for("pages_devices.show", device_id=made.id)

    return make(work, render_listing)


@blueprint.get(f"/{ID}")
@allow(Right.DEVICES_READ, limit=limits.SEARCH)
def show(device_id: int) -> str:
    """One device; `q` finds the resident in whose home it is installed."""
    return render_device(device_id, current_actor(), request.args, {})


def render_device(device_id: int, actor: Actor, typed: Mapping[str, str], errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    query = typed.get("q", "")[:100].strip()
    with transaction() as session:
        now = clock.now(session)
        opened = alarms.open_device(session, device_id, actor=actor, now=now)
        device = opened.listed.device
        found = grid.search_residents(session, query, actor=actor, limit=MOST_FOUND).items if query else ()
        return render_template(
            "devices/show.html",
            opened=opened,
            device=device,
            model=alarms.models(session, device.community_id).get(device.model, device.model),
            keys=alarms.keys_of(session, device),
            spare=spare_beside(session, device, actor),
            possible={str(one) for one in POSSIBLE[DeviceState(device.state)]},
            is_testing=device.testing_until is not None and device.testing_until > now,
            found=[one for one in found if one.community_id == device.community_id],
            query=query,
            now=now,
            typed=typed,
            errors=errors,
            **words(),
        )


def spare_beside(session: Session, device: AlarmDevice, actor: Actor) -> list[AlarmDevice]:
    """The registered devices of the same community that could take a device's place."""
    free = alarms.list_devices(session, actor=actor, states=[DeviceState.REGISTERED])
    return [one.device for one in free if one.device.community_id == device.community_id and one.device.id != device.id]


def changed(device_id: int, work: Work) -> Response:
    """Do something about a device; a refusal is shown on its page with what was typed."""

    def render(actor: Actor, errors: Mapping[str, str]) -> str:
        return render_device(device_id, actor, request.form, errors)

    return change(work, render, url_for("pages_devices.show", device_id=device_id))


@blueprint.post(f"/{ID}/installation")
@allow(Right.DEVICES_EDIT)
@retrying
def install(device_id: int) -> Response:
    """It stands in somebody's home now."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        resident_id, consent = number(request.form, "resident_id") or 0, request.form.get("consent_by", "")
        alarms.install_device(session, device_id, resident_id=resident_id, consent_by=consent, actor=actor, now=now)

    return changed(device_id, work)


@blueprint.post(f"/{ID}/test")
@allow(Right.DEVICES_EDIT)
@retrying
def test(device_id: int) -> Response:
    """For some minutes what it reports is a test."""
    return changed(device_id, lambda session, actor, now: alarms.begin_test(session, device_id, actor=actor, now=now))


@blueprint.post(f"/{ID}/recovery")
@allow(Right.DEVICES_EDIT)
@retrying
def recover(device_id: int) -> Response:
    """It is back."""
    return changed(
        device_id, lambda session, actor, now: alarms.recover_device(session, device_id, actor=actor, now=now)
    )


@blueprint.post(f"/{ID}/swap")
@allow(Right.DEVICES_EDIT)
@retrying
def swap(device_id: int) -> Response:
    """Another device stands there now; on to its page."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        by = number(request.form, "by") or 0
        made = alarms.swap_device(session, device_id, by=by, actor=actor, now=now)
        return url_for("pages_devices.show", device_id=made.id)

    return make(work, lambda actor, errors: render_device(device_id, actor, request.form, errors))


@blueprint.post(f"/{ID}/contacts")
@allow(Right.DEVICES_EDIT)
@retrying
def add_contact(device_id: int) -> Response:
    """Somebody more to call."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        draft = alarms.ContactDraft(
            kind=form.get("kind", ""),
            name=form.get("name", ""),
            phone=form.get("phone", ""),
            email=form.get("email", ""),
            told_alarm="told_alarm" in form,
            told_end="told_end" in form,
            told_visit="told_visit" in form,
            has_consented="has_consented" in form,
        )
        alarms.add_contact(session, device_id, draft, actor=actor, now=now)

    return changed(device_id, work)


@blueprint.post("/contacts/<int(min=1, max=9223372036854775807):device_contact_id>/end")
@allow(Right.DEVICES_EDIT)
@retrying
def end_contact(device_contact_id: int) -> Response:
    """Somebody is called no more."""

    def work(session: Session, actor: Actor, now: datetime) -> str:
        contact = alarms.end_contact(session, device_contact_id, actor=actor, now=now)
        return url_for("pages_devices.show", device_id=contact.device_id)

    return make(work, render_listing)


@blueprint.get("/alarms/<alarm_number>")
@allow(Right.DEVICES_CALL)
def alarm(alarm_number: str) -> str:
    """Whom to call about an alarm, who was called, who is next."""
    return render_alarm(alarm_number, current_actor(), {})


def render_alarm(alarm_number: str, actor: Actor, errors: Mapping[str, str]) -> str:
    """The page with what was typed."""
    with transaction() as session:
        now = clock.now(session)
        opened = alarms.open_alarm(session, alarm_number, actor=actor, now=now)
        return render_template(
            "devices/alarm.html", alarm=opened, now=now, typed=request.form, errors=errors, **words()
        )


@blueprint.post("/alarms/<alarm_number>/calls")
@allow(Right.DEVICES_CALL)
@retrying
def call(alarm_number: str) -> Response:
    """Note a call and what came of it."""

    def work(session: Session, actor: Actor, now: datetime) -> None:
        form = request.form
        alarms.record_call(
            session,
            alarm_number,
            kind=one_of(form, "kind", CallKind),
            outcome=one_of(form, "outcome", CallOutcome),
            contact_id=number(form, "contact_id"),
            actor=actor,
            now=now,
        )

    def render(actor: Actor, errors: Mapping[str, str]) -> str:
        return render_alarm(alarm_number, actor, errors)

    return change(work, render, url_for("pages_devices.alarm", alarm_number=alarm_number))
