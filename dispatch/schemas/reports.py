"""Reports in and out."""

from marshmallow import fields, validate

from dispatch.rules.orders.overriding import Overridden
from dispatch.rules.reports.counts import MEASURES
from dispatch.rules.reports.figures import Figure
from dispatch.rules.reports.reasons import PARTS, REASONS
from dispatch.schemas.fields import MOST_ID, HouseSchema, Moment, Text
from dispatch.services.reports import AssignedBy, FileFormat, Grouping

FIGURES = [str(figure) for figure in Figure]


def row_id() -> fields.Integer:
    """An id to narrow a report to."""
    return fields.Integer(validate=validate.Range(min=1, max=MOST_ID))


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


class AskReport(HouseSchema):
    """The days of a report (Shanghai, both included), by whom it has its rows, and what it is narrowed to."""

    begin = fields.Date(required=True, data_key="from")
    end = fields.Date(required=True, data_key="until")
    by = fields.String(load_default=str(Grouping.TEAM), validate=validate.OneOf(list(Grouping)))
    assigned_by = fields.String(load_default=None, validate=validate.OneOf(list(AssignedBy)))
    community_id = row_id()
    area_id = row_id()
    service_id = row_id()
    team_id = row_id()
    performer_id = row_id()


class AskOrders(AskReport):
    """The orders behind a figure: all of them, or one part."""

    figure = fields.String(required=True, validate=validate.OneOf(FIGURES))
    part = fields.String(load_default=None, validate=validate.OneOf(list(PARTS)))
    cursor = Text(most=200, load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=100))


class AskFile(AskReport):
    """A report as a file."""

    format = fields.String(load_default="csv", validate=validate.OneOf(list(FileFormat)))


class AskOrdersFile(AskFile):
    """The orders behind a figure as a file."""

    figure = fields.String(required=True, validate=validate.OneOf(FIGURES))
    part = fields.String(load_default=None, validate=validate.OneOf(list(PARTS)))


class FigureOut(HouseSchema):
    """A figure: `shown` is rounded half up to two places, in percent for a rate; null where there is no data."""

    figure = fields.String(required=True, validate=validate.OneOf(FIGURES))
    numerator = fields.Float(required=True)
    denominator = fields.Float(required=True)
    shown = fields.String(required=True, allow_none=True)
    percent = fields.Boolean(required=True)


def counted() -> fields.Dict:
    """What was counted, each count by its name."""
    return fields.Dict(
        keys=fields.String(validate=validate.OneOf(MEASURES)),
        values=fields.Integer(),
        required=True,
        metadata={"description": ", ".join(MEASURES)},
    )


class ReportRowOut(HouseSchema):
    """A team, area, kind or firm; id null gathers what has none yet."""

    id = fields.Integer(required=True, allow_none=True)
    name = fields.String(required=True)
    counts = counted()
    figures = fields.List(fields.Nested(FigureOut), required=True)


class ReportOut(HouseSchema):
    """A report: its rows and their sum, beside the period before."""

    begin = fields.Date(required=True, data_key="from")
    end = fields.Date(required=True, data_key="until")
    items = fields.List(fields.Nested(ReportRowOut), required=True)
    counts = counted()
    figures = fields.List(fields.Nested(FigureOut), required=True)
    before_begin = fields.Date(required=True, data_key="before_from")
    before_end = fields.Date(required=True, data_key="before_until")
    before = fields.List(fields.Nested(FigureOut), required=True)


class StepOut(HouseSchema):
    """One step of a trend."""

    first = fields.Date(required=True)
    last = fields.Date(required=True)
    counts = counted()


class TrendOut(HouseSchema):
    """A trend: by day up to a month, by week up to half a year, else by month."""

    items = fields.List(fields.Nested(StepOut), required=True)


class WordsOut(HouseSchema):
    """Words with how often they stand there."""

    words = fields.String(required=True)
    times = fields.Integer(required=True)


class OverriddenRuleOut(HouseSchema):
    """A rule that was set aside for a kind (null: confidential orders), the most overridden first."""

    rule = fields.String(required=True, validate=validate.OneOf(list(Overridden)))
    service = fields.String(required=True, allow_none=True)
    times = fields.Integer(required=True)
    people = fields.List(fields.Nested(WordsOut), required=True)
    reasons = fields.List(fields.Nested(WordsOut), required=True)


class OverrideOut(HouseSchema):
    """One choice by hand; `first` is whom the router had ranked first. A confidential order says less."""

    number = fields.String(required=True)
    at = Moment(required=True)
    service = fields.String(required=True, allow_none=True)
    person = fields.String(required=True, allow_none=True)
    chosen = fields.String(required=True)
    first = fields.String(required=True, allow_none=True)
    rules = fields.List(fields.String(validate=validate.OneOf(list(Overridden))), required=True)
    reason = fields.String(required=True, allow_none=True)


class OverridesOut(HouseSchema):
    """The rules most overridden; `is_cut` when more than the newest 2,000 choices lie in these days."""

    rules = fields.List(fields.Nested(OverriddenRuleOut), required=True)
    newest = fields.List(fields.Nested(OverrideOut), required=True)
    times = fields.Integer(required=True)
    is_cut = fields.Boolean(required=True)


class AskHeat(HouseSchema):
    """The days of the grids (Shanghai, both included), and the community or area that they are narrowed to."""

    begin = fields.Date(required=True, data_key="from")
    end = fields.Date(required=True, data_key="until")
    community_id = row_id()
    area_id = row_id()


class DaysOut(HouseSchema):
    """The first and the last day of a step."""

    first = fields.Date(required=True)
    last = fields.Date(required=True)


class HeatAreaOut(HouseSchema):
    """An area: its orders placed in each of the steps, and in each of the 24 hours of the day."""

    id = fields.Integer(required=True)
    name = fields.String(required=True)
    steps = fields.List(fields.Integer(), required=True)
    hours = fields.List(fields.Integer(), required=True)


class HeatBuildingOut(HouseSchema):
    """A building with its orders placed; those of confidential orders are in its area only."""

    id = fields.Integer(required=True)
    area_id = fields.Integer(required=True)
    number = fields.String(required=True)
    address = fields.String(required=True)
    placed = fields.Integer(required=True)


class HeatOut(HouseSchema):
    """The heat grids: steps as a trend has them, every area and every building, also those with nothing."""

    steps = fields.List(fields.Nested(DaysOut), required=True)
    areas = fields.List(fields.Nested(HeatAreaOut), required=True)
    buildings = fields.List(fields.Nested(HeatBuildingOut), required=True)


class OpenedOrderOut(HouseSchema):
    """An order behind a figure; a confidential one says neither kind nor whose it is."""

    number = fields.String(required=True)
    day = fields.Date(required=True)
    part = fields.String(required=True, validate=validate.OneOf(list(PARTS)))
    reason = fields.String(required=True, allow_none=True, metadata={"description": ", ".join(sorted(REASONS))})
    service = fields.String(required=True, allow_none=True)
    area = fields.String(required=True, allow_none=True)
    team = fields.String(required=True, allow_none=True)
    performer = fields.String(required=True, allow_none=True)


class OpenedPageOut(HouseSchema):
    """Some of the orders behind a figure, by day."""

    items = fields.List(fields.Nested(OpenedOrderOut), required=True)
    next = fields.String(required=True, allow_none=True)
