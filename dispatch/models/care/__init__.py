"""Care: visits; programmes, duties and their periods, what came of visits and calls, calendars; alarm devices."""

from dispatch.models.care.alarms import (
    AlarmAnswer,
    AlarmCall,
    AlarmContact,
    AlarmDevice,
    AlarmEvent,
    AlarmRefusal,
    AlarmState,
)
from dispatch.models.care.contacts import Absence, Contact
from dispatch.models.care.duties import Duty, DutyHandover, DutyOrder, DutyPeriod
from dispatch.models.care.feeds import CareFeed
from dispatch.models.care.programmes import Enrolment, HelperLeave, PairedHelper, Programme
from dispatch.models.care.visits import VisitOccurrence, VisitSchedule

__all__ = [
    "Absence",
    "AlarmAnswer",
    "AlarmCall",
    "AlarmContact",
    "AlarmDevice",
    "AlarmEvent",
    "AlarmRefusal",
    "AlarmState",
    "CareFeed",
    "Contact",
    "Duty",
    "DutyHandover",
    "DutyOrder",
    "DutyPeriod",
    "Enrolment",
    "HelperLeave",
    "PairedHelper",
    "Programme",
    "VisitOccurrence",
    "VisitSchedule",
]
