"""The words of care: programmes, duties and how their periods stand, contacts, excuses; with their labels.

Source: rules.md §4 (结对, 居家养老服务券, 电子保姆: three overlapping sets over one register and one calendar).
"""

from enum import StrEnum


class Programme(StrEnum):
    """Who is cared for: households in pairing, persons by voucher and with a device (10户, 10名, 8位)."""

    PAIRING = "pairing"
    VOUCHER = "voucher"
    DEVICE = "device"


class DutyKind(StrEnum):
    """What an enrolment is owed again and again, each on its own clock."""

    VISIT = "visit"
    GREETING = "greeting"
    MONTHLY_VISIT = "monthly_visit"
    LIVE_TEST = "live_test"


class PeriodState(StrEnum):
    """How a period of a duty stands; the last three are settled."""

    DUE = "due"
    MET = "met"
    EXCUSED = "excused"
    MISSED = "missed"


class ContactKind(StrEnum):
    """How somebody was reached: at the door, by phone, or by a test signal of the device."""

    VISIT = "visit"
    CALL = "call"
    TEST = "test"


class Mood(StrEnum):
    """How the elder was."""

    GOOD = "good"
    FLAT = "flat"
    LOW = "low"


class Proof(StrEnum):
    """How it is known that somebody was there."""

    DOOR_CODE = "door_code"
    CONFIRMED = "confirmed"
    REPORT = "report"
    SIGNAL = "signal"
    NONE = "none"


class Excuse(StrEnum):
    """Why a period was not owed after all; the first three come with their event, the others from two people."""

    ENDED = "ended"
    DIED = "died"
    HOSPITAL = "hospital"
    AWAY = "away"
    DISASTER = "disaster"
    REFUSED = "refused"
    OTHER = "other"


class End(StrEnum):
    """Why an enrolment ended."""

    ENDED = "ended"
    DIED = "died"
    MOVED = "moved"
    NOT_ALONE = "not_alone"


class HelperKind(StrEnum):
    """社区工作者、党员和志愿者共同参与: the three kinds of helper."""

    COMMUNITY_WORKER = "community_worker"
    PARTY_MEMBER = "party_member"
    VOLUNTEER = "volunteer"


class AbsenceKind(StrEnum):
    """Why somebody cannot be visited for some days."""

    HOSPITAL = "hospital"
    AWAY = "away"


PROGRAMME_LABELS: dict[Programme, str] = {
    Programme.PAIRING: "空巢老人结对",
    Programme.VOUCHER: "居家养老服务券",
    Programme.DEVICE: "电子保姆",
}
DUTY_LABELS: dict[DutyKind, str] = {
    DutyKind.VISIT: "定期家访",
    DutyKind.GREETING: "电话问候",
    DutyKind.MONTHLY_VISIT: "每月回访",
    DutyKind.LIVE_TEST: "季度试报警",
}
STATE_LABELS: dict[PeriodState, str] = {
    PeriodState.DUE: "待做",
    PeriodState.MET: "已做",
    PeriodState.EXCUSED: "免做",
    PeriodState.MISSED: "漏做",
}
CONTACT_LABELS: dict[ContactKind, str] = {
    ContactKind.VISIT: "上门",
    ContactKind.CALL: "电话",
    ContactKind.TEST: "试报警",
}
MOOD_LABELS: dict[Mood, str] = {Mood.GOOD: "好", Mood.FLAT: "一般", Mood.LOW: "低落"}
PROOF_LABELS: dict[Proof, str] = {
    Proof.DOOR_CODE: "扫了门上的码",
    Proof.CONFIRMED: "老人确认",
    Proof.REPORT: "上门人报告",
    Proof.SIGNAL: "设备信号",
    Proof.NONE: "没有凭据",
}
EXCUSE_LABELS: dict[Excuse, str] = {
    Excuse.ENDED: "已退出",
    Excuse.DIED: "已去世",
    Excuse.HOSPITAL: "住院",
    Excuse.AWAY: "暂住别处",
    Excuse.DISASTER: "家中受灾",
    Excuse.REFUSED: "老人谢绝",
    Excuse.OTHER: "其他",
}
END_LABELS: dict[End, str] = {
    End.ENDED: "退出",
    End.DIED: "去世",
    End.MOVED: "搬走",
    End.NOT_ALONE: "不再空巢",
}
HELPER_LABELS: dict[HelperKind, str] = {
    HelperKind.COMMUNITY_WORKER: "社区工作者",
    HelperKind.PARTY_MEMBER: "党员",
    HelperKind.VOLUNTEER: "志愿者",
}
ABSENCE_LABELS: dict[AbsenceKind, str] = {AbsenceKind.HOSPITAL: "住院", AbsenceKind.AWAY: "暂住别处"}

OWED_BY: dict[Programme, tuple[DutyKind, ...]] = {
    Programme.PAIRING: (DutyKind.VISIT, DutyKind.GREETING),
    Programme.VOUCHER: (DutyKind.MONTHLY_VISIT,),
    Programme.DEVICE: (DutyKind.LIVE_TEST,),
}
"""定期上门家访…不定期的电话问候; 每月至少回访一次; a live test (Q quarterly)."""

IN_PERSON = frozenset({DutyKind.VISIT, DutyKind.MONTHLY_VISIT, DutyKind.LIVE_TEST})
"""What somebody must come for; a greeting is made by phone."""

BY_RULE = frozenset({Excuse.ENDED, Excuse.DIED, Excuse.HOSPITAL})
"""What excuses a period by itself, with its event."""

ASKED = tuple(excuse for excuse in Excuse if excuse not in {Excuse.ENDED, Excuse.DIED})
"""What a person may ask an exemption for and another approve."""
