"""The stock of the supermarkets in and out; amounts in whole grams or pieces."""

from marshmallow import fields, validate

from dispatch.rules.market.shelf import Commodity, LifeUnit, MoveKind, Spot
from dispatch.schemas.fields import MOST_ID, HouseSchema, Moment, Text, identity

CATEGORIES = ["food", "clothes", "daily", "study"]
LONGEST_WORDS = 300


class FacilityOut(HouseSchema):
    """A facility with its keeper and how much is open there."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    kind = fields.String(required=True)
    name = fields.String(required=True)
    keeper = fields.String(required=True, allow_none=True)
    open_inspections = fields.Integer(required=True)
    open_disposals = fields.Integer(required=True)
    being_counted = fields.Boolean(required=True)


class FacilitiesOut(HouseSchema):
    """The facilities of the reach."""

    items = fields.List(fields.Nested(FacilityOut), required=True)


class StandingOut(HouseSchema):
    """So much of a lot at a spot, and the last day on which it may be given (null: none is known)."""

    lot_id = fields.Integer(required=True)
    goods_id = fields.Integer(required=True)
    goods = fields.String(required=True)
    batch_number = fields.String(required=True, allow_none=True)
    fund_id = fields.Integer(required=True)
    earmark_id = fields.Integer(required=True, allow_none=True)
    spot = fields.String(required=True, validate=validate.OneOf([str(one) for one in Spot]))
    commodity = fields.String(required=True, validate=validate.OneOf([str(one) for one in Commodity]))
    amount = fields.Integer(required=True)
    last_good_day = fields.Date(required=True, allow_none=True)
    may_be_given = fields.Boolean(required=True)


class StockOut(HouseSchema):
    """What stands in a facility, by goods, first out first."""

    items = fields.List(fields.Nested(StandingOut), required=True)


class AddGoods(HouseSchema):
    """Goods for the catalogue: counted by the gram or the piece, with what the shelf life usually is."""

    community_id = identity(required=True)
    code = Text(most=40, least=1, required=True)
    name = Text(most=40, least=1, required=True)
    category = fields.String(required=True, validate=validate.OneOf(CATEGORIES))
    commodity = fields.Enum(Commodity, by_value=True, required=True)
    unit = Text(most=8, least=1, required=True)
    life_amount = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(min=1, max=3_650)
    )
    life_unit = fields.Enum(LifeUnit, by_value=True, load_default=LifeUnit.MONTH)
    synonyms = fields.List(Text(most=40, least=1), load_default=list, validate=validate.Length(max=20))


class GoodsOut(HouseSchema):
    """Goods of the catalogue."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    category = fields.String(required=True)
    commodity = fields.String(required=True)
    unit = fields.String(required=True)
    is_food = fields.Boolean(required=True)
    life_amount = fields.Integer(required=True, allow_none=True)
    life_unit = fields.String(required=True, allow_none=True)


class GoodsListOut(HouseSchema):
    """Goods in Chinese order, or by how well they fit."""

    items = fields.List(fields.Nested(GoodsOut), required=True)


class GoodsQuery(HouseSchema):
    """What is looked for: Chinese, pinyin or initials."""

    q = Text(most=40, load_default="")
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=100))


class CallBack(HouseSchema):
    """A recall of one batch, or (without a number) of all lots of some goods."""

    goods_id = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=MOST_ID))
    batch_number = Text(most=40, load_default=None, allow_none=True)
    reason = Text(most=LONGEST_WORDS, least=1, required=True)
    source = Text(most=LONGEST_WORDS, least=1, required=True)


class GivenOut(HouseSchema):
    """So much of a recalled lot that has gone out, by what it was for."""

    step_id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf([str(one) for one in MoveKind]))
    origin = fields.String(required=True, allow_none=True)
    origin_id = fields.Integer(required=True, allow_none=True)
    signed_on = fields.Date(required=True)
    lot_id = fields.Integer(required=True)
    amount = fields.Integer(required=True)


class RecallOut(HouseSchema):
    """A recall and what of it has gone out."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    goods_id = fields.Integer(required=True)
    batch_number = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True)
    source = fields.String(required=True)
    called_at = Moment(required=True)
    given = fields.List(fields.Nested(GivenOut), required=True)
