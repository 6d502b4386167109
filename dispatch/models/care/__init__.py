"""Care: visits; programmes, duties and periods, contacts; devices; counselling; what life brings; 三问; vouchers."""

from dispatch.models.care.alarms import (
    AlarmAnswer,
    AlarmCall,
    AlarmContact,
    AlarmDevice,
    AlarmEvent,
    AlarmRefusal,
    AlarmState,
)
from dispatch.models.care.asking import Solicitation, SolicitationEntry
from dispatch.models.care.contacts import Absence, Contact
from dispatch.models.care.counselling import Appointment, CounsellingSlot, Counsellor, CounsellorKind
from dispatch.models.care.courses import (
    Activity,
    Certificate,
    CertificateSeries,
    Course,
    CourseMember,
    CoursePresence,
    CourseSession,
)
from dispatch.models.care.duties import Duty, DutyHandover, DutyOrder, DutyPeriod
from dispatch.models.care.events import CareGroup, Condolence, GroupMember, GroupSwitch, LifeEffect, LifeEvent
from dispatch.models.care.family import FamilyLink
from dispatch.models.care.feeds import CareFeed
from dispatch.models.care.festivals import (
    Festival,
    FestivalEvent,
    FestivalHelper,
    FestivalInvitation,
    FestivalPicture,
)
from dispatch.models.care.notes import CounsellingNote, DangerDisclosure, KeyOpening, KeyShare, SealingKey
from dispatch.models.care.programmes import Enrolment, HelperLeave, PairedHelper, Programme
from dispatch.models.care.station import Introduction, JobSeeker, StationVisit, Vacancy
from dispatch.models.care.visits import VisitOccurrence, VisitSchedule
from dispatch.models.care.vouchers import (
    Voucher,
    VoucherCard,
    VoucherGrant,
    VoucherPayee,
    VoucherRedemption,
    VoucherRefund,
    VoucherSettlement,
)

__all__ = [
    "Absence",
    "Activity",
    "AlarmAnswer",
    "AlarmCall",
    "AlarmContact",
    "AlarmDevice",
    "AlarmEvent",
    "AlarmRefusal",
    "AlarmState",
    "Appointment",
    "CareFeed",
    "CareGroup",
    "Certificate",
    "CertificateSeries",
    "Condolence",
    "Contact",
    "CounsellingNote",
    "CounsellingSlot",
    "Counsellor",
    "CounsellorKind",
    "Course",
    "CourseMember",
    "CoursePresence",
    "CourseSession",
    "DangerDisclosure",
    "Duty",
    "DutyHandover",
    "DutyOrder",
    "DutyPeriod",
    "Enrolment",
    "FamilyLink",
    "Festival",
    "FestivalEvent",
    "FestivalHelper",
    "FestivalInvitation",
    "FestivalPicture",
    "GroupMember",
    "GroupSwitch",
    "HelperLeave",
    "Introduction",
    "JobSeeker",
    "KeyOpening",
    "KeyShare",
    "LifeEffect",
    "LifeEvent",
    "PairedHelper",
    "Programme",
    "SealingKey",
    "Solicitation",
    "SolicitationEntry",
    "StationVisit",
    "Vacancy",
    "VisitOccurrence",
    "VisitSchedule",
    "Voucher",
    "VoucherCard",
    "VoucherGrant",
    "VoucherPayee",
    "VoucherRedemption",
    "VoucherRefund",
    "VoucherSettlement",
]
