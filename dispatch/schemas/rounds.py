"""Yearly rounds and relief shipments in and out; amounts in grams or pieces."""

from marshmallow import fields, validate

from dispatch.rules.market.rounds import LONGEST_REASON, LONGEST_SIGNER, MOST_AMOUNT, EntryState, RoundState
from dispatch.rules.market.shipments import LONGEST_WORDS, MOST_PERSONS, ShipmentState
from dispatch.schemas.beneficiaries import picture
from dispatch.schemas.fields import HouseSchema, Moment, Text, identity

MOST_LINES = 50


def amount(least: int = 1, **options: object) -> fields.Integer:
    """So many grams or pieces."""
    return fields.Integer(strict=True, validate=validate.Range(min=least, max=MOST_AMOUNT), **options)


class BillLine(HouseSchema):
    """So much of some goods."""

    goods_id = identity(required=True)
    amount = amount(required=True)


class PlanRound(HouseSchema):
    """A round of a year: from which market, and what every parcel holds."""

    year = fields.Integer(strict=True, required=True, validate=validate.Range(min=2000, max=2199))
    name = Text(most=60, least=1, required=True)
    facility_id = identity(required=True)
    bill = fields.List(fields.Nested(BillLine), required=True, validate=validate.Length(min=1, max=MOST_LINES))


class ListHousehold(HouseSchema):
    """Whose household is put on the list."""

    resident_id = identity(required=True)


class SignedPicture(HouseSchema):
    """What was signed: the drawn stroke (PNG), or else a picture of the paper; one of them is needed."""

    signature = picture(load_default="")
    paper = picture(load_default="")


class SignParcel(SignedPicture):
    """Who signed, with the relation where it was somebody else; on which day (today when not said)."""

    signer = Text(most=LONGEST_SIGNER, least=1, required=True)
    signed_on = fields.Date(load_default=None, allow_none=True)


class ExcuseHousehold(HouseSchema):
    """Why a household gets no parcel."""

    reason = Text(most=LONGEST_REASON, least=1, required=True)


class SetBackParcel(HouseSchema):
    """Why a parcel was not handed over."""

    set_back = Text(most=LONGEST_REASON, least=1, required=True)


class NoWord(HouseSchema):
    """A step that needs no word: nothing else is taken either."""


class RoundEntryOut(HouseSchema):
    """A household of the list; no name: the register has it."""

    id = fields.Integer(required=True)
    household_id = fields.Integer(required=True)
    resident_id = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf([str(one) for one in EntryState]))
    tries = fields.Integer(required=True)
    order_number = fields.String(required=True, allow_none=True)
    signed_on = fields.Date(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    set_back = fields.String(required=True, allow_none=True)


class YearlyRoundHead(HouseSchema):
    """A round and how far it is."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    year = fields.Integer(required=True)
    name = fields.String(required=True)
    facility_id = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf([str(one) for one in RoundState]))
    listed = fields.Integer(required=True)
    delivered = fields.Integer(required=True)
    excused = fields.Integer(required=True)


class YearlyRoundOut(YearlyRoundHead):
    """The same with its list."""

    entries = fields.List(fields.Nested(RoundEntryOut), required=True)


class PlanShipment(HouseSchema):
    """Where to, down to the town, for how many people, used up until when, of what."""

    facility_id = identity(required=True)
    partner_id = identity(load_default=None, allow_none=True)
    city = Text(most=LONGEST_WORDS, least=1, required=True)
    county = Text(most=LONGEST_WORDS, least=1, required=True)
    town = Text(most=LONGEST_WORDS, least=1, required=True)
    receiver = Text(most=LONGEST_WORDS, least=1, required=True)
    persons = fields.Integer(strict=True, required=True, validate=validate.Range(min=1, max=MOST_PERSONS))
    sends_on = fields.Date(required=True)
    consumed_by = fields.Date(required=True)
    lines = fields.List(fields.Nested(BillLine), required=True, validate=validate.Length(min=1, max=MOST_LINES))


class SignedLine(HouseSchema):
    """What the receiver signed for of some goods."""

    goods_id = identity(required=True)
    received = amount(0, required=True)
    returned = amount(0, load_default=0)
    reason = Text(most=LONGEST_REASON, load_default="")


class SignShipment(SignedPicture):
    """The receiver's signature, line by line."""

    signer = Text(most=LONGEST_WORDS, least=1, required=True)
    received_on = fields.Date(load_default=None, allow_none=True)
    lines = fields.List(fields.Nested(SignedLine), required=True, validate=validate.Length(min=1, max=MOST_LINES))


class WhyMissing(HouseSchema):
    """Why some of the goods are missing."""

    goods_id = identity(required=True)
    reason = Text(most=LONGEST_REASON, least=1, required=True)


class ReconcileShipment(HouseSchema):
    """Reasons for what is missing."""

    reasons = fields.List(fields.Nested(WhyMissing), load_default=list, validate=validate.Length(max=MOST_LINES))


class ShipmentLineOut(HouseSchema):
    """A line: sent, received, returned."""

    goods_id = fields.Integer(required=True)
    sent = fields.Integer(required=True)
    received = fields.Integer(required=True, allow_none=True)
    returned = fields.Integer(required=True)
    reason = fields.String(required=True)


class ShipmentOut(HouseSchema):
    """A shipment with its lines."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    facility_id = fields.Integer(required=True)
    partner_id = fields.Integer(required=True, allow_none=True)
    city = fields.String(required=True)
    county = fields.String(required=True)
    town = fields.String(required=True)
    receiver = fields.String(required=True)
    persons = fields.Integer(required=True)
    sends_on = fields.Date(required=True)
    consumed_by = fields.Date(required=True)
    state = fields.String(required=True, validate=validate.OneOf([str(one) for one in ShipmentState]))
    signer = fields.String(required=True, allow_none=True)
    received_on = fields.Date(required=True, allow_none=True)
    sent_at = Moment(required=True, allow_none=True)
    closed_at = Moment(required=True, allow_none=True)
    lines = fields.List(fields.Nested(ShipmentLineOut), required=True)


class RoundsOut(HouseSchema):
    """The rounds, the newest first, without their lists."""

    items = fields.List(fields.Nested(YearlyRoundHead), required=True)


class ShipmentsOut(HouseSchema):
    """The shipments, the newest first."""

    items = fields.List(fields.Nested(ShipmentOut), required=True)
