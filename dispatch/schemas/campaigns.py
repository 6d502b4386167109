"""Partners, agreements, appeals, prints, media reports and sessions in and out."""

from marshmallow import fields, validate

from dispatch.rules.market.campaigns import (
    LONGEST_TITLE,
    LONGEST_WORDS,
    MOST_COPIES,
    MOST_PEOPLE,
    AgreementPurpose,
    Medium,
    PartnerKind,
)
from dispatch.schemas.fields import Flag, HouseSchema, Moment, Text, identity

MOST_VERSION = 2_147_483_646


def title(**options: object) -> Text:
    """A name or title."""
    return Text(most=LONGEST_TITLE, least=1, required=True, **options)


class AddPartner(HouseSchema):
    """Who works with us."""

    community_id = identity(required=True)
    kind = fields.String(required=True, validate=validate.OneOf([str(one) for one in PartnerKind]))
    name = title()
    contact = Text(most=LONGEST_TITLE, load_default="")
    phone = Text(most=40, load_default=None, allow_none=True)


class SignAgreement(HouseSchema):
    """What was signed with a partner; it is never edited."""

    purpose = fields.String(required=True, validate=validate.OneOf([str(one) for one in AgreementPurpose]))
    number = title()
    words = Text(most=LONGEST_WORDS, least=1, required=True)
    signed_on = fields.Date(required=True)
    valid_until = fields.Date(load_default=None, allow_none=True)


class AgreementOut(SignAgreement):
    """An agreement."""

    id = fields.Integer(required=True)


class PartnerOut(HouseSchema):
    """A partner with its agreements, the newest first; never a telephone number."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    kind = fields.String(required=True)
    name = fields.String(required=True)
    contact = fields.String(required=True)
    agreements = fields.List(fields.Nested(AgreementOut), required=True)


class PartnersOut(HouseSchema):
    """The partners by name."""

    items = fields.List(fields.Nested(PartnerOut), required=True)


class WriteAppeal(HouseSchema):
    """The next version of an appeal; `after` is the version that was read, 0 for the first."""

    community_id = identity(required=True)
    title = title()
    words = Text(most=LONGEST_WORDS, least=1, required=True)
    after = fields.Integer(strict=True, load_default=0, validate=validate.Range(min=0, max=MOST_VERSION))


class NotePrints(HouseSchema):
    """So many copies, given where and when."""

    copies = fields.Integer(strict=True, required=True, validate=validate.Range(min=1, max=MOST_COPIES))
    given_where = title()
    given_on = fields.Date(required=True)


class AppealOut(HouseSchema):
    """One version of an appeal, with how many copies were given."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    title = fields.String(required=True)
    version = fields.Integer(required=True)
    words = fields.String(required=True)
    written_on = fields.Date(required=True)
    copies = fields.Integer(required=True)


class AppealsOut(HouseSchema):
    """Every version, the newest first."""

    items = fields.List(fields.Nested(AppealOut), required=True)


class PrintsOut(HouseSchema):
    """Where a version was given."""

    items = fields.List(fields.Nested(NotePrints), required=True)


class NoteMedia(HouseSchema):
    """A report; who is shown must have consented."""

    community_id = identity(required=True)
    medium = fields.String(required=True, validate=validate.OneOf([str(one) for one in Medium]))
    outlet = title()
    title = title()
    published_on = fields.Date(required=True)
    shows_people = Flag(required=True)
    consent = Text(most=LONGEST_WORDS, load_default="")


class MediaOut(NoteMedia):
    """A report of the log."""

    id = fields.Integer(required=True)
    created_at = Moment(required=True)


class MediaLogOut(HouseSchema):
    """The log, the newest first."""

    items = fields.List(fields.Nested(MediaOut), required=True)


class NoteChat(HouseSchema):
    """Attendance of a session of the 爱心聊吧: how many, never who."""

    community_id = identity(required=True)
    held_on = fields.Date(required=True)
    topic = title()
    present = fields.Integer(strict=True, required=True, validate=validate.Range(min=1, max=MOST_PEOPLE))
    referred = fields.Integer(strict=True, load_default=0, validate=validate.Range(min=0, max=MOST_PEOPLE))


class ChatOut(NoteChat):
    """A session."""

    id = fields.Integer(required=True)


class ChatsOut(HouseSchema):
    """The sessions, the newest first."""

    items = fields.List(fields.Nested(ChatOut), required=True)
