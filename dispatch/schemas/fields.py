"""Fields and base schema that all domains share."""

from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext
from marshmallow import RAISE, Schema, ValidationError, fields, validate

MOST_TEXT = 4_000
LENGTH = lazy_gettext("长度应为 {min} 到 {max} 个字")
MOST_ID = 9_223_372_036_854_775_807


class HouseSchema(Schema):
    """Unknown fields are refused, fields keep their order."""

    class Meta:
        """marshmallow's own settings."""

        unknown = RAISE


class Text(fields.String):
    """A text that the database can hold: no NUL, no half surrogate pair, at most `most` characters."""

    def __init__(self, *, most: int = MOST_TEXT, least: int = 0, **options: Any) -> None:
        """Bound the length; the bound stands in OpenAPI as well."""
        super().__init__(validate=validate.Length(min=least, max=most, error=LENGTH), **options)

    def _deserialize(self, value: Any, attribute: str | None, data: Any, **options: Any) -> str:
        text: str = super()._deserialize(value, attribute, data, **options)
        if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
            raise ValidationError("内容含有无法保存的字符")
        return text


class Moment(fields.AwareDateTime):
    """An instant with its zone (ISO 8601)."""

    def __init__(self, **options: Any) -> None:
        """Always ISO 8601 with a zone."""
        super().__init__(format="iso", **options)

    def _deserialize(self, value: Any, attribute: str | None, data: Any, **options: Any) -> datetime:
        moment: datetime = super()._deserialize(value, attribute, data, **options)
        if not 2000 <= moment.year <= 2199:  # noqa: PLR2004 - years in which there can be orders
            raise ValidationError("日期不在合理范围内")
        return moment


def identity(**options: Any) -> fields.Integer:
    """The id of a row: a whole number from 1, strictly a JSON number."""
    return fields.Integer(strict=True, validate=validate.Range(min=1, max=MOST_ID), **options)


def id_in_address(**options: Any) -> fields.Integer:
    """The id of a row in an address, where everything is text."""
    return fields.Integer(validate=validate.Range(min=1, max=MOST_ID), **options)


class Flag(fields.Boolean):
    """Yes or no, strictly a JSON boolean: 0, "yes" and "off" are wrong."""

    def _deserialize(self, value: Any, attribute: str | None, data: Any, **options: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        flag: bool = super()._deserialize(value, attribute, data, **options)
        return flag


class QueryFlag(fields.Boolean):
    """Yes or no in an address: `true` or `false`."""

    def __init__(self, **options: Any) -> None:
        """No other spelling is taken."""
        super().__init__(truthy={"true"}, falsy={"false"}, **options)
