"""Hand-outs and points, in and out."""

from marshmallow import fields, validate

from dispatch.rules.market.hand_outs import HandOutState, SigningWay
from dispatch.schemas.fields import HouseSchema, Moment, id_in_address

STATES = [str(one) for one in HandOutState]
WAYS = [str(one) for one in SigningWay]
MOST_POINTS, MOST_STEP = 100_000, 1_000_000


class ListHandOuts(HouseSchema):
    """Of which facility, how many."""

    facility_id = id_in_address(required=True)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=100))


class HandOutOut(HouseSchema):
    """A hand-out; nothing of a person."""

    id = fields.Integer(required=True)
    facility_id = fields.Integer(required=True)
    card_id = fields.Integer(required=True)
    month = fields.Date(required=True)
    points = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    reserved_at = Moment(required=True)
    reserved_until = Moment(required=True)
    signed_at = Moment(required=True, allow_none=True)
    recorded_at = Moment(required=True, allow_none=True)
    way = fields.String(required=True, allow_none=True, validate=validate.OneOf(WAYS))
    list_hash = fields.String(required=True)
    by_proxy = fields.Boolean(required=True)


class HandOutsOut(HouseSchema):
    """The newest, newest first."""

    items = fields.List(fields.Nested(HandOutOut), required=True)


class ListedOut(HouseSchema):
    """So much of some goods, in grams or pieces, and the points that it took."""

    goods = fields.String(required=True)
    unit = fields.String(required=True)
    commodity = fields.String(required=True)
    amount = fields.Integer(required=True)
    points = fields.Integer(required=True)


class WholeHandOutOut(HandOutOut):
    """A hand-out with its list."""

    lines = fields.List(fields.Nested(ListedOut), required=True)


class SetPoints(HouseSchema):
    """So many points for each step."""

    points = fields.Integer(required=True, strict=True, validate=validate.Range(min=0, max=MOST_POINTS))
    step = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=MOST_STEP))


class PointsOut(SetPoints):
    """What goods cost of a month."""

    goods_id = fields.Integer(required=True)
