"""Orders in and out."""

from marshmallow import fields, validate

from dispatch.rules.catalogue.knowledge import Useful
from dispatch.rules.orders.callback import Satisfaction
from dispatch.rules.orders.ledger import Bucket
from dispatch.rules.orders.states import OrderState
from dispatch.rules.orders.urgency import Urgency
from dispatch.schemas.fields import MOST_ID, Flag, HouseSchema, Moment, QueryFlag, Text, identity

URGENCIES = [str(one) for one in Urgency]
STATES = [str(one) for one in OrderState]
BUCKETS = [str(one) for one in Bucket]
SATISFACTIONS = [str(one) for one in Satisfaction]
USEFUL = [str(one) for one in Useful]
MOST_ANSWERS = 20
MOST_VERSION = 2_147_483_647


class PlaceOrder(HouseSchema):
    """A call that becomes an order. The place: free text, or the id of a stairwell or building."""

    service_code = Text(
        most=60, least=1, required=True, metadata={"description": "code of the kind, GET /api/services"}
    )
    description = Text(most=4_000, least=1, required=True)
    address_text = Text(most=500, load_default="")
    stairwell_id = identity(load_default=None, allow_none=True)
    building_id = identity(load_default=None, allow_none=True)
    room = Text(most=20, load_default=None, allow_none=True)
    caller_name = Text(most=60, load_default=None, allow_none=True)
    caller_phone = Text(most=40, load_default=None, allow_none=True)
    caller_resident_id = identity(load_default=None, allow_none=True)
    wanted_from = Moment(load_default=None, allow_none=True)
    wanted_until = Moment(load_default=None, allow_none=True)
    urgency = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(URGENCIES))
    answers = fields.Dict(
        keys=Text(most=60),
        values=Text(most=500),
        load_default=dict,
        validate=validate.Length(max=MOST_ANSWERS),
    )
    source_number = Text(most=100, load_default=None, allow_none=True)
    named_performer_id = identity(load_default=None, allow_none=True)
    excluded_performers = fields.List(identity(), load_default=list, validate=validate.Length(max=20))
    confidential = Flag(load_default=None, allow_none=True)


class Candidate(HouseSchema):
    """A place that may be meant."""

    outcome = fields.String(required=True)
    label = fields.String(required=True)
    community_id = fields.Integer(required=True)
    area_id = fields.Integer(required=True)
    building_id = fields.Integer(required=True, allow_none=True)
    stairwell_id = fields.Integer(required=True, allow_none=True)


class OrderOut(HouseSchema):
    """An order as its desk sees it; phones are masked."""

    number = fields.String(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    version = fields.Integer(required=True)
    service_id = fields.Integer(required=True, allow_none=True, metadata={"description": "null: confidential"})
    urgency = fields.String(required=True, validate=validate.OneOf(URGENCIES))
    description = fields.String(required=True)
    address_text = fields.String(required=True)
    place_outcome = fields.String(required=True)
    place_candidates = fields.List(fields.Nested(Candidate), required=True)
    community_id = fields.Integer(required=True, allow_none=True)
    area_id = fields.Integer(required=True, allow_none=True)
    building_id = fields.Integer(required=True, allow_none=True)
    stairwell_id = fields.Integer(required=True, allow_none=True)
    room = fields.String(required=True, allow_none=True)
    caller_name = fields.String(required=True, allow_none=True)
    caller_phone = fields.String(required=True, allow_none=True, metadata={"description": "masked"})
    wanted_from = Moment(required=True, allow_none=True)
    wanted_until = Moment(required=True, allow_none=True)
    created_at = Moment(required=True)
    civic_due_at = Moment(required=True, allow_none=True)
    service_due_at = Moment(required=True, allow_none=True)
    arrive_due_at = Moment(required=True, allow_none=True)
    accountable_team_id = fields.Integer(required=True, allow_none=True)
    lead_team_id = fields.Integer(required=True, allow_none=True)
    performer_id = fields.Integer(required=True, allow_none=True)
    waits_for = fields.String(required=True, allow_none=True)
    accepted_at = Moment(required=True, allow_none=True)
    arrived_at = Moment(required=True, allow_none=True)
    finished_at = Moment(required=True, allow_none=True)
    closed_at = Moment(required=True, allow_none=True)
    result = fields.String(required=True, allow_none=True)
    cost_fen = fields.Integer(required=True, allow_none=True)
    satisfaction = fields.String(required=True, allow_none=True)
    callback_due_at = Moment(required=True, allow_none=True)
    reopened = fields.Integer(required=True)
    repeat_calls = fields.Integer(required=True)


class OrderPageOut(HouseSchema):
    """One page of orders; `next` is the cursor of the following page, null at the end."""

    items = fields.List(fields.Nested(OrderOut), required=True)
    next = fields.String(required=True, allow_none=True)


class ListOrders(HouseSchema):
    """What a list is narrowed to."""

    state = fields.String(validate=validate.OneOf(STATES))
    area_id = fields.Integer(validate=validate.Range(min=1, max=MOST_ID))
    urgency = fields.String(validate=validate.OneOf(URGENCIES))
    placed_from = Moment()
    placed_until = Moment()
    late = QueryFlag(load_default=False)
    cursor = Text(most=200, load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=100))


class EventOut(HouseSchema):
    """One step of the history."""

    version = fields.Integer(required=True)
    action = fields.String(required=True)
    from_state = fields.String(required=True, allow_none=True)
    to_state = fields.String(required=True)
    at = Moment(required=True)
    actor_kind = fields.String(required=True)
    user_id = fields.Integer(required=True, allow_none=True)
    performer_id = fields.Integer(required=True, allow_none=True)
    facts = fields.Dict(required=True)
    reason = fields.String(required=True, allow_none=True)


class HistoryOut(HouseSchema):
    """The whole history of an order, oldest first."""

    items = fields.List(fields.Nested(EventOut), required=True)


class SpellOut(HouseSchema):
    """A stretch in which an order waited for one: seconds that count, and those outside hours."""

    bucket = fields.String(required=True, validate=validate.OneOf(BUCKETS))
    begin = Moment(required=True)
    end = Moment(required=True)
    seconds = fields.Integer(required=True)
    outside = fields.Integer(required=True)


class LedgerOut(HouseSchema):
    """Whom every second of an order's life waited for: the buckets add up to the elapsed time."""

    begin = Moment(required=True)
    end = Moment(required=True)
    elapsed = fields.Integer(required=True)
    seconds = fields.Dict(keys=fields.String(validate=validate.OneOf(BUCKETS)), values=fields.Integer(), required=True)
    spells = fields.List(fields.Nested(SpellOut), required=True)


class DecisionOut(HouseSchema):
    """One decision in plain sentences."""

    cycle = fields.Integer(required=True)
    round = fields.Integer(required=True)
    rule_version = fields.Integer(required=True)
    made_at = Moment(required=True)
    sentences = fields.List(fields.String(), required=True)


class DecisionsOut(HouseSchema):
    """Every decision on an order, oldest first."""

    items = fields.List(fields.Nested(DecisionOut), required=True)


class OfferOut(HouseSchema):
    """One recipient's part in a round."""

    round = fields.Integer(required=True)
    performer_id = fields.Integer(required=True)
    performer = fields.String(required=True)
    outcome = fields.String(required=True)
    reason = fields.String(required=True, allow_none=True)
    opened_at = Moment(required=True)
    hold_until = Moment(required=True)
    answered_at = Moment(required=True, allow_none=True)


class OffersOut(HouseSchema):
    """The rounds of an order."""

    items = fields.List(fields.Nested(OfferOut), required=True)


class PreviewOut(HouseSchema):
    """What would happen if the call were saved now."""

    service_code = fields.String(required=True)
    urgency = fields.String(required=True)
    suggested_urgency = fields.String(required=True)
    place_outcome = fields.String(required=True)
    place_candidates = fields.List(fields.Nested(Candidate), required=True)
    stairwell_id = fields.Integer(required=True, allow_none=True)
    duplicates = fields.List(fields.Dict(), required=True)
    recipients = fields.List(fields.String(), required=True)
    sentences = fields.List(fields.String(), required=True)
    civic_due_at = Moment(required=True)
    service_due_at = Moment(required=True)


class Versioned(HouseSchema):
    """A step that may name the version on which it was decided; another version answers 409."""

    version = fields.Integer(load_default=None, allow_none=True, validate=validate.Range(min=1))


class SettlePlace(Versioned):
    """The place of an order whose address was not found: one of the three."""

    area_id = identity(load_default=None, allow_none=True)
    stairwell_id = identity(load_default=None, allow_none=True)
    building_id = identity(load_default=None, allow_none=True)


class WithReason(Versioned):
    """A step by hand, with its reason."""

    reason = Text(most=500, least=1, required=True)


class DispatchByHand(WithReason):
    """To whom an order is given by hand."""

    performer_id = identity(required=True)


class ChooseTeam(WithReason):
    """Which block team an order known only to its area belongs to."""

    team_id = identity(required=True)


class FeedBack(Versioned):
    """The answer given to the resident."""

    answer = Text(most=4_000, least=1, required=True)


class Cited(HouseSchema):
    """The knowledge that a call is closed with, as it was read, and what the caller says of it."""

    knowledge_code = Text(
        most=60, least=1, required=True, metadata={"description": "code of the item, GET /api/knowledge"}
    )
    knowledge_version = fields.Integer(
        load_default=None,
        allow_none=True,
        strict=True,
        validate=validate.Range(min=1, max=MOST_VERSION),
        metadata={"description": "the version that was read; 409 when another one stands by now"},
    )
    useful = fields.String(load_default=str(Useful.NOT_ASKED), validate=validate.OneOf(USEFUL))


class AnswerCall(PlaceOrder, Cited):
    """A call that is closed in the call. Without a kind it counts under the item's first."""

    service_code = Text(most=60, least=1, load_default=None, allow_none=True)
    description = Text(most=4_000, load_default="")


class AnswerOrder(Versioned, Cited):
    """An order in 受理中 that is closed with knowledge."""


class Usefulness(HouseSchema):
    """What the caller says of the answer."""

    useful = fields.String(required=True, validate=validate.OneOf([str(Useful.YES), str(Useful.NO)]))


class AnswerOut(HouseSchema):
    """What an order was answered with, as it was said then."""

    knowledge_code = fields.String(required=True)
    knowledge_version = fields.Integer(required=True)
    title = fields.String(required=True)
    body = fields.String(required=True)
    source = fields.String(required=True)
    cited_at = Moment(required=True)
    useful = fields.String(required=True, validate=validate.OneOf(USEFUL))
    asked_at = Moment(required=True, allow_none=True)


class VoidOrder(WithReason):
    """End an order: by two people one after the other, or because the resident takes it back."""

    by_resident = Flag(load_default=False)


class Remark(HouseSchema):
    """A remark for the history."""

    text = Text(most=500, least=1, required=True)


class RecordCallback(HouseSchema):
    """One try to call back."""

    caller_id = identity(
        load_default=None,
        allow_none=True,
        metadata={"description": "one of GET /api/orders/{number}/callers; null: the order's own caller"},
    )
    reached = Flag(required=True)
    contacted = Flag(load_default=None, allow_none=True)
    solved = Flag(load_default=None, allow_none=True)
    satisfaction = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(SATISFACTIONS))
    remark = Text(most=1_000, load_default="")


class CallbackOut(HouseSchema):
    """What followed from a try."""

    outcome = fields.String(required=True)
    order = fields.Nested(OrderOut, required=True)


class CountsOut(HouseSchema):
    """Open orders by state, area and kind (keys are codes or ids)."""

    by_state = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    by_area = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)
    by_service = fields.Dict(keys=fields.String(), values=fields.Integer(), required=True)


class BoardOut(HouseSchema):
    """The dispatcher's board."""

    waiting = fields.List(fields.Nested(OrderOut), required=True)
    lapsing = fields.List(fields.Nested(OrderOut), required=True)
    late = fields.List(fields.Nested(OrderOut), required=True)
    callbacks = fields.List(fields.Nested(OrderOut), required=True)
    counts = fields.Nested(CountsOut, required=True)
