"""Beneficiaries, their applications and cards, in and out."""

from marshmallow import fields, validate

from dispatch.rules.market.cards import CardEnd
from dispatch.rules.market.eligibility import Ground, Standing
from dispatch.schemas.fields import Flag, HouseSchema, Moment, Text, id_in_address, identity
from dispatch.services.market.beneficiaries import Shown

GROUNDS = [str(one) for one in Ground]
STANDINGS = [str(one) for one in Standing]
SHOWN = [str(one) for one in Shown]
ENDS = [str(one) for one in CardEnd]
MOST_PICTURE = 250_000
MOST_PICTURES = 5


def picture(**options: object) -> Text:
    """A picture in base 64; a larger one is uploaded on the page."""
    return Text(most=MOST_PICTURE, least=4, metadata={"description": "JPEG, PNG or WebP in base 64"}, **options)


class ListBeneficiaries(HouseSchema):
    """What the list is narrowed to."""

    q = Text(most=100, load_default="")
    shown = fields.String(load_default=None, validate=validate.OneOf(SHOWN))
    after = id_in_address(load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=50))


class ApplyForAid(HouseSchema):
    """An application: the ground, for a person or a household, in words why, with pictures of its evidence."""

    ground = fields.String(required=True, validate=validate.OneOf(GROUNDS))
    circumstances = Text(most=1_000, least=1, required=True)
    resident_id = identity(load_default=None, allow_none=True)
    household_id = identity(load_default=None, allow_none=True)
    is_relative = Flag(load_default=False, metadata={"description": "a relative of a manager: two approve"})
    evidence = fields.List(picture(), load_default=list, validate=validate.Length(max=MOST_PICTURES))


class AddEvidence(HouseSchema):
    """One more picture of evidence."""

    picture = picture(required=True)


class NothingMore(HouseSchema):
    """A body without any field."""


class DecideAid(HouseSchema):
    """A decision on the state that was seen."""

    version = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1))


class DecideAidWithReason(DecideAid):
    """The same, with a reason."""

    reason = Text(most=1_000, least=1, required=True)


class AidApplicationOut(HouseSchema):
    """An application as lists show it: never its ground."""

    id = fields.Integer(required=True)
    beneficiary_id = fields.Integer(required=True)
    standing = fields.String(required=True, validate=validate.OneOf(STANDINGS))
    is_relative = fields.Boolean(required=True)
    applied_at = Moment(required=True)
    decided_at = Moment(required=True, allow_none=True)
    valid_from = fields.Date(required=True, allow_none=True)
    valid_until = fields.Date(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)
    version = fields.Integer(required=True)


class OpenedAidApplicationOut(AidApplicationOut):
    """An application with what is sealed in it; each reading is audited."""

    ground = fields.String(required=True, validate=validate.OneOf(GROUNDS))
    circumstances = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    end_reason = fields.String(required=True, allow_none=True)


class CardOut(HouseSchema):
    """A card; what is printed on it is not kept."""

    id = fields.Integer(required=True)
    beneficiary_id = fields.Integer(required=True)
    number = fields.Integer(required=True)
    issued_at = Moment(required=True)
    replaces_id = fields.Integer(required=True, allow_none=True)
    ended_at = Moment(required=True, allow_none=True)
    ended_as = fields.String(required=True, allow_none=True, validate=validate.OneOf(ENDS))


class NewCardOut(CardOut):
    """A card with what is to be printed: told once."""

    qr = fields.String(required=True, metadata={"description": "the text of the QR"})
    token = fields.String(required=True, metadata={"description": "to be printed under it, to be typed"})


class BeneficiaryOut(HouseSchema):
    """A beneficiary as lists show it: the name masked (null of a household), the newest application."""

    id = fields.Integer(required=True)
    name = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    card_number = fields.Integer(required=True, allow_none=True)
    application = fields.Nested(AidApplicationOut, required=True)


class BeneficiaryPageOut(HouseSchema):
    """One page; `next` is where the following begins, null at the end."""

    items = fields.List(fields.Nested(BeneficiaryOut), required=True)
    next = fields.Integer(required=True, allow_none=True)


class WholeBeneficiaryOut(BeneficiaryOut):
    """A beneficiary with all applications and cards, the newest first."""

    applications = fields.List(fields.Nested(AidApplicationOut), required=True)
    cards = fields.List(fields.Nested(CardOut), required=True)
