"""Service vouchers in and out: lists, accounts, cards, redemptions, refunds, settlements; money in fen."""

from marshmallow import fields, validate

from dispatch.rules.care.vouchers import CardEnd, GrantState, RefundState, VoucherState
from dispatch.rules.funds.draft import MOST
from dispatch.schemas.fields import HouseSchema, Moment, Text, id_in_address, identity
from dispatch.schemas.gifts import Nothing
from dispatch.schemas.grid import Cursor, PageQuery

__all__ = ["Nothing", "PageQuery"]
MOST_PEOPLE = 200
LONGEST_CODE = 60
LONGEST_WHAT = 60
LONGEST_WORDS = 200
PAYMENTS = ["asked", "booked", "refused", "withdrawn", "reversed"]
LINES = ["granted", "taken", "refunded", "lapsed"]


def an_amount() -> fields.Integer:
    """So many fen, more than none."""
    return fields.Integer(strict=True, required=True, validate=validate.Range(min=1, max=MOST))


def a_month() -> fields.String:
    """A month as people write it."""
    return fields.String(required=True, validate=validate.Regexp(r"^[0-9]{4}-(0[1-9]|1[0-2])$"))


class GrantOut(HouseSchema):
    """A list of persons with so many fen for each, asked by one and decided by another."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    year = fields.Integer(required=True)
    fund_id = fields.Integer(required=True)
    fen = fields.Integer(required=True)
    people = fields.Integer(required=True)
    expires_on = fields.Date(required=True)
    state = fields.String(required=True, validate=validate.OneOf([str(one) for one in GrantState]))
    reason = fields.String(required=True)
    asked_at = Moment(required=True)
    decided_at = Moment(required=True, allow_none=True)


class GrantsOut(HouseSchema):
    """A page of lists, the newest first."""

    items = fields.List(fields.Nested(GrantOut), required=True)
    next = Cursor(required=True, allow_none=True)


class AskGrant(HouseSchema):
    """So many fen for each of these persons, for a year, from a fund (and wish) at a holding."""

    year = fields.Integer(strict=True, required=True, validate=validate.Range(min=2000, max=2199))
    fund_id = identity(required=True)
    earmark_id = identity(load_default=None, allow_none=True)
    holding_id = identity(required=True)
    fen = an_amount()
    expires_on = fields.Date(required=True)
    residents = fields.List(identity(), required=True, validate=validate.Length(min=1, max=MOST_PEOPLE))


class VoucherOut(HouseSchema):
    """A person's account; the name masked, `number` null until it was granted."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    grant_id = fields.Integer(required=True)
    number = fields.Integer(required=True, allow_none=True)
    name = fields.String(required=True)
    year = fields.Integer(required=True)
    fen = fields.Integer(required=True)
    left_fen = fields.Integer(required=True)
    expires_on = fields.Date(required=True)
    state = fields.String(required=True, validate=validate.OneOf([str(one) for one in VoucherState]))


class VouchersOut(HouseSchema):
    """A page of accounts, the newest first."""

    items = fields.List(fields.Nested(VoucherOut), required=True)
    next = Cursor(required=True, allow_none=True)


class VoucherCardOut(HouseSchema):
    """A paper card; its code is not kept."""

    id = fields.Integer(required=True)
    voucher_id = fields.Integer(required=True)
    issued_at = Moment(required=True)
    replaces_id = fields.Integer(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)
    ended_as = fields.String(required=True, allow_none=True, validate=validate.OneOf([str(one) for one in CardEnd]))


class NewVoucherCardOut(VoucherCardOut):
    """A card with what is to be printed: told once."""

    qr = fields.String(required=True, metadata={"description": "the text of the QR"})
    code = fields.String(required=True, metadata={"description": "to be printed under it, to be typed"})


class StatementLineOut(HouseSchema):
    """A line of a person's statement, and what was left after it."""

    day = fields.Date(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(LINES))
    what = fields.String(required=True)
    firm = fields.String(required=True)
    fen = fields.Integer(required=True)
    left_fen = fields.Integer(required=True)


class RedemptionOut(HouseSchema):
    """What a firm took of a voucher; `refund` says how a request to take it back stands."""

    id = fields.Integer(required=True)
    voucher_number = fields.Integer(required=True)
    firm = fields.String(required=True)
    performer_id = fields.Integer(required=True)
    fen = fields.Integer(required=True)
    what = fields.String(required=True)
    order_number = fields.String(required=True, allow_none=True)
    redeemed_on = fields.Date(required=True)
    redeemed_at = Moment(required=True)
    settlement_id = fields.Integer(required=True, allow_none=True)
    refund = fields.String(required=True, allow_none=True, validate=validate.OneOf([str(one) for one in RefundState]))


class RedemptionsOut(HouseSchema):
    """A page of redemptions, the newest first."""

    items = fields.List(fields.Nested(RedemptionOut), required=True)
    next = Cursor(required=True, allow_none=True)


class WholeVoucherOut(VoucherOut):
    """An account with its statement, its cards and what firms took."""

    statement = fields.List(fields.Nested(StatementLineOut), required=True)
    cards = fields.List(fields.Nested(VoucherCardOut), required=True)
    redemptions = fields.List(fields.Nested(RedemptionOut), required=True)


class LookUp(HouseSchema):
    """The code of a card, scanned or typed."""

    code = Text(most=LONGEST_CODE, least=1, required=True)


class ShownVoucherOut(HouseSchema):
    """What a firm is shown of a card: part of the name to compare, what is left, until when."""

    number = fields.Integer(required=True)
    name = fields.String(required=True)
    left_fen = fields.Integer(required=True)
    expires_on = fields.Date(required=True)
    state = fields.String(required=True, validate=validate.OneOf([str(one) for one in VoucherState]))


class Redeem(LookUp):
    """How much of it, for what, for which order of the firm (its number)."""

    fen = an_amount()
    what = Text(most=LONGEST_WHAT, least=1, required=True)
    order_number = Text(most=40, least=1, load_default=None, allow_none=True)


class AskRefund(HouseSchema):
    """Why a redemption is to be taken back."""

    words = Text(most=LONGEST_WORDS, least=1, required=True)


class RefundOut(HouseSchema):
    """A redemption that is to be taken back, as a person decides it."""

    id = fields.Integer(required=True)
    redemption_id = fields.Integer(required=True)
    words = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf([str(one) for one in RefundState]))
    reason = fields.String(required=True)
    asked_at = Moment(required=True)
    decided_at = Moment(required=True, allow_none=True)


class SettlementOut(HouseSchema):
    """What a firm is paid for a month of one fund; `payment` is how its spending stands."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    performer_id = fields.Integer(required=True)
    firm = fields.String(required=True)
    fund_id = fields.Integer(required=True)
    month = fields.String(required=True)
    fen = fields.Integer(required=True)
    redemption_count = fields.Integer(required=True)
    spending_id = fields.Integer(required=True)
    payment = fields.String(required=True, validate=validate.OneOf(PAYMENTS))
    made_at = Moment(required=True)


class SettlementsOut(HouseSchema):
    """A page of settlements, the newest first."""

    items = fields.List(fields.Nested(SettlementOut), required=True)
    next = Cursor(required=True, allow_none=True)


class MadeSettlementsOut(HouseSchema):
    """The settlements that were asked for, one for each firm and fund."""

    items = fields.List(fields.Nested(SettlementOut), required=True)


class WholeSettlementOut(SettlementOut):
    """A settlement with what stands in it."""

    redemptions = fields.List(fields.Nested(RedemptionOut), required=True)


class MonthQuery(HouseSchema):
    """Of which community, until the end of which month."""

    community_id = id_in_address(required=True)
    month = a_month()


class SettleMonth(HouseSchema):
    """Which month of which community."""

    community_id = identity(required=True)
    month = a_month()


class OwedOut(HouseSchema):
    """What a firm is owed of one fund and was not settled."""

    performer_id = fields.Integer(required=True)
    firm = fields.String(required=True)
    fund_id = fields.Integer(required=True)
    fen = fields.Integer(required=True)
    redemption_count = fields.Integer(required=True)


class AllOwedOut(HouseSchema):
    """What firms are owed, by firm and fund."""

    items = fields.List(fields.Nested(OwedOut), required=True)
