"""三问 in and out: a name only to the staff, a telephone number always masked."""

from marshmallow import fields, validate

from dispatch.rules.care.asking import LONGEST_NAME, LONGEST_TITLE, LONGEST_WORDS, AskKind, EntrySource, Outcome
from dispatch.schemas.fields import Flag, HouseSchema, Moment, QueryFlag, Text, identity
from dispatch.schemas.grid import Cursor, PageQuery

KINDS = [str(one) for one in AskKind]
OUTCOMES = [str(one) for one in Outcome]
BY_PEOPLE = [str(EntrySource.DESK), str(EntrySource.HELPER)]


class AskingQuery(PageQuery):
    """A page of questions."""

    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=50))


class OpenAsking(HouseSchema):
    """A question to everybody, from a day until a day (none: until it is closed)."""

    community_id = identity(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    title = Text(most=LONGEST_TITLE, least=1, required=True)
    words = Text(most=LONGEST_WORDS, least=1, required=True)
    opens_on = fields.Date(required=True)
    closes_on = fields.Date(load_default=None, allow_none=True)


class AskingOut(HouseSchema):
    """A question, with how many entries it has and how many of them wait for an answer."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    title = fields.String(required=True)
    words = fields.String(required=True)
    opens_on = fields.Date(required=True)
    closes_on = fields.Date(required=True, allow_none=True)
    entries = fields.Integer(required=True)
    waiting = fields.Integer(required=True)


class AskingsOut(HouseSchema):
    """A page of questions, newest first."""

    items = fields.List(fields.Nested(AskingOut), required=True)
    next = Cursor(required=True, allow_none=True)


class AskingEntryQuery(AskingQuery):
    """Which entries of a question: all, or those that wait."""

    waiting = QueryFlag(load_default=False, metadata={"description": "only those without an answer"})


class TakeAskingEntry(HouseSchema):
    """What somebody says; an anonymous entry brings neither name nor telephone."""

    source = fields.String(load_default=str(EntrySource.DESK), validate=validate.OneOf(BY_PEOPLE))
    words = Text(most=LONGEST_WORDS, least=1, required=True)
    name = Text(most=LONGEST_NAME, load_default="")
    phone = Text(most=40, load_default="")
    anonymous = Flag(load_default=False)


class AnswerAskingEntry(HouseSchema):
    """The answer; `shown` is what is published of the entry, `order_number` the order that was opened for it."""

    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    answer = Text(most=LONGEST_WORDS, least=1, required=True)
    shown = Text(most=LONGEST_WORDS, least=1, required=True)
    order_number = Text(most=40, load_default="")


class AskingEntryOut(HouseSchema):
    """An entry as the staff read it."""

    id = fields.Integer(required=True)
    solicitation_id = fields.Integer(required=True)
    source = fields.String(required=True, validate=validate.OneOf([str(one) for one in EntrySource]))
    anonymous = fields.Boolean(required=True)
    words = fields.String(required=True)
    name = fields.String(required=True)
    phone = fields.String(required=True)
    said_at = Moment(required=True)
    outcome = fields.String(required=True, allow_none=True, validate=validate.OneOf([*OUTCOMES, None]))
    answer = fields.String(required=True, allow_none=True)
    shown = fields.String(required=True, allow_none=True)
    order_number = fields.String(required=True, allow_none=True)
    answered_at = Moment(required=True, allow_none=True)


class AskingEntriesOut(HouseSchema):
    """A page of entries, newest first."""

    items = fields.List(fields.Nested(AskingEntryOut), required=True)
    next = Cursor(required=True, allow_none=True)
