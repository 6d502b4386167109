"""Care: schedules of visits; programmes, enrolments, their calendar of duties, what came of visits and calls."""

from dispatch.services.care.absences import begin_absence, end_absence
from dispatch.services.care.contacting import AlreadyRecorded, Record, record_contact
from dispatch.services.care.enrolling import (
    AlreadyEnrolled,
    EnrolmentDraft,
    EnrolmentEnded,
    ProgrammeFull,
    end_cases,
    end_enrolment,
    enrol,
    find_enrolment,
)
from dispatch.services.care.excusing import approve_excuse, ask_excuse, decline_excuse
from dispatch.services.care.handing import (
    AlreadyOnLeave,
    AlreadyPaired,
    NotOpen,
    end_leave,
    find_pairing,
    pair,
    record_leave,
    swap,
    unpair,
)
from dispatch.services.care.hearing import order_changed
from dispatch.services.care.keeping import keep_batch, keep_duties
from dispatch.services.care.moves import tell_moves
from dispatch.services.care.nests import check_nests
from dispatch.services.care.placing import place_batch, place_visits
from dispatch.services.care.programmes import begin_programmes, change_places, programmes_of
from dispatch.services.care.reopening import StillEnrolled, reopen
from dispatch.services.care.schedules import (
    ScheduleEnded,
    ScheduleFilters,
    SchedulePage,
    VisitChange,
    VisitDraft,
    change_schedule,
    end_schedule,
    find,
    list_schedules,
    occurrences_of,
    plan_visits,
    resume_schedule,
)

__all__ = [
    "AlreadyEnrolled",
    "AlreadyOnLeave",
    "AlreadyPaired",
    "AlreadyRecorded",
    "EnrolmentDraft",
    "EnrolmentEnded",
    "NotOpen",
    "ProgrammeFull",
    "Record",
    "ScheduleEnded",
    "ScheduleFilters",
    "SchedulePage",
    "StillEnrolled",
    "VisitChange",
    "VisitDraft",
    "approve_excuse",
    "ask_excuse",
    "begin_absence",
    "begin_programmes",
    "change_places",
    "change_schedule",
    "check_nests",
    "decline_excuse",
    "end_absence",
    "end_cases",
    "end_enrolment",
    "end_leave",
    "end_schedule",
    "enrol",
    "find",
    "find_enrolment",
    "find_pairing",
    "keep_batch",
    "keep_duties",
    "list_schedules",
    "occurrences_of",
    "order_changed",
    "pair",
    "place_batch",
    "place_visits",
    "plan_visits",
    "programmes_of",
    "record_contact",
    "record_leave",
    "reopen",
    "resume_schedule",
    "swap",
    "tell_moves",
    "unpair",
]
