"""Alarm devices in and out: the key of a device goes in and never comes out."""

from marshmallow import fields, validate

from dispatch.rules.care.chain import CONTACTS, CallKind, CallOutcome
from dispatch.rules.care.devices import DeviceState
from dispatch.rules.care.signals import Meaning
from dispatch.schemas.fields import Flag, HouseSchema, Moment, Text, identity

STATES = [str(one) for one in DeviceState]
KINDS = sorted(str(one) for one in CONTACTS)
CALLED = [str(one) for one in CallKind]
OUTCOMES = [str(one) for one in CallOutcome]
MEANINGS = [str(one) for one in Meaning]


def version() -> fields.Integer:
    """The version of the device that was seen; null when it is not said."""
    return fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1))


class DeviceQuery(HouseSchema):
    """Which devices: of one state, or all but the recovered; `silent`: only those whose signals do not come."""

    state = fields.String(load_default=None, validate=validate.OneOf(STATES))
    silent = fields.Boolean(load_default=False)


class RegisterDevice(HouseSchema):
    """A device: the number on it, the account of its frames, its model, how often it polls, the key of its frames."""

    community_id = identity(required=True)
    number = Text(most=40, least=1, required=True)
    account = Text(most=16, least=3, required=True, metadata={"description": "3 to 16 hexadecimal digits"})
    model = Text(most=40, load_default="standard")
    line = Text(most=40, load_default="")
    poll_seconds = fields.Integer(strict=True, load_default=60, validate=validate.Range(min=10, max=86_400))
    key = Text(
        most=64, load_default="", load_only=True,
        metadata={"description": "AES key as 32, 48 or 64 hexadecimal digits; empty: plain frames"},
    )  # fmt: skip


class InstallDevice(HouseSchema):
    """In whose home it stands now, and who has consented."""

    resident_id = identity(required=True)
    consent_by = fields.String(required=True, validate=validate.OneOf(["self", "family"]))
    version = version()


class DeviceStep(HouseSchema):
    """Nothing but the version that was seen."""

    version = version()


class SwapDevice(HouseSchema):
    """The id of the registered device that takes the place."""

    by = identity(required=True)
    version = version()


class AddAlarmContact(HouseSchema):
    """Somebody to call, and what they may be told by letter, with their consent."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    name = Text(most=60, least=1, required=True)
    phone = Text(most=40, least=1, required=True)
    email = Text(most=120, load_default="")
    told_alarm = Flag(load_default=False)
    told_end = Flag(load_default=False)
    told_visit = Flag(load_default=False)
    has_consented = Flag(load_default=False)


class RecordAlarmCall(HouseSchema):
    """Who was called about an alarm, and what came of it."""

    kind = fields.String(required=True, validate=validate.OneOf(CALLED))
    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    contact_id = identity(load_default=None, allow_none=True)


class DeviceOut(HouseSchema):
    """A device with what it was last heard to say."""

    id = fields.Integer(required=True)
    version = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    number = fields.String(required=True)
    account = fields.String(required=True)
    model = fields.String(required=True)
    line = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    poll_seconds = fields.Integer(required=True)
    is_encrypted = fields.Boolean(required=True)
    resident_id = fields.Integer(required=True, allow_none=True)
    resident = fields.String(required=True, allow_none=True)
    installed_at = Moment(required=True, allow_none=True)
    tested_at = Moment(required=True, allow_none=True)
    testing_until = Moment(required=True, allow_none=True)
    recovered_at = Moment(required=True, allow_none=True)
    heard_at = Moment(required=True, allow_none=True)
    silent_since = Moment(required=True, allow_none=True)
    battery_low_since = Moment(required=True, allow_none=True)
    mains_lost_since = Moment(required=True, allow_none=True)


class DevicesOut(HouseSchema):
    """The devices in reach, by number."""

    items = fields.List(fields.Nested(DeviceOut), required=True)


class AlarmContactOut(HouseSchema):
    """Somebody to call; `id` null for who holds the stairwell's post."""

    id = fields.Integer(required=True, allow_none=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    rank = fields.Integer(required=True)
    name = fields.String(required=True)
    phone = fields.String(required=True)


class AlarmEventOut(HouseSchema):
    """Something that a device has reported, and the order that it became or joined."""

    received_at = Moment(required=True)
    code = fields.String(required=True)
    zone = fields.String(required=True)
    meaning = fields.String(required=True, validate=validate.OneOf(MEANINGS))
    is_test = fields.Boolean(required=True)
    order_number = fields.String(required=True, allow_none=True)


class OneDeviceOut(DeviceOut):
    """A device with whom to call and what it has reported."""

    contacts = fields.List(fields.Nested(AlarmContactOut), required=True)
    events = fields.List(fields.Nested(AlarmEventOut), required=True)


class AlarmCallOut(HouseSchema):
    """A call that was made about an alarm."""

    called_at = Moment(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(CALLED))
    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    contact_id = fields.Integer(required=True, allow_none=True)


class AlarmOut(HouseSchema):
    """An alarm that somebody works on: its order, whom to call, who was called, who is next (null: nobody)."""

    order_number = fields.String(required=True)
    order_state = fields.String(required=True)
    device_id = fields.Integer(required=True)
    confirmed = fields.Boolean(required=True)
    chain = fields.List(fields.Nested(AlarmContactOut), required=True)
    calls = fields.List(fields.Nested(AlarmCallOut), required=True)
    following = fields.Nested(AlarmContactOut, required=True, allow_none=True)
