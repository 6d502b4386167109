"""The catalogue: kinds of order, teams and performers out, knowledge in and out."""

from marshmallow import fields, validate

from dispatch.rules.catalogue.knowledge import (
    LONGEST_BODY,
    LONGEST_SOURCE,
    LONGEST_TITLE,
    LONGEST_WORD,
    MOST_KINDS,
    MOST_WORDS,
)
from dispatch.schemas.fields import HouseSchema, Moment, QueryFlag, Text
from dispatch.schemas.grid import Cursor, PageQuery

LISTS = ["hotline", "station", "counselling", "programme"]
TEAM_KINDS = ["block", "line"]
PERFORMER_KINDS = ["firm", "team_worker", "helper"]
MOST_VERSION = 2_147_483_647
KNOWLEDGE_STATES = ["published", "withdrawn"]
KNOWLEDGE_CODE = validate.Regexp("^[A-Za-z0-9_]{1,60}$", error="编号请用字母、数字和下划线，最多60个")


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


class KnowledgeQuery(PageQuery):
    """Which knowledge: what was typed or said (Chinese, pinyin, initials), or all of it page by page."""

    q = Text(most=200, load_default="")
    kind = Text(
        most=60, least=1, load_default=None, metadata={"description": "code of a kind: with q its items go first"}
    )
    withdrawn = QueryFlag(load_default=False, metadata={"description": "without q: what was taken out of use"})


class WriteKnowledge(HouseSchema):
    """What an item says from now on."""

    title = Text(most=LONGEST_TITLE, least=1, required=True)
    body = Text(most=LONGEST_BODY, least=1, required=True)
    source = Text(most=LONGEST_SOURCE, least=1, required=True, metadata={"description": "where the answer stands"})
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(load_default=None, allow_none=True)
    kinds = fields.List(
        Text(most=LONGEST_WORD, least=1),
        required=True,
        validate=validate.Length(min=1, max=MOST_KINDS),
        metadata={"description": "codes of kinds; a call is counted under the first"},
    )
    words = fields.List(
        Text(most=LONGEST_WORD),
        load_default=list,
        validate=validate.Length(max=MOST_WORDS),
        metadata={"description": "what callers say"},
    )


class CreateKnowledge(WriteKnowledge):
    """A new item."""

    code = fields.String(required=True, validate=KNOWLEDGE_CODE)


class ReviseKnowledge(WriteKnowledge):
    """A new version; `version` is the one that was read, another one answers 409."""

    version = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=MOST_VERSION))


class WithdrawKnowledge(HouseSchema):
    """Take an item out of use."""

    reason = Text(most=LONGEST_SOURCE, least=1, required=True)
    version = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=MOST_VERSION))


class KnowledgeOut(HouseSchema):
    """An item with the text that stands."""

    id = fields.Integer(required=True)
    organisation_id = fields.Integer(required=True)
    code = fields.String(required=True)
    title = fields.String(required=True)
    kinds = fields.List(fields.String(), required=True)
    words = fields.List(fields.String(), required=True)
    state = fields.String(required=True, validate=validate.OneOf(KNOWLEDGE_STATES))
    version = fields.Integer(required=True)
    body = fields.String(required=True)
    source = fields.String(required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True, allow_none=True)
    published_at = Moment(required=True)
    withdraw_reason = fields.String(required=True, allow_none=True)


class KnowledgePageOut(HouseSchema):
    """What fits, best first, on one page; without q a page of all by id."""

    items = fields.List(fields.Nested(KnowledgeOut), required=True)
    next = Cursor(required=True, allow_none=True)


class KnowledgeVersionOut(HouseSchema):
    """What an item said from a moment on."""

    version = fields.Integer(required=True)
    title = fields.String(required=True)
    body = fields.String(required=True)
    source = fields.String(required=True)
    valid_from = fields.Date(required=True)
    valid_until = fields.Date(required=True, allow_none=True)
    published_at = Moment(required=True)


class KnowledgeVersionsOut(HouseSchema):
    """The newest versions first, two hundred at most."""

    items = fields.List(fields.Nested(KnowledgeVersionOut), required=True)
