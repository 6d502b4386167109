"""The care calendar in and out: enrolments, duties, contacts, absences, helpers; words leave only to who plans."""

from marshmallow import fields, validate

from dispatch.rules.care import terms
from dispatch.rules.care.recording import LONGEST_WORDS
from dispatch.schemas.fields import Flag, HouseSchema, Moment, QueryFlag, Text, id_in_address, identity
from dispatch.schemas.grid import Cursor, PageQuery

PROGRAMMES = [str(one) for one in terms.Programme]
DUTIES = [str(one) for one in terms.DutyKind]
STATES = [str(one) for one in terms.PeriodState]
EXCUSES = [str(one) for one in terms.Excuse]
MOODS = [str(one) for one in terms.Mood]
HELPER_KINDS = [str(one) for one in terms.HelperKind]
CONTACTS = [str(terms.ContactKind.VISIT), str(terms.ContactKind.CALL)]
LONGEST_REASON = 500


def month_named(**options: object) -> fields.String:
    """A month as 2026-02."""
    return fields.String(validate=validate.Regexp(r"^20[0-9]{2}-(0[1-9]|1[0-2])\Z"), **options)


class OfPerson(PageQuery):
    """Whose rows a list has; a person's with those of their household, and the other way round."""

    resident_id = id_in_address(load_default=None)
    household_id = id_in_address(load_default=None)


class EnrolmentsQuery(OfPerson):
    """Which enrolments are listed."""

    programme = fields.String(load_default=None, validate=validate.OneOf(PROGRAMMES))
    ended = QueryFlag(load_default=False, metadata={"description": "ended ones as well"})


class DutiesQuery(OfPerson):
    """Which periods of duties are listed."""

    enrolment_id = id_in_address(load_default=None)
    performer_id = id_in_address(load_default=None, metadata={"description": "the helper who is asked"})
    duty = fields.String(load_default=None, validate=validate.OneOf(DUTIES))
    state = fields.String(load_default=None, validate=validate.OneOf(STATES))
    month = month_named(load_default=None)


class ContactsQuery(OfPerson):
    """Which visits and calls are listed."""

    performer_id = id_in_address(load_default=None)
    month = month_named(load_default=None)


class AbsencesQuery(PageQuery):
    """Which absences are listed."""

    resident_id = id_in_address(load_default=None)
    ended = QueryFlag(load_default=False, metadata={"description": "those that are over as well"})


class MonthQuery(HouseSchema):
    """Which month is counted."""

    month = month_named(required=True)


class DayQuery(HouseSchema):
    """Which day; today without one."""

    day = fields.Date(load_default=None)


class Enrol(HouseSchema):
    """Who is enrolled: a household for pairing, a resident for the others; from today without a day."""

    programme = fields.String(required=True, validate=validate.OneOf(PROGRAMMES))
    household_id = identity(load_default=None, allow_none=True)
    resident_id = identity(load_default=None, allow_none=True)
    starts_on = fields.Date(load_default=None, allow_none=True)
    is_couple = Flag(load_default=False, metadata={"description": "the two of the home are husband and wife"})


class EndEnrolment(HouseSchema):
    """Why somebody leaves a programme."""

    code = fields.String(required=True, validate=validate.OneOf([str(one) for one in terms.End]))
    reason = Text(most=LONGEST_REASON, least=1, required=True)


class Pair(HouseSchema):
    """A helper for an enrolment."""

    performer_id = identity(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(HELPER_KINDS))


class PairingOut(HouseSchema):
    """A helper who is paired with an enrolment."""

    id = fields.Integer(required=True)
    performer_id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(HELPER_KINDS))
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True, allow_none=True)


class EnrolmentLineOut(HouseSchema):
    """An enrolment in a list."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    programme = fields.String(required=True, validate=validate.OneOf(PROGRAMMES))
    household_id = fields.Integer(required=True, allow_none=True)
    resident_id = fields.Integer(required=True, allow_none=True)
    starts_on = fields.Date(required=True)
    ends_on = fields.Date(required=True, allow_none=True)
    end_code = fields.String(required=True, allow_none=True)
    version = fields.Integer(required=True)


class EnrolmentsOut(HouseSchema):
    """A page of enrolments, newest first."""

    items = fields.List(fields.Nested(EnrolmentLineOut), required=True)
    next = Cursor(required=True, allow_none=True)


class DutyOut(HouseSchema):
    """A period of a duty: from when until when it is owed, how it stands, who is asked, what met it."""

    id = fields.Integer(required=True)
    enrolment_id = fields.Integer(required=True)
    household_id = fields.Integer(required=True, allow_none=True)
    resident_id = fields.Integer(required=True, allow_none=True)
    duty = fields.String(required=True, validate=validate.OneOf(DUTIES))
    name = fields.String(required=True)
    starts_on = fields.Date(required=True)
    planned_on = fields.Date(required=True)
    warn_on = fields.Date(required=True, allow_none=True)
    until = fields.Date(required=True)
    state = fields.String(required=True, validate=validate.OneOf(STATES))
    helper_id = fields.Integer(required=True, allow_none=True)
    contact_id = fields.Integer(required=True, allow_none=True)
    settled_on = fields.Date(required=True, allow_none=True)
    excuse_code = fields.String(required=True, allow_none=True, validate=validate.OneOf(EXCUSES))
    asked_at = Moment(required=True, allow_none=True)
    approved_at = Moment(required=True, allow_none=True)
    version = fields.Integer(required=True)


class DutiesOut(HouseSchema):
    """A page of periods, newest first."""

    items = fields.List(fields.Nested(DutyOut), required=True)
    next = Cursor(required=True, allow_none=True)


class EnrolmentOut(EnrolmentLineOut):
    """An enrolment with its helpers and what is due."""

    helpers = fields.List(fields.Nested(PairingOut), required=True)
    due = fields.List(fields.Nested(DutyOut), required=True)


class AskExcuse(HouseSchema):
    """Why a period should be excused."""

    code = fields.String(required=True, validate=validate.OneOf([str(one) for one in terms.ASKED]))
    words = Text(most=LONGEST_REASON, least=1, required=True)


class Swap(HouseSchema):
    """Who goes instead."""

    performer_id = identity(required=True)


class RecordContact(HouseSchema):
    """A visit or a call that was made; now without a time. A difficulty opens an order of the kind named."""

    household_id = identity(required=True)
    kind = fields.String(required=True, validate=validate.OneOf(CONTACTS))
    happened_at = Moment(load_default=None, allow_none=True)
    resident_id = identity(load_default=None, allow_none=True)
    performer_id = identity(load_default=None, allow_none=True, metadata={"description": "who came"})
    answered = Flag(load_default=True)
    tested = Flag(load_default=False, metadata={"description": "the alarm device was tried and heard"})
    confirmed = Flag(load_default=False, metadata={"description": "the elder confirmed the visit"})
    door_code = Text(most=20, load_default="", metadata={"description": "what the code at the door says"})
    mood = fields.String(load_default=None, allow_none=True, validate=validate.OneOf(MOODS))
    complaint = Text(most=LONGEST_WORDS, load_default="")
    difficulty = Text(most=LONGEST_WORDS, load_default="")
    difficulty_code = Text(most=60, load_default=None, allow_none=True)
    note = Text(most=LONGEST_WORDS, load_default="")


class ContactOut(HouseSchema):
    """A visit or call; the words are null for who may not read them."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    household_id = fields.Integer(required=True)
    resident_id = fields.Integer(required=True, allow_none=True)
    kind = fields.String(required=True, validate=validate.OneOf([str(one) for one in terms.ContactKind]))
    happened_at = Moment(required=True)
    answered = fields.Boolean(required=True)
    tested = fields.Boolean(required=True)
    performer_id = fields.Integer(required=True, allow_none=True)
    proof = fields.String(required=True, validate=validate.OneOf([str(one) for one in terms.Proof]))
    mood = fields.String(required=True, allow_none=True, validate=validate.OneOf(MOODS))
    complaint = fields.String(required=True, allow_none=True)
    difficulty = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    difficulty_order_number = fields.String(required=True, allow_none=True)
    recorded_at = Moment(required=True)


class ContactsOut(HouseSchema):
    """A page of visits and calls, newest first."""

    items = fields.List(fields.Nested(ContactOut), required=True)
    next = Cursor(required=True, allow_none=True)


class BeginAbsence(HouseSchema):
    """Somebody stays elsewhere from a day on; a stay in hospital is told as an event of life."""

    resident_id = identity(required=True)
    starts_on = fields.Date(required=True)
    until = fields.Date(load_default=None, allow_none=True)


class EndAbsence(HouseSchema):
    """The last day of an absence."""

    until = fields.Date(required=True)


class AbsenceOut(HouseSchema):
    """Days on which somebody cannot be visited."""

    id = fields.Integer(required=True)
    community_id = fields.Integer(required=True)
    resident_id = fields.Integer(required=True)
    kind = fields.String(required=True, validate=validate.OneOf([str(one) for one in terms.AbsenceKind]))
    starts_on = fields.Date(required=True)
    until = fields.Date(required=True, allow_none=True)
    recorded_at = Moment(required=True)


class AbsencesOut(HouseSchema):
    """A page of absences, newest first."""

    items = fields.List(fields.Nested(AbsenceOut), required=True)
    next = Cursor(required=True, allow_none=True)


class RecordLeave(HouseSchema):
    """Days on which a helper cannot come; without a last day the helper has left."""

    starts_on = fields.Date(required=True)
    until = fields.Date(load_default=None, allow_none=True)


class EndLeave(HouseSchema):
    """The last day of a leave."""

    until = fields.Date(required=True)


class LeaveOut(HouseSchema):
    """A leave; no reason is kept."""

    id = fields.Integer(required=True)
    performer_id = fields.Integer(required=True)
    starts_on = fields.Date(required=True)
    until = fields.Date(required=True, allow_none=True)


class LinkHelper(HouseSchema):
    """Who a helper is in the register; null: nobody of it."""

    resident_id = identity(required=True, allow_none=True)


class LinkedHelperOut(HouseSchema):
    """Who a helper is in the register."""

    performer_id = fields.Integer(required=True)
    resident_id = fields.Integer(required=True, allow_none=True)


class HelperOut(LinkedHelperOut):
    """A helper: how many are paired with them, what is due, when they are away."""

    name = fields.String(required=True)
    paired = fields.Integer(required=True)
    due = fields.Integer(required=True)
    leaves = fields.List(fields.Nested(LeaveOut), required=True)


class HelpersOut(HouseSchema):
    """The helpers, by name."""

    items = fields.List(fields.Nested(HelperOut), required=True)


class StopOut(HouseSchema):
    """A home of a helper's day, in walking order."""

    household_id = fields.Integer(required=True)
    address = fields.String(required=True)
    duties = fields.List(fields.String(validate=validate.OneOf(DUTIES)), required=True)
    chores = fields.List(fields.String(), required=True)
    wanted_from = Moment(required=True, allow_none=True)
    wanted_until = Moment(required=True, allow_none=True)
    order_number = fields.String(required=True, allow_none=True)
    metres = fields.Integer(required=True, metadata={"description": "from the stop before"})


class HelperDayOut(HouseSchema):
    """A helper's day."""

    day = fields.Date(required=True)
    items = fields.List(fields.Nested(StopOut), required=True)


class VisitRateOut(HouseSchema):
    """月探访率 of a month and all that it is made of; `permille` is null when nothing counts."""

    month = fields.String(required=True)
    owed = fields.Integer(required=True)
    met = fields.Integer(required=True)
    excused = fields.Integer(required=True)
    missed = fields.Integer(required=True)
    due = fields.Integer(required=True)
    counted = fields.Integer(required=True)
    permille = fields.Integer(required=True, allow_none=True)
    items = fields.List(fields.Nested(DutyOut), required=True)
