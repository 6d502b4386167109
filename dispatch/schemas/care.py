"""Schedules of visits in and out."""

from marshmallow import ValidationError, fields, validate, validates_schema

from dispatch.rules.shanghai import SHANGHAI
from dispatch.schemas.fields import HouseSchema, Moment, QueryFlag, Text, identity

STATES = ["placed", "done", "cancelled", "missed"]
LONGEST_RULE = 500
LONGEST_NOTE = 500
FEWEST_MINUTES, MOST_MINUTES = 15, 1440


def start(**options: object) -> Moment:
    """DTSTART: an instant, or a time without zone, which is local in Shanghai."""
    return Moment(
        default_timezone=SHANGHAI,
        metadata={"description": "DTSTART; without zone it is local in Asia/Shanghai"},
        **options,
    )


def window(**options: object) -> fields.Integer:
    """How long after its start a visit may begin, in minutes."""
    return fields.Integer(strict=True, validate=validate.Range(min=FEWEST_MINUTES, max=MOST_MINUTES), **options)


class PlanVisits(HouseSchema):
    """A schedule: who is visited, of what kind, when (DTSTART and RRULE), by a performer or a team."""

    resident_id = identity(required=True)
    service_code = Text(most=60, least=1, required=True, metadata={"description": "a kind offered for visits"})
    dtstart = start(required=True)
    rrule = Text(most=LONGEST_RULE, least=1, required=True, metadata={"description": "RFC 5545; DAILY or slower"})
    window_minutes = window(load_default=120)
    until = fields.Date(load_default=None, allow_none=True)
    performer_id = identity(load_default=None, allow_none=True)
    team_id = identity(load_default=None, allow_none=True)
    note = Text(most=LONGEST_NOTE, load_default="")


class ChangeVisits(HouseSchema):
    """What is to change, and why; unaccepted orders are cancelled and the new plan is placed."""

    reason = Text(most=LONGEST_NOTE, least=1, required=True)
    version = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1))
    dtstart = start()
    rrule = Text(most=LONGEST_RULE, least=1)
    window_minutes = window()
    until = fields.Date(allow_none=True)
    performer_id = identity(allow_none=True)
    team_id = identity(allow_none=True)
    note = Text(most=LONGEST_NOTE)

    @validates_schema
    def changes_something(self, data: dict[str, object], **_: object) -> None:
        """A change names at least one field."""
        if not data.keys() - {"reason", "version"}:
            raise ValidationError("请写明要改的内容", field_name="reason")


class EndVisits(HouseSchema):
    """Why a schedule ends."""

    reason = Text(most=LONGEST_NOTE, least=1, required=True)
    version = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1))


class VisitScheduleOut(HouseSchema):
    """A schedule as its planners see it."""

    id = fields.Integer(required=True)
    version = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    resident_id = fields.Integer(required=True)
    service_id = fields.Integer(required=True)
    dtstart = Moment(required=True)
    rrule = fields.String(required=True)
    window_minutes = fields.Integer(required=True)
    until = fields.Date(required=True, allow_none=True)
    performer_id = fields.Integer(required=True, allow_none=True)
    team_id = fields.Integer(required=True, allow_none=True)
    note = fields.String(required=True)
    placed_through = Moment(required=True, allow_none=True)
    created_at = Moment(required=True)
    ended_at = Moment(required=True, allow_none=True)
    end_reason = fields.String(required=True, allow_none=True)


class VisitSchedulePageOut(HouseSchema):
    """One page of schedules; `next` is the cursor of the following page, null at the end."""

    items = fields.List(fields.Nested(VisitScheduleOut), required=True)
    next = fields.String(required=True, allow_none=True)


class ListVisits(HouseSchema):
    """What a list of schedules is narrowed to."""

    resident_id = fields.Integer(validate=validate.Range(min=1, max=2**63 - 1))
    performer_id = fields.Integer(validate=validate.Range(min=1, max=2**63 - 1))
    team_id = fields.Integer(validate=validate.Range(min=1, max=2**63 - 1))
    ended = QueryFlag(load_default=False, metadata={"description": "ended ones as well"})
    cursor = Text(most=200, load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=100))


class OccurrenceOut(HouseSchema):
    """One visit of a schedule, with the number of its order."""

    occurs_at = Moment(required=True)
    window_until = Moment(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    reason = fields.String(required=True, allow_none=True)
    order_number = fields.String(required=True, allow_none=True)


class OccurrencesOut(HouseSchema):
    """The newest visits of a schedule, newest first."""

    items = fields.List(fields.Nested(OccurrenceOut), required=True)
