"""Gifts with their lines and receipts, and charity sales, in and out; money in fen, weight in grams."""

from marshmallow import fields, validate

from dispatch.rules.funds.terms import Commodity
from dispatch.rules.market.gifts import LONGEST_ITEM, MOST_AMOUNT, MOST_LINES, Way
from dispatch.rules.market.sales import MOST_FEN, SaleState
from dispatch.schemas.fields import Flag, HouseSchema, Moment, Text, identity
from dispatch.schemas.grid import Cursor, PageQuery

UNITS = [str(one) for one in Commodity]
LONGEST_NOTE = 500


class GiftQuery(PageQuery):
    """Which page of gifts."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=50))


class ForeignBody(HouseSchema):
    """Money of abroad: amount in its smallest unit, yuan for one unit of it, the day of the rate."""

    currency = Text(most=3, least=3, required=True)
    minor = fields.Integer(strict=True, required=True, validate=validate.Range(min=1, max=MOST_AMOUNT))
    rate = fields.Decimal(required=True, as_string=True, allow_nan=False)
    rate_on = fields.Date(required=True)


class PackageBody(HouseSchema):
    """What stands on a package."""

    produced_on = fields.Date(load_default=None, allow_none=True)
    expires_on = fields.Date(load_default=None, allow_none=True)
    batch_number = Text(most=40, load_default=None, allow_none=True)


class ItemBody(HouseSchema):
    """One item; `amount` in fen, grams or pieces (0 for money of abroad: its rate gives it)."""

    item = Text(most=LONGEST_ITEM, least=1, required=True)
    commodity = fields.String(required=True, validate=validate.OneOf(UNITS))
    amount = fields.Integer(strict=True, required=True, validate=validate.Range(min=0, max=MOST_AMOUNT))
    goods_id = identity(load_default=None, allow_none=True)
    package = fields.Nested(PackageBody, load_default=None, allow_none=True)
    foreign = fields.Nested(ForeignBody, load_default=None, allow_none=True)


class ReceiveGift(HouseSchema):
    """What came: `holding_id` is where its money lies, `facility_id` where its goods."""

    fund_id = identity(required=True)
    earmark_id = identity(load_default=None, allow_none=True)
    way = fields.String(load_default=str(Way.DESK), validate=validate.OneOf([str(one) for one in Way]))
    donor_id = identity(load_default=None, allow_none=True)
    pledge_id = identity(load_default=None, allow_none=True)
    holding_id = identity(load_default=None, allow_none=True)
    facility_id = identity(load_default=None, allow_none=True)
    is_named = Flag(load_default=False)
    happened_on = fields.Date(load_default=None, allow_none=True)
    note = Text(most=LONGEST_NOTE, load_default="")
    items = fields.List(fields.Nested(ItemBody), required=True, validate=validate.Length(min=1, max=MOST_LINES))


class Nothing(HouseSchema):
    """A step that needs no word: nothing else is taken either."""


class ReverseLine(HouseSchema):
    """Why a line is taken back."""

    reason = Text(most=LONGEST_NOTE, least=1, required=True)


class LineOut(HouseSchema):
    """A line with the number of its receipt; `reversed_at` when it was taken back."""

    id = fields.Integer(required=True)
    position = fields.Integer(required=True)
    item = fields.String(required=True)
    commodity = fields.String(required=True, validate=validate.OneOf(UNITS))
    amount = fields.Integer(required=True)
    goods_id = fields.Integer(required=True, allow_none=True)
    entry_id = fields.Integer(required=True)
    receipt = fields.String(required=True)
    reversed_at = Moment(required=True, allow_none=True)


class GiftOut(HouseSchema):
    """A gift as it was received."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    way = fields.String(required=True)
    donor_id = fields.Integer(required=True, allow_none=True)
    pledge_id = fields.Integer(required=True, allow_none=True)
    fund_id = fields.Integer(required=True)
    earmark_id = fields.Integer(required=True, allow_none=True)
    is_named = fields.Boolean(required=True)
    happened_on = fields.Date(required=True)
    note = fields.String(required=True)
    received_at = Moment(required=True)
    thanked_at = Moment(required=True, allow_none=True)
    lines = fields.List(fields.Nested(LineOut), required=True)


class GiftsOut(HouseSchema):
    """A page of gifts, newest first."""

    items = fields.List(fields.Nested(GiftOut), required=True)
    next = Cursor(required=True, allow_none=True)


class PlanSale(HouseSchema):
    """A sale on an agreement that stands; all of it goes into the fund."""

    name = Text(most=60, least=1, required=True)
    place = Text(most=60, least=1, required=True)
    held_on = fields.Date(required=True)
    agreement_id = identity(required=True)
    fund_id = identity(required=True)
    earmark_id = identity(load_default=None, allow_none=True)


class CountSale(HouseSchema):
    """What one person counted."""

    fen = fields.Integer(strict=True, required=True, validate=validate.Range(min=0, max=MOST_FEN))


class BankSale(CountSale):
    """What was banked, where: all that was counted."""

    holding_id = identity(required=True)


class PublishSale(HouseSchema):
    """Some words about the result."""

    result = Text(most=4_000, least=1, required=True)


class SaleOut(HouseSchema):
    """A sale; the takings stay hidden until two people have counted the same."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    name = fields.String(required=True)
    place = fields.String(required=True)
    held_on = fields.Date(required=True)
    agreement_id = fields.Integer(required=True)
    fund_id = fields.Integer(required=True)
    earmark_id = fields.Integer(required=True, allow_none=True)
    state = fields.String(required=True, validate=validate.OneOf([str(one) for one in SaleState]))
    counts = fields.Integer(required=True)
    recounts = fields.Integer(required=True)
    fen = fields.Integer(required=True, allow_none=True)
    result = fields.String(required=True, allow_none=True)
    published_at = Moment(required=True, allow_none=True)


class SalesOut(HouseSchema):
    """The sales, the newest first."""

    items = fields.List(fields.Nested(SaleOut), required=True)
