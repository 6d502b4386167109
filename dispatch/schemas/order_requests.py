"""Requests about an order, urging and supervision, in and out."""

from marshmallow import fields, validate

from dispatch.rules.orders.requests import RequestKind, RequestState
from dispatch.schemas.fields import Flag, HouseSchema, Moment, Text, identity
from dispatch.schemas.orders import Versioned, WithReason

KINDS = [str(kind) for kind in RequestKind]
STATES = [str(state) for state in RequestState]
MOST_DAYS = 180


class AskRequest(Versioned):
    """What a team asks: extension names days (or until, for long works), hold until, help team_id and task."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    grounds = Text(most=1_000, least=1, required=True)
    basis = Text(most=1_000, load_default="", metadata={"description": "duty basis of a return, evidence of an answer"})
    days = fields.Integer(
        strict=True, load_default=None, allow_none=True, validate=validate.Range(min=1, max=MOST_DAYS)
    )
    until = Moment(load_default=None, allow_none=True)
    long_works = Flag(load_default=False)
    team_id = identity(load_default=None, allow_none=True)
    task = Text(most=1_000, load_default="")


class DecideRequest(WithReason):
    """The decision; a granted return or reroute names the team that the order goes to."""

    granted = Flag(required=True)
    team_id = identity(load_default=None, allow_none=True)


class RequestOut(HouseSchema):
    """A request with its decision."""

    id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    number = fields.Integer(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    asked_at = Moment(required=True)
    grounds = fields.String(required=True, allow_none=True)
    basis = fields.String(required=True, allow_none=True)
    wish = fields.Dict(required=True)
    decide_due_at = Moment(required=True)
    decided_at = Moment(required=True, allow_none=True)
    decision = fields.String(required=True, allow_none=True)


class RequestsOut(HouseSchema):
    """Everything asked about an order, oldest first."""

    items = fields.List(fields.Nested(RequestOut), required=True)


class WaitingRequestOut(RequestOut):
    """A request that waits, with its order's number."""

    order_number = fields.String(required=True)


class WaitingRequestsOut(HouseSchema):
    """What waits for a decision, the most urgent first."""

    items = fields.List(fields.Nested(WaitingRequestOut), required=True)


class FinishHelp(Versioned):
    """What a helping team has done."""

    team_id = identity(required=True)
    answer = Text(most=1_000, least=1, required=True)


class Urge(WithReason):
    """An urging, by the resident or by the centre itself."""

    by_resident = Flag(load_default=False)


class Confidentiality(WithReason):
    """Whether an order is confidential from now on, and why."""

    confidential = Flag(required=True)


class EndSupervision(Versioned):
    """The closing check of a supervision."""

    finding = Text(most=500, least=1, required=True)
