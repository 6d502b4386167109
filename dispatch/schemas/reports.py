"""Reports out."""

from marshmallow import fields, validate

from dispatch.schemas.fields import HouseSchema, Moment, Text


class ListStatements(HouseSchema):
    """Which page."""

    cursor = Text(most=200, load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=100))


class StatementOut(HouseSchema):
    """The newest version of a community's statement of service for a quarter; `digest` is SHA-256 of the body."""

    community = fields.String(required=True)
    quarter = fields.String(required=True)
    version = fields.Integer(required=True)
    note = fields.String(required=True)
    published_at = Moment(required=True)
    digest = fields.String(required=True)
    body = fields.Dict(required=True)


class StatementPageOut(HouseSchema):
    """One page of statements, newest quarter first."""

    items = fields.List(fields.Nested(StatementOut), required=True)
    next = fields.String(required=True, allow_none=True)
