"""The service station in and out: who came for which kind, and how often people came by month."""

from marshmallow import fields, validate

from dispatch.rules.care.station import LONGEST_NAME, Ended
from dispatch.schemas.fields import HouseSchema, Text, identity


class NoteVisit(HouseSchema):
    """Who came; with `ordered` also what for, where to and whom to call."""

    community_id = identity(required=True)
    service_id = identity(required=True)
    ended = fields.String(required=True, validate=validate.OneOf([str(one) for one in Ended]))
    visitor = Text(most=LONGEST_NAME, load_default="")
    referred_to = Text(most=LONGEST_NAME, load_default="")
    description = Text(most=500, load_default="")
    address_text = Text(most=200, load_default="")
    phone = Text(most=40, load_default="")


class VisitNoted(HouseSchema):
    """What was counted."""

    id = fields.Integer(required=True)
    ended = fields.String(required=True, validate=validate.OneOf([str(one) for one in Ended]))
    order_id = fields.Integer(required=True, allow_none=True)


class YearQuery(HouseSchema):
    """Which year."""

    year = fields.Integer(required=True, validate=validate.Range(min=2003, max=2199))


class KindFigures(HouseSchema):
    """How often people came for a kind."""

    kind = fields.String(required=True)
    months = fields.List(fields.Integer(), required=True, validate=validate.Length(equal=12))
    year = fields.Integer(required=True)


class StationFigures(HouseSchema):
    """The kinds, the most frequent first."""

    items = fields.List(fields.Nested(KindFigures), required=True)
