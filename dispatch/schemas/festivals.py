"""Festivals with the elders in and out."""

from marshmallow import fields, validate

from dispatch.rules.care.festivals import Answer
from dispatch.schemas.fields import Flag, HouseSchema, identity

ANSWERS = [str(one) for one in Answer]
BY_PEOPLE = [str(Answer.ASKED), str(Answer.COMES), str(Answer.DECLINES)]


class FestivalEventOut(HouseSchema):
    """A year's event with how many were invited, said that they come, and came."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    name = fields.String(required=True)
    year = fields.Integer(required=True)
    held_on = fields.Date(required=True)
    place = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(["planned", "held"]))
    invited = fields.Integer(required=True)
    coming = fields.Integer(required=True)
    came = fields.Integer(required=True)


class FestivalEventsOut(HouseSchema):
    """The newest fifty events."""

    items = fields.List(fields.Nested(FestivalEventOut), required=True)


class InvitationOut(HouseSchema):
    """Somebody who is invited; the order that fetches them, when one was placed."""

    id = fields.Integer(required=True)
    resident_id = fields.Integer(required=True)
    answer = fields.String(required=True, validate=validate.OneOf(ANSWERS))
    wants_ride = fields.Boolean(required=True)
    may_picture = fields.Boolean(required=True)
    attended = fields.Boolean(required=True, allow_none=True)
    order_number = fields.String(required=True, allow_none=True)


class InvitationsOut(HouseSchema):
    """Everybody who is invited to an event."""

    items = fields.List(fields.Nested(InvitationOut), required=True)


class AnswerInvitation(HouseSchema):
    """What somebody said: whether they come, are to be fetched, may be on pictures."""

    answer = fields.String(required=True, validate=validate.OneOf(BY_PEOPLE))
    wants_ride = Flag(load_default=False)
    may_picture = Flag(load_default=False)


class NoteAttendance(HouseSchema):
    """The invitations of those who came."""

    present = fields.List(identity(), required=True, validate=validate.Length(max=1_000))
