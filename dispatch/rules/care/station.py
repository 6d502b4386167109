"""The service station: what becomes of who comes to its counter, and of who is introduced to an employer.

Source: rules.md §3 (综合服务站: 家政服务、水电维修、管道疏通、职业介绍等10多种; counters by kind; 职业介绍: vacancies
from firms, job seekers, introductions, outcome).
"""

from datetime import date, timedelta
from enum import StrEnum

from dispatch.errors import Conflict, Invalid

LONGEST_NAME = 60
LONGEST_TERMS = 300
MOST_PLACES = 1000
LONGEST_VACANCY = timedelta(days=366)


class Ended(StrEnum):
    """What became of who came: settled at the counter, sent elsewhere, or an order: somebody goes there."""

    DONE = "done"
    REFERRED = "referred"
    ORDERED = "ordered"


class Found(StrEnum):
    """What came of an introduction; the last three are final."""

    OPEN = "open"
    HIRED = "hired"
    REFUSED = "refused"
    DECLINED = "declined"


ENDED_LABELS: dict[Ended, str] = {
    Ended.DONE: "当场办好",
    Ended.REFERRED: "转到别处",
    Ended.ORDERED: "派人上门",
}
FOUND_LABELS: dict[Found, str] = {
    Found.OPEN: "等结果",
    Found.HIRED: "录用",
    Found.REFUSED: "单位没要",
    Found.DECLINED: "本人没去",
}


class NotOpenNow(Conflict):
    """岗位或求职登记已经结束或到期，不能再介绍"""


class IntroducedAlready(Conflict):
    """这个人已经介绍到这个岗位"""


class OutcomeKnown(Conflict):
    """这次介绍已经有结果，或者岗位已经招满"""


def check_until(until: date, today: date) -> None:
    """Refuse a vacancy that is over, or stands longer than a year; raises Invalid."""
    if not today <= until <= today + LONGEST_VACANCY:
        raise Invalid("until", "截止日期从今天起，最长一年")


def consent_ends(today: date, days: int) -> date:
    """The last day on which somebody who seeks work may be introduced by what they agreed to today."""
    return today + timedelta(days=days)
