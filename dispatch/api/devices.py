"""Alarm devices over HTTP: the register, contacts, and calling about an alarm."""

from collections.abc import Mapping
from typing import Any

from flask import Response, url_for
from flask.views import MethodView
from marshmallow import RAISE
from sqlalchemy.orm import Session

from dispatch import clock
from dispatch.api.auth import actor, allow
from dispatch.api.blueprint import Blueprint
from dispatch.api.once import Answer, once
from dispatch.rules.access.roles import Right
from dispatch.rules.care.devices import DeviceState
from dispatch.schemas import devices as schemas
from dispatch.schemas.beneficiaries import NothingMore
from dispatch.services.care import alarms
from dispatch.services.care.alarms import Alarm, ListedDevice, ShownContact
from dispatch.transaction import transaction

blueprint = Blueprint("devices", __name__, url_prefix="/api/care", description="电子保姆 · Alarm devices")

DEVICE = "/devices/<int(min=1, max=9223372036854775807):device_id>"
CONTACT = "/device-contacts/<int(min=1, max=9223372036854775807):device_contact_id>"
OF_STATE = ("heard_at", "silent_since", "battery_low_since", "mains_lost_since")
OF_ELSEWHERE = (*OF_STATE, "resident", "is_encrypted")
OF_DEVICE = tuple(name for name in schemas.DeviceOut().fields if name not in OF_ELSEWHERE)
OF_EVENT = ("received_at", "code", "zone", "meaning", "is_test")
OF_CALL = ("called_at", "kind", "outcome", "contact_id")


def device_out(listed: ListedDevice) -> dict[str, Any]:
    """What leaves of a device; never its key."""
    out = {name: getattr(listed.device, name) for name in OF_DEVICE}
    state = {name: getattr(listed.state, name) for name in OF_STATE}
    return out | state | {"resident": listed.resident, "is_encrypted": listed.device.secret is not None}


def contact_out(shown: ShownContact) -> dict[str, Any]:
    """What leaves of somebody to call."""
    plain = {name: getattr(shown, name) for name in ("kind", "rank", "name", "phone")}
    return plain | {"id": None if shown.contact is None else shown.contact.id}


def alarm_out(alarm: Alarm) -> dict[str, Any]:
    """What leaves of an alarm that somebody works on."""
    return {
        "order_number": alarm.order.number,
        "order_state": alarm.order.state,
        "device_id": alarm.device.id,
        "confirmed": alarm.confirmed,
        "chain": [contact_out(one) for one in alarm.chain],
        "calls": [{name: getattr(one.call, name) for name in OF_CALL} for one in alarm.calls],
        "following": None if alarm.following is None else contact_out(alarm.following),
    }


def shown(session: Session, device_id: int) -> dict[str, Any]:
    """A device as it is now."""
    return schemas.DeviceOut().dump(device_out(alarms.shown_device(session, device_id, actor=actor())))


@blueprint.route("/devices")
class Devices(MethodView):
    """The register."""

    @allow(Right.DEVICES_READ)
    @blueprint.arguments(schemas.DeviceQuery, location="query", unknown=RAISE)
    @blueprint.response(200, schemas.DevicesOut)
    def get(self, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """List devices by number, the recovered only when they are asked for; at most 500."""
        states = [DeviceState(query["state"])] if query["state"] else []
        with transaction() as session:
            found = alarms.list_devices(session, actor=actor(), states=states, silent=query["silent"])
            return {"items": [device_out(one) for one in found]}

    @allow(Right.DEVICES_EDIT)
    @blueprint.takes(schemas.RegisterDevice, schemas.DeviceOut, status=201)
    def post(self, data: Mapping[str, Any]) -> Response:
        """Register a device. 422 names the field."""

        def work(session: Session) -> Answer:
            draft = alarms.DeviceDraft(**{name: value for name, value in data.items() if name != "community_id"})
            now = clock.now(session)
            made = alarms.register_device(session, data["community_id"], draft, actor=actor(), now=now)
            return 201, shown(session, made.id), {"Location": url_for("devices.OneDevice", device_id=made.id)}

        return once("devices.register", data, work)


@blueprint.route(DEVICE)
class OneDevice(MethodView):
    """One device."""

    @allow(Right.DEVICES_READ)
    @blueprint.response(200, schemas.OneDeviceOut)
    def get(self, device_id: int) -> Mapping[str, Any]:
        """Show a device, whom to call about it, and its newest events; that it was looked at is recorded."""
        with transaction() as session:
            opened = alarms.open_device(session, device_id, actor=actor(), now=clock.now(session))
            events = [
                {name: getattr(event, name) for name in OF_EVENT} | {"order_number": number}
                for event, number in opened.events
            ]
            contacts = [contact_out(one) for one in opened.chain]
            return device_out(opened.listed) | {"contacts": contacts, "events": events}


@blueprint.route(f"{DEVICE}/installation")
class Installation(MethodView):
    """Where it stands."""

    @allow(Right.DEVICES_EDIT)
    @blueprint.takes(schemas.InstallDevice, schemas.DeviceOut)
    def post(self, data: Mapping[str, Any], device_id: int) -> Response:
        """Install a device in somebody's home. 409 where its state does not allow it."""

        def work(session: Session) -> Answer:
            alarms.install_device(session, device_id, **data, actor=actor(), now=clock.now(session))
            return 200, shown(session, device_id), {}

        return once(f"devices.install:{device_id}", data, work)


@blueprint.route(f"{DEVICE}/test")
class Test(MethodView):
    """The test at home."""

    @allow(Right.DEVICES_EDIT)
    @blueprint.takes(schemas.DeviceStep, schemas.DeviceOut)
    def post(self, data: Mapping[str, Any], device_id: int) -> Response:
        """For 15 minutes what the device reports is a test; an alarm within them proves it and sends nobody."""

        def work(session: Session) -> Answer:
            alarms.begin_test(session, device_id, **data, actor=actor(), now=clock.now(session))
            return 200, shown(session, device_id), {}

        return once(f"devices.test:{device_id}", data, work)


@blueprint.route(f"{DEVICE}/recovery")
class Recovery(MethodView):
    """The end."""

    @allow(Right.DEVICES_EDIT)
    @blueprint.takes(schemas.DeviceStep, schemas.DeviceOut)
    def post(self, data: Mapping[str, Any], device_id: int) -> Response:
        """The device is back; its account is free for another one."""

        def work(session: Session) -> Answer:
            alarms.recover_device(session, device_id, **data, actor=actor(), now=clock.now(session))
            return 200, shown(session, device_id), {}

        return once(f"devices.recover:{device_id}", data, work)


@blueprint.route(f"{DEVICE}/swap")
class Swap(MethodView):
    """Another device in its place."""

    @allow(Right.DEVICES_EDIT)
    @blueprint.takes(schemas.SwapDevice, schemas.DeviceOut)
    def post(self, data: Mapping[str, Any], device_id: int) -> Response:
        """Put a registered device in the place of this one, which is back then; the new one is shown."""

        def work(session: Session) -> Answer:
            made = alarms.swap_device(session, device_id, **data, actor=actor(), now=clock.now(session))
            return 200, shown(session, made.id), {}

        return once(f"devices.swap:{device_id}", data, work)


@blueprint.route(f"{DEVICE}/contacts")
class Contacts(MethodView):
    """Whom to call."""

    @allow(Right.DEVICES_EDIT)
    @blueprint.takes(schemas.AddAlarmContact, schemas.AlarmContactOut, status=201)
    def post(self, data: Mapping[str, Any], device_id: int) -> Response:
        """Add somebody at the end of the list."""

        def work(session: Session) -> Answer:
            draft, now = alarms.ContactDraft(**data), clock.now(session)
            made = alarms.add_contact(session, device_id, draft, actor=actor(), now=now)
            device = alarms.find_device(session, device_id, actor=actor())
            chain = alarms.chain_of(session, device, now=now)
            listed = next(one for one in chain if one.contact is not None and one.contact.id == made.id)
            return 201, schemas.AlarmContactOut().dump(contact_out(listed)), {}

        return once(f"devices.add_contact:{device_id}", data, work)


@blueprint.route(f"{CONTACT}/end")
class EndOfContact(MethodView):
    """Somebody who is called no more."""

    @allow(Right.DEVICES_EDIT)
    @blueprint.takes(NothingMore, schemas.DeviceOut)
    def post(self, data: Mapping[str, Any], device_contact_id: int) -> Response:
        """Take somebody off the list of a device; said twice is said once."""

        def work(session: Session) -> Answer:
            contact = alarms.end_contact(session, device_contact_id, actor=actor(), now=clock.now(session))
            return 200, shown(session, contact.device_id), {}

        return once(f"devices.end_contact:{device_contact_id}", data, work)


@blueprint.route("/alarms/<alarm_number>")
class OneAlarm(MethodView):
    """An alarm that somebody works on, by the number of its order."""

    @allow(Right.DEVICES_CALL)
    @blueprint.response(200, schemas.AlarmOut)
    def get(self, alarm_number: str) -> Mapping[str, Any]:
        """Show whom to call about an alarm and who was called; that it was looked at is recorded."""
        with transaction() as session:
            return alarm_out(alarms.open_alarm(session, alarm_number, actor=actor(), now=clock.now(session)))


@blueprint.route("/alarms/<alarm_number>/calls")
class Calls(MethodView):
    """The calls about an alarm."""

    @allow(Right.DEVICES_CALL)
    @blueprint.takes(schemas.RecordAlarmCall, schemas.AlarmOut, status=201)
    def post(self, data: Mapping[str, Any], alarm_number: str) -> Response:
        """Note who was called about an alarm and what came of it."""

        def work(session: Session) -> Answer:
            now = clock.now(session)
            alarms.record_call(session, alarm_number, **data, actor=actor(), now=now)
            alarm = alarms.alarm_of(session, alarm_number, actor=actor(), now=now)
            return 201, schemas.AlarmOut().dump(alarm_out(alarm)), {}

        return once(f"alarms.call:{alarm_number}", data, work)
