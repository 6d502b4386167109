"""Life events in and out: words are sealed and leave only to who runs 三访."""

from marshmallow import fields, validate

from dispatch.rules.care.events import Event, Source, Trigger
from dispatch.schemas.asking import AskingQuery
from dispatch.schemas.fields import Flag, HouseSchema, Moment, Text, identity
from dispatch.schemas.grid import Cursor

KINDS = [str(one) for one in Event]
SOURCES = [str(one) for one in Source]
STATES = ["waiting", "placed", "done", "failed", "ended"]
LONGEST = 500


class EventsQuery(AskingQuery):
    """A page of events."""


class TellEvent(HouseSchema):
    """What happened to a person, or to the household of one."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    happened_on = fields.Date(required=True)
    resident_id = identity(load_default=None, allow_none=True)
    household_id = identity(load_default=None, allow_none=True)
    source = fields.String(load_default=str(Source.REGISTER), validate=validate.OneOf(SOURCES))
    words = Text(most=LONGEST, load_default="")
    performer_id = identity(load_default=None, allow_none=True, metadata={"description": "who is named to visit"})


class CondolenceOut(HouseSchema):
    """A visit of 三访 that an event owes."""

    id = fields.Integer(required=True)
    occasion = fields.String(required=True)
    due_at = Moment(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    performer_id = fields.Integer(required=True, allow_none=True)
    order_number = fields.String(required=True, allow_none=True)
    done_at = Moment(required=True, allow_none=True)
    spending_id = fields.Integer(required=True, allow_none=True)


class LifeEventOut(HouseSchema):
    """An event with its visits, the newest first; `effects` are the tables in which a death or a move ended rows."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    resident_id = fields.Integer(required=True, allow_none=True)
    household_id = fields.Integer(required=True, allow_none=True)
    happened_on = fields.Date(required=True)
    until = fields.Date(required=True, allow_none=True)
    source = fields.String(required=True, validate=validate.OneOf(SOURCES))
    told_at = Moment(required=True)
    withdrawal_asked_at = Moment(required=True, allow_none=True)
    withdrawn_at = Moment(required=True, allow_none=True)
    visits = fields.List(fields.Nested(CondolenceOut), required=True)
    effects = fields.List(fields.String(), required=True)


class ToldOut(HouseSchema):
    """What became of what was told: its event, or null where somebody has to verify it first."""

    event = fields.Nested(LifeEventOut, required=True, allow_none=True)


class LifeEventLineOut(LifeEventOut):
    """An event in a list, without its visits."""

    class Meta:
        """marshmallow's own settings."""

        exclude = ("visits", "effects")


class LifeEventsOut(HouseSchema):
    """A page of events, newest first."""

    items = fields.List(fields.Nested(LifeEventLineOut), required=True)
    next = Cursor(required=True, allow_none=True)


class NameVisitor(HouseSchema):
    """Who goes."""

    performer_id = identity(required=True)


class AskCondolenceGift(HouseSchema):
    """How much from which fund for party care, from where it lies."""

    fund_id = identity(required=True)
    holding_id = identity(required=True)
    fen = fields.Integer(required=True, strict=True, validate=validate.Range(min=1, max=10_000_000))


class AskWithdrawal(HouseSchema):
    """What was told wrongly."""

    reason = Text(most=LONGEST, least=1, required=True)


class CareGroupOut(HouseSchema):
    """A group of 三访三问 with its switches, its members today, how many of them were visited, what the year owed."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    code = fields.String(required=True)
    name = fields.String(required=True)
    members = fields.Integer(required=True)
    on = fields.List(fields.String(validate=validate.OneOf([str(one) for one in Trigger])), required=True)
    visited = fields.Integer(required=True)
    events = fields.Integer(required=True)
    owed = fields.Integer(required=True)
    in_time = fields.Integer(required=True)
    late = fields.Integer(required=True)
    waiting = fields.Integer(required=True)


class CareGroupsQuery(HouseSchema):
    """The year whose visits are counted; today's without one."""

    year = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=2000, max=2199))


class CareGroupsOut(HouseSchema):
    """The groups."""

    items = fields.List(fields.Nested(CareGroupOut), required=True)


class SwitchGroup(HouseSchema):
    """Whether a trigger holds for a group."""

    trigger = fields.String(required=True, validate=validate.OneOf([str(one) for one in Trigger]))
    is_on = Flag(required=True)


class ListMember(HouseSchema):
    """A resident who belongs to a listed group, or does no more."""

    resident_id = identity(required=True)
    ends = Flag(load_default=False)
