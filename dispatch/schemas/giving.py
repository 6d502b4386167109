"""Donors and pledges in and out: telephone numbers leave masked."""

from marshmallow import fields, validate

from dispatch.rules.market.pledges import (
    LONGEST_ADDRESS,
    LONGEST_NAME,
    LONGEST_WORDS,
    MOST_FEN,
    PledgeKind,
    PledgeSource,
    PledgeState,
)
from dispatch.schemas.fields import Flag, HouseSchema, Moment, QueryFlag, Text, identity
from dispatch.schemas.grid import Cursor, PageQuery

KINDS = ["person", "body"]
MOST_VERSION = 2_147_483_647
BY_PEOPLE = [str(PledgeSource.DESK), str(PledgeSource.LINE)]


class DonorQuery(PageQuery):
    """Which donors: by a part of the name or a whole telephone number."""

    q = Text(most=100, load_default="")
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=50))


class AddDonor(HouseSchema):
    """Somebody who gives; `is_named`: consents to be named on statements; `email`: to be thanked there."""

    community_id = identity(required=True)
    name = Text(most=LONGEST_NAME, least=1, required=True)
    kind = fields.String(load_default="person", validate=validate.OneOf(KINDS))
    phone = Text(most=40, load_default=None, allow_none=True)
    email = Text(most=200, load_default=None, allow_none=True)
    is_overseas = Flag(load_default=False)
    is_named = Flag(load_default=False)


class NameDonor(HouseSchema):
    """Whether a donor consents to be named on statements."""

    is_named = Flag(required=True)


class DonorOut(HouseSchema):
    """A donor; the telephone number is masked."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    name = fields.String(required=True)
    phone = fields.String(required=True)
    is_overseas = fields.Boolean(required=True)
    is_named = fields.Boolean(required=True)
    created_at = Moment(required=True)


class DonorsOut(HouseSchema):
    """A page of donors, newest first."""

    items = fields.List(fields.Nested(DonorOut), required=True)
    next = Cursor(required=True, allow_none=True)


class PledgeQuery(PageQuery):
    """Which pledges: those that wait, or all."""

    ended = QueryFlag(load_default=False, metadata={"description": "received and withdrawn ones as well"})
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=50))


class TakePledge(HouseSchema):
    """A promise of money (`fen`) or goods (`address_text`: where to fetch them)."""

    community_id = identity(required=True)
    kind = fields.String(required=True, validate=validate.OneOf([str(one) for one in PledgeKind]))
    source = fields.String(load_default=str(PledgeSource.LINE), validate=validate.OneOf(BY_PEOPLE))
    words = Text(most=LONGEST_WORDS, least=1, required=True)
    fen = fields.Integer(strict=True, load_default=None, allow_none=True, validate=validate.Range(min=1, max=MOST_FEN))
    wish = Text(most=LONGEST_WORDS, load_default="")
    name = Text(most=LONGEST_NAME, load_default=None, allow_none=True)
    phone = Text(most=40, load_default=None, allow_none=True)
    is_overseas = Flag(load_default=False)
    is_named = Flag(load_default=False)
    address_text = Text(most=LONGEST_ADDRESS, load_default="")
    wanted_from = Moment(load_default=None, allow_none=True)
    wanted_until = Moment(load_default=None, allow_none=True)


class FetchPledge(HouseSchema):
    """Send somebody; `version` is the one that was read."""

    version = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1, max=MOST_VERSION))


class WithdrawPledge(FetchPledge):
    """Why a promise is kept no more."""

    reason = Text(most=LONGEST_WORDS, least=1, required=True)


class PledgeOut(HouseSchema):
    """A pledge; the telephone number is masked, `order_number` is the order that fetches it."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    version = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf([str(one) for one in PledgeKind]))
    source = fields.String(required=True, validate=validate.OneOf([str(one) for one in PledgeSource]))
    state = fields.String(required=True, validate=validate.OneOf([str(one) for one in PledgeState]))
    words = fields.String(required=True)
    fen = fields.Integer(required=True, allow_none=True)
    wish = fields.String(required=True)
    name = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True)
    is_overseas = fields.Boolean(required=True)
    is_named = fields.Boolean(required=True)
    address_text = fields.String(required=True)
    wanted_from = Moment(required=True, allow_none=True)
    wanted_until = Moment(required=True, allow_none=True)
    order_number = fields.String(required=True, allow_none=True)
    reason = fields.String(required=True, allow_none=True)
    created_at = Moment(required=True)


class PledgesOut(HouseSchema):
    """A page of pledges, newest first."""

    items = fields.List(fields.Nested(PledgeOut), required=True)
    next = Cursor(required=True, allow_none=True)
