"""Appointments in and out: a time, an alias and how it stands, and never what it is about."""

from marshmallow import fields, validate

from dispatch.rules.care.counselling import LONGEST_ALIAS, AppointmentState
from dispatch.schemas.fields import HouseSchema, Moment, Text, id_in_address, identity


class BookAppointment(HouseSchema):
    """What somebody at the desk or on the telephone asks for; without a time they wait for one."""

    community_id = identity(required=True)
    service_id = identity(required=True)
    source = fields.String(required=True, validate=validate.OneOf(["desk", "phone"]))
    alias = Text(most=LONGEST_ALIAS, least=1, required=True, metadata={"description": "not a real name"})
    slot_id = identity(load_default=None, allow_none=True)
    phone = Text(most=40, load_default="")
    email = Text(most=200, load_default="")


class CancelAppointment(HouseSchema):
    """Which version was seen."""

    version = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1))


class AppointmentOut(HouseSchema):
    """All that the desk is told of an appointment."""

    id = fields.Integer(required=True)
    alias = fields.String(required=True)
    begins = Moment(required=True, allow_none=True)
    ends = Moment(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf([str(one) for one in AppointmentState]))
    version = fields.Integer(required=True)


class BookedOut(AppointmentOut):
    """A new appointment with its code, which is told this once."""

    code = fields.String(required=True)


class AppointmentsOut(HouseSchema):
    """The appointments of some days, and who waits without a time."""

    items = fields.List(fields.Nested(AppointmentOut), required=True)


class AppointmentQuery(HouseSchema):
    """Of which day in Asia/Shanghai; today by default."""

    day = fields.Date(load_default=None)


class FreeTimeQuery(HouseSchema):
    """For which service of which community."""

    community_id = id_in_address(required=True)
    service_id = id_in_address(required=True)


class FreeTimeOut(HouseSchema):
    """A time that can be taken, with whom."""

    id = fields.Integer(required=True)
    begins = Moment(required=True)
    ends = Moment(required=True)
    shown_as = fields.String(required=True)


class FreeTimesOut(HouseSchema):
    """The free times of the coming days, the soonest first."""

    items = fields.List(fields.Nested(FreeTimeOut), required=True)
