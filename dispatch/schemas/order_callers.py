"""Callers, merging and splitting in and out."""

from marshmallow import fields, validate

from dispatch.schemas.fields import Flag, HouseSchema, Moment, Text, identity
from dispatch.schemas.orders import MOST_ANSWERS, URGENCIES, Versioned, WithReason


class RepeatCall(HouseSchema):
    """A call about a matter for which there is an order."""

    caller_name = Text(most=60, load_default=None, allow_none=True)
    caller_phone = Text(most=40, load_default=None, allow_none=True)
    caller_resident_id = identity(load_default=None, allow_none=True)
    words = Text(most=4_000, load_default="")
    urged = Flag(load_default=False, metadata={"description": "the caller urges: performer and team are told"})


class MergeOrder(Versioned):
    """Into which order; a reason where place or kind differ."""

    into = Text(most=40, least=1, required=True, metadata={"description": "number of the other order"})
    reason = Text(most=500, load_default="")


class UnmergeOrder(WithReason):
    """Why a merged order is taken out again."""


class SplitOrder(Versioned):
    """A second matter of the same call; caller and place are those of the order unless others are named."""

    service_code = Text(most=60, least=1, required=True)
    description = Text(most=4_000, least=1, required=True)
    address_text = Text(most=500, load_default="")
    stairwell_id = identity(load_default=None, allow_none=True)
    building_id = identity(load_default=None, allow_none=True)
    room = Text(most=20, load_default=None, allow_none=True)
    caller_name = Text(most=60, load_default=None, allow_none=True)
    caller_phone = Text(most=40, load_default=None, allow_none=True)
    urgency = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(URGENCIES))
    answers = fields.Dict(
        keys=Text(most=60), values=Text(most=500), load_default=dict, validate=validate.Length(max=MOST_ANSWERS)
    )


class CallerOut(HouseSchema):
    """Somebody who waits for the order; the phone masked. `id` null: the order's own caller."""

    id = fields.Integer(required=True, allow_none=True)
    name = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True, metadata={"description": "masked"})
    calls = fields.Integer(required=True)
    first_at = Moment(required=True)
    last_at = Moment(required=True)
    words = fields.String(required=True)
    from_order = fields.String(required=True, allow_none=True)
    is_called_back = fields.Boolean(required=True)
    tries = fields.Integer(required=True)
    is_done = fields.Boolean(required=True)


class CallersOut(HouseSchema):
    """Everybody who called about an order, and the orders it is merged with or split from."""

    calls = fields.Integer(required=True)
    items = fields.List(fields.Nested(CallerOut), required=True)
    merged_into = fields.String(required=True, allow_none=True)
    split_from = fields.String(required=True, allow_none=True)
    merged = fields.List(fields.String(), required=True)
