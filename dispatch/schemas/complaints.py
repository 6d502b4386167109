"""Complaints about firms, in and out."""

from marshmallow import fields, validate

from dispatch.rules.orders.complaints import ComplaintKind, ComplaintState, Consequence
from dispatch.schemas.fields import Flag, HouseSchema, Moment, Text, identity
from dispatch.schemas.orders import Versioned, WithReason

KINDS = [str(kind) for kind in ComplaintKind]
STATES = [str(state) for state in ComplaintState]
CONSEQUENCES = [str(one) for one in Consequence]
MOST_FEN = 100_000_000


def fen(**options: object) -> fields.Integer:
    """An amount in whole fen."""
    return fields.Integer(strict=True, allow_none=True, validate=validate.Range(min=0, max=MOST_FEN), **options)


class RaiseComplaint(Versioned):
    """A complaint; about the price with what the resident calls right, about an earlier firm with its id."""

    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    words = Text(most=1_000, least=1, required=True)
    right_fen = fen(load_default=None)
    performer_id = identity(load_default=None, allow_none=True)


class AnswerComplaint(Versioned):
    """What the firm answers."""

    answer = Text(most=1_000, least=1, required=True)


class DecideComplaint(WithReason):
    """The decision: the refund of an upheld dispute, the end of a suspension."""

    upheld = Flag(required=True)
    consequence = fields.String(load_default="none", validate=validate.OneOf(CONSEQUENCES))
    refund_fen = fen(load_default=None)
    until = Moment(load_default=None, allow_none=True)


class ComplaintOut(HouseSchema):
    """A complaint with its answer and decision."""

    id = fields.Integer(required=True)
    number = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(KINDS))
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    performer_id = fields.Integer(required=True)
    words = fields.String(required=True, allow_none=True)
    disputed_fen = fields.Integer(required=True, allow_none=True)
    raised_at = Moment(required=True)
    answer_due_at = Moment(required=True)
    answer = fields.String(required=True, allow_none=True)
    answered_at = Moment(required=True, allow_none=True)
    decided_at = Moment(required=True, allow_none=True)
    decision = fields.String(required=True, allow_none=True)
    consequence = fields.String(required=True, validate=validate.OneOf(CONSEQUENCES))
    refund_fen = fields.Integer(required=True, allow_none=True)


class ComplaintsOut(HouseSchema):
    """The complaints about an order, oldest first."""

    items = fields.List(fields.Nested(ComplaintOut), required=True)


class WaitingComplaintOut(ComplaintOut):
    """A complaint that waits, with its order's number."""

    order_number = fields.String(required=True)


class WaitingComplaintsOut(HouseSchema):
    """What is not decided, by the end of the time to answer."""

    items = fields.List(fields.Nested(WaitingComplaintOut), required=True)
