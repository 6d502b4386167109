"""The catalogue out: kinds of order, teams, performers."""

from marshmallow import fields, validate

from dispatch.schemas.fields import HouseSchema, Moment, Text
from dispatch.schemas.grid import Cursor, PageQuery

LISTS = ["hotline", "station", "counselling", "programme"]
TEAM_KINDS = ["block", "line"]
PERFORMER_KINDS = ["firm", "team_worker", "helper"]


class ServiceQuery(HouseSchema):
    """Which kinds: of one list, and what was typed (Chinese, pinyin, initials)."""

    list = fields.String(load_default=None, validate=validate.OneOf(LISTS))
    q = Text(most=200, load_default="")
    limit = fields.Integer(load_default=100, validate=validate.Range(min=1, max=100))


class QuestionOut(HouseSchema):
    """A question that the desk asks about a kind; `values` are the keys and words to choose from."""

    code = fields.String(required=True)
    text = fields.String(required=True)
    datatype = fields.String(required=True)
    required = fields.Boolean(required=True)
    values = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class ServiceOut(HouseSchema):
    """A kind of order: who does it, how it is given, its limits and questions."""

    id = fields.Integer(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    group = fields.String(required=True)
    synonyms = fields.List(fields.String(), required=True)
    offered = fields.List(fields.String(), required=True)
    questions = fields.List(fields.Nested(QuestionOut), required=True)
    performer = fields.String(required=True)
    given = fields.String(required=True)
    speciality = fields.String(required=True, allow_none=True)
    urgency = fields.String(required=True)
    hours = fields.String(required=True, allow_none=True)
    price_note = fields.String(required=True, allow_none=True)
    civic_working_days = fields.Integer(required=True)
    service_minutes = fields.Integer(required=True)
    service_clock = fields.String(required=True)
    arrive_minutes = fields.Integer(required=True, allow_none=True)
    confidential = fields.Boolean(required=True)


class ServicePageOut(HouseSchema):
    """The kinds that fit, best first; all that fit are on one page."""

    items = fields.List(fields.Nested(ServiceOut), required=True)
    next = Cursor(required=True, allow_none=True)


class TeamQuery(PageQuery):
    """Which teams."""

    kind = fields.String(load_default=None, validate=validate.OneOf(TEAM_KINDS))


class TeamOut(HouseSchema):
    """A block or line team."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(TEAM_KINDS))
    code = fields.String(required=True)
    name = fields.String(required=True)
    area_id = fields.Integer(required=True, allow_none=True)
    speciality = fields.String(required=True, allow_none=True)
    head_name = fields.String(required=True)


class TeamPageOut(HouseSchema):
    """A page of teams."""

    items = fields.List(fields.Nested(TeamOut), required=True)
    next = Cursor(required=True, allow_none=True)


class PerformerQuery(PageQuery):
    """Which performers."""

    kind = fields.String(load_default=None, validate=validate.OneOf(PERFORMER_KINDS))
    service_code = Text(most=60, least=1, load_default=None)


class PerformerOut(HouseSchema):
    """A firm, team worker or helper; never a phone, an address of messages or a secret."""

    id = fields.Integer(required=True)
    organisation_id = fields.Integer(required=True)
    community_id = fields.Integer(required=True, allow_none=True)
    kind = fields.String(required=True, validate=validate.OneOf(PERFORMER_KINDS))
    code = fields.String(required=True)
    name = fields.String(required=True)
    team_id = fields.Integer(required=True, allow_none=True)
    channel = fields.String(required=True)
    capacity = fields.Integer(required=True)
    satisfaction_permille = fields.Integer(required=True)
    suspended_until = Moment(required=True, allow_none=True)
    version = fields.Integer(required=True)


class PerformerPageOut(HouseSchema):
    """A page of performers."""

    items = fields.List(fields.Nested(PerformerOut), required=True)
    next = Cursor(required=True, allow_none=True)
