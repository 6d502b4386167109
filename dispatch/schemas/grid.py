"""The grid out: places, areas, buildings, residents (masked); and how lists are paged."""

import base64
import binascii
from typing import Any

from marshmallow import ValidationError, fields, validate

from dispatch.schemas.fields import MOST_ID, HouseSchema, Text, identity

OUTCOMES = ["stairwell", "building", "area", "unresolved"]
LONGEST_CURSOR = 40


class Cursor(fields.String):
    """The opaque mark of where a page ended; inside the house the id of its last row."""

    def _deserialize(self, value: Any, attribute: str | None, data: Any, **options: Any) -> int:
        mark: str = super()._deserialize(value, attribute, data, **options)
        try:
            number = int(base64.b64decode(mark[:LONGEST_CURSOR], altchars=b"-_", validate=True))
        except (ValueError, binascii.Error) as error:
            raise ValidationError("翻页标记无效,请从第一页开始") from error
        if not 0 < number <= MOST_ID:
            raise ValidationError("翻页标记无效,请从第一页开始")
        return number

    def _serialize(self, value: Any, attr: str | None, obj: Any, **options: Any) -> str | None:  # noqa: ARG002 - marshmallow's own signature
        return None if value is None else base64.urlsafe_b64encode(str(value).encode()).decode()


class PageQuery(HouseSchema):
    """Which page of a list; `cursor` is the `next` of the page before."""

    cursor = Cursor(load_default=None)
    limit = fields.Integer(load_default=50, validate=validate.Range(min=1, max=100))


class PlaceQuery(HouseSchema):
    """An address as people say it."""

    text = Text(most=500, least=1, required=True)


class PlaceCandidateOut(HouseSchema):
    """A place that a text may mean."""

    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    label = fields.String(required=True)
    community_id = fields.Integer(required=True)
    area_id = fields.Integer(required=True)
    building_id = fields.Integer(required=True, allow_none=True)
    stairwell_id = fields.Integer(required=True, allow_none=True)


class PlaceOut(HouseSchema):
    """Where a text is; `candidates` stand where it is not certain or could be more exact."""

    outcome = fields.String(required=True, validate=validate.OneOf(OUTCOMES))
    label = fields.String(required=True)
    community_id = fields.Integer(required=True, allow_none=True)
    area_id = fields.Integer(required=True, allow_none=True)
    building_id = fields.Integer(required=True, allow_none=True)
    stairwell_id = fields.Integer(required=True, allow_none=True)
    room = fields.String(required=True, allow_none=True)
    latitude = fields.Float(required=True, allow_none=True)
    longitude = fields.Float(required=True, allow_none=True)
    candidates = fields.List(fields.Nested(PlaceCandidateOut), required=True)


class AreaOut(HouseSchema):
    """A 片区."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    number = fields.Integer(required=True)
    name = fields.String(required=True)
    latitude = fields.Float(required=True)
    longitude = fields.Float(required=True)


class AreaPageOut(HouseSchema):
    """A page of areas."""

    items = fields.List(fields.Nested(AreaOut), required=True)
    next = Cursor(required=True, allow_none=True)


class BuildingQuery(PageQuery):
    """Which buildings."""

    area_id = fields.Integer(load_default=None, validate=validate.Range(min=1, max=MOST_ID))


class BuildingOut(HouseSchema):
    """A 楼幢."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    area_id = fields.Integer(required=True)
    number = fields.String(required=True)
    address = fields.String(required=True)
    latitude = fields.Float(required=True)
    longitude = fields.Float(required=True)


class BuildingPageOut(HouseSchema):
    """A page of buildings."""

    items = fields.List(fields.Nested(BuildingOut), required=True)
    next = Cursor(required=True, allow_none=True)


class ResidentQuery(PageQuery):
    """Whom to look for: the beginning of a name (Chinese, pinyin, initials), a whole phone, or an address."""

    q = Text(most=200, least=1, required=True)


class ResidentOut(HouseSchema):
    """A resident; name, phone and ID number are masked."""

    id = identity(required=True)
    name = fields.String(required=True)
    sex = fields.String(required=True, allow_none=True)
    birth_year = fields.Integer(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    identity_number = fields.String(required=True, allow_none=True)
    address = fields.String(required=True, allow_none=True)
    stairwell_id = fields.Integer(required=True, allow_none=True)
    lives_alone = fields.Boolean(required=True)


class ResidentPageOut(HouseSchema):
    """A page of residents, by name."""

    items = fields.List(fields.Nested(ResidentOut), required=True)
    next = Cursor(required=True, allow_none=True)
