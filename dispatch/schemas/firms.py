"""Firms over HTTP: applications in, standing, papers, decisions and prices out."""

from marshmallow import fields, validate

from dispatch.rules.catalogue.firms import LONGEST_REASON, FirmAction, Standing
from dispatch.rules.catalogue.prices import LONGEST_ITEM, LONGEST_UNIT, MOST_FEN, MOST_LINES
from dispatch.schemas.fields import HouseSchema, Moment, Text, identity
from dispatch.schemas.grid import Cursor, PageQuery

DECISIONS = [str(one) for one in FirmAction if one not in {FirmAction.APPLY, FirmAction.WARN}]
MOST_KINDS = 40
MOST_PAPERS = 20
MOST_HOURS = 14
MOST_VERSION = 2_147_483_647


class FirmQuery(PageQuery):
    """Which firms: by name, code or unified social credit code, and by standing."""

    q = Text(most=100, load_default="")
    standing = fields.String(load_default=None, validate=validate.OneOf([str(one) for one in Standing]))
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=50))


class WritePaper(HouseSchema):
    """A licence or certificate with its days."""

    kind = Text(most=40, least=1, required=True)
    number = Text(most=60, least=1, required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True)


class ApplyFirm(HouseSchema):
    """A firm's application."""

    community_id = identity(required=True)
    code = Text(most=40, least=1, required=True)
    name = Text(most=60, least=1, required=True)
    uscc = Text(most=40, least=1, required=True, metadata={"description": "GB 32100"})
    contact = Text(most=40, load_default=None, allow_none=True)
    phone = Text(most=40, least=1, required=True)
    email = Text(most=200, least=3, required=True)
    capacity = fields.Integer(strict=True, required=True, validate=validate.Range(min=1, max=200))
    hours = fields.List(
        Text(most=40, least=1),
        required=True,
        validate=validate.Length(min=1, max=MOST_HOURS),
        metadata={"description": "first weekday-last weekday from-until, as 1-5 08:00-18:00"},
    )
    service_codes = fields.List(Text(most=60, least=1), required=True, validate=validate.Length(min=1, max=MOST_KINDS))
    area_ids = fields.List(identity(), load_default=list, validate=validate.Length(max=100))
    papers = fields.List(fields.Nested(WritePaper), load_default=list, validate=validate.Length(max=MOST_PAPERS))


class DecideFirm(HouseSchema):
    """What is decided about a firm; a suspension says until when."""

    action = fields.String(required=True, validate=validate.OneOf(DECISIONS))
    reason = Text(most=LONGEST_REASON, least=1, required=True)
    until = Moment(load_default=None, allow_none=True)


class PriceLineBody(HouseSchema):
    """What one thing costs, in fen."""

    item = Text(most=LONGEST_ITEM, least=1, required=True)
    unit = Text(most=LONGEST_UNIT, least=1, required=True)
    from_fen = fields.Integer(strict=True, required=True, validate=validate.Range(min=0, max=MOST_FEN))
    to_fen = fields.Integer(strict=True, required=True, validate=validate.Range(min=0, max=MOST_FEN))


class WritePrices(HouseSchema):
    """The next version of a list; `version` is the one that was read, 0 for none."""

    service_code = Text(most=60, least=1, required=True)
    valid_from = fields.Date(required=True)
    version = fields.Integer(strict=True, required=True, validate=validate.Range(min=0, max=MOST_VERSION))
    lines = fields.List(fields.Nested(PriceLineBody), required=True, validate=validate.Length(min=1, max=MOST_LINES))


class PaperOut(HouseSchema):
    """A paper."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True)
    number = fields.String(required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True)
    given_up_at = Moment(required=True, allow_none=True)


class FirmOut(HouseSchema):
    """A firm; never a phone, an address of messages or a secret."""

    code = fields.String(required=True)
    name = fields.String(required=True)
    uscc = fields.String(required=True, allow_none=True)
    standing = fields.String(required=True, validate=validate.OneOf([str(one) for one in Standing]))
    suspended_until = Moment(required=True, allow_none=True)
    kinds = fields.List(fields.String(), required=True)
    capacity = fields.Integer(required=True)
    satisfaction_permille = fields.Integer(required=True)
    papers_until = fields.Date(required=True, allow_none=True)
    papers_missing = fields.List(fields.String(), required=True)


class FirmPageOut(HouseSchema):
    """A page of firms."""

    items = fields.List(fields.Nested(FirmOut), required=True)
    next = Cursor(required=True, allow_none=True)


class FirmDecisionOut(HouseSchema):
    """What was decided."""

    action = fields.String(required=True)
    reason = fields.String(required=True)
    until = Moment(required=True, allow_none=True)
    decided_at = Moment(required=True)


class DecidedOut(HouseSchema):
    """The firm after a decision, and the orders that it has in hand: somebody decides about them."""

    firm = fields.Nested(FirmOut, required=True)
    in_hand = fields.List(fields.String(), required=True)


class FirmDecisionsOut(HouseSchema):
    """The newest first."""

    items = fields.List(fields.Nested(FirmDecisionOut), required=True)


class PapersOut(HouseSchema):
    """A firm's papers."""

    items = fields.List(fields.Nested(PaperOut), required=True)


class PriceListOut(HouseSchema):
    """A version of a price list."""

    service_code = fields.String(required=True)
    version = fields.Integer(required=True)
    valid_from = fields.Date(required=True)
    written_at = Moment(required=True)
    lines = fields.List(fields.Nested(PriceLineBody), required=True)


class PriceListsOut(HouseSchema):
    """Every version, by kind, newest first."""

    items = fields.List(fields.Nested(PriceListOut), required=True)
