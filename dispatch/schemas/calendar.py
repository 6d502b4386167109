"""The working calendar in and out."""

from datetime import date
from typing import Any

from marshmallow import ValidationError, fields, validate

from dispatch.rules.catalogue.calendar import DayKind
from dispatch.rules.catalogue.holidays import LONGEST_TEXT
from dispatch.schemas.fields import Flag, HouseSchema, Moment, Text

DAY_KINDS = [*map(str, DayKind), "special"]
EARLIEST_YEAR, LATEST_YEAR = 2000, 2100
YEAR = validate.Range(min=EARLIEST_YEAR, max=LATEST_YEAR)
MOST_PERIODS = 8


class CalendarQuery(HouseSchema):
    """Which year; without one this year."""

    year = fields.Integer(load_default=None, validate=YEAR)


class CalendarDayOut(HouseSchema):
    """A day that differs from the week's pattern, and where it was entered."""

    day = fields.Date(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(DAY_KINDS))
    name = fields.String(required=True)
    periods = fields.List(fields.String(), required=True)
    organisation = fields.String(required=True)
    edited_at = Moment(required=True, allow_none=True)


class CalendarYearOut(HouseSchema):
    """A year: `source` is null while it has not been entered, `missing` the year that is missing and soon needed."""

    year = fields.Integer(required=True)
    organisation = fields.String(required=True)
    source = fields.String(required=True, allow_none=True)
    missing = fields.Integer(required=True, allow_none=True)
    days = fields.List(fields.Nested(CalendarDayOut), required=True)


class CalendarDate(fields.Date):
    """A day of a year that a calendar is kept for."""

    def _deserialize(self, value: Any, attribute: str | None, data: Any, **options: Any) -> date:
        day: date = super()._deserialize(value, attribute, data, **options)
        if not EARLIEST_YEAR <= day.year <= LATEST_YEAR:
            raise ValidationError("日期不在合理范围内")
        return day


class RemoveDay(HouseSchema):
    """Which day is to be an ordinary one again."""

    day = CalendarDate(required=True)


class EditDay(HouseSchema):
    """What a day is, and why; `periods` (08:30-12:00) only of a special one."""

    day = CalendarDate(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(DAY_KINDS))
    name = Text(most=60, least=1, required=True)
    periods = fields.List(Text(most=11), load_default=list, validate=validate.Length(max=MOST_PERIODS))


class StartYear(HouseSchema):
    """A year and its published list: the notice's sentences, or lines with dates; empty only with `only_week`."""

    year = fields.Integer(required=True, strict=True, validate=YEAR)
    text = Text(most=LONGEST_TEXT, load_default="")
    only_week = Flag(load_default=False)
