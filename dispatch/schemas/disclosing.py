"""Statements of the supermarket in and out."""

from marshmallow import fields, validate

from dispatch.schemas.fields import MOST_ID, HouseSchema, Moment, Text, identity


class ListDisclosures(HouseSchema):
    """Of which community."""

    community_id = fields.Integer(required=True, validate=validate.Range(min=1, max=MOST_ID))


class SharedDays(HouseSchema):
    """Days that another statement (its newest version) tells of as well."""

    id = fields.Integer(required=True)
    first_day = fields.Date(required=True, data_key="from")
    last_day = fields.Date(required=True, data_key="until")


class DisclosureOut(HouseSchema):
    """A published version; `digest` is SHA-256 of the body, `root` stands over the gifts. Files: docs/verify.

    What stands in `shared` is told by another statement too: the figures of both are not to be added up.
    """

    id = fields.Integer(required=True)
    first_day = fields.Date(required=True, data_key="from")
    last_day = fields.Date(required=True, data_key="until")
    version = fields.Integer(required=True)
    note = fields.String(required=True)
    published_at = Moment(required=True)
    digest = fields.Function(lambda made: made["digest"].hex(), required=True)
    root = fields.Function(lambda made: made["root"].hex(), required=True)
    leaf_count = fields.Integer(required=True, data_key="lines")
    shared = fields.List(fields.Nested(SharedDays), required=True)


class DisclosuresOut(HouseSchema):
    """The published versions, newest first; the newest hundred."""

    items = fields.List(fields.Nested(DisclosureOut), required=True)


class AskProof(HouseSchema):
    """Number and secret of one's own receipt; the community's id has one spelling, or a receipt had many limits."""

    community_id = identity(required=True)
    number = Text(most=20, required=True)
    secret = Text(most=20, required=True)


class ProvedLine(HouseSchema):
    """The line without its secret: amount in the smallest unit, `day` of the journal."""

    receipt = fields.String(required=True)
    commodity = fields.String(required=True)
    amount = fields.Integer(required=True)
    day = fields.String(required=True)


class ProofOut(HouseSchema):
    """The place of the line among the leaves (from 0) and the digests beside its way to the root, from below."""

    statement = fields.Integer(required=True)
    digest = fields.String(required=True)
    line = fields.Nested(ProvedLine, required=True)
    position = fields.Integer(required=True)
    beside = fields.List(fields.String(), required=True)
