"""Group services: a seat or the waiting list, who has earned a certificate, what became of them in work.

Source: rules.md §3 (13 services of two types, one-to-one and group with a roster; 活动40余次; “国家级育婴师”培训:
training cohort, certificate, job outcome). How much of a course must be attended is a Q value.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from enum import StrEnum

from dispatch.errors import Conflict, Invalid

LONGEST_NAME = 60
LONGEST_PLACE = 60
LONGEST_TOPIC = 100
LONGEST_REASON = 200
MOST_PLACES = 500
MOST_PRESENT = 100_000
LONGEST_SESSION = timedelta(hours=12)
WHOLE = 1000


class Outcome(StrEnum):
    """What became of somebody in work after a course."""

    EMPLOYED = "employed"
    SELF_EMPLOYED = "self_employed"
    LOOKING = "looking"
    NOT_LOOKING = "not_looking"


OUTCOME_LABELS: dict[Outcome, str] = {
    Outcome.EMPLOYED: "已上岗",
    Outcome.SELF_EMPLOYED: "自己干",
    Outcome.LOOKING: "还在找",
    Outcome.NOT_LOOKING: "暂不找",
}


class OnRoster(Conflict):
    """这个电话已经报过这门课，一个电话报一个名额"""


class NotYetBegun(Conflict):
    """还没有开课，到了时间才能登记谁来了"""


class NotEnoughAttended(Conflict):
    """来的次数还不够发证：上了 %(present)s 次，一共 %(held)s 次"""


class HasCertificate(Conflict):
    """已经发过证书；要重发，请先作废旧的"""


class VoidAlready(Conflict):
    """这张证书已经作废"""


class SessionsOverlap(Conflict):
    """这个时间与这门课已经排的课重叠，请改一下"""


def free_seat(taken: Collection[int], places: int) -> int | None:
    """The lowest seat that nobody has, None where all are taken: who comes then waits."""
    return next((seat for seat in range(1, places + 1) if seat not in taken), None)


def has_earned(present: int, held: int, least_permille: int) -> bool:
    """Whether somebody was there often enough for a certificate; nobody is before a session was held."""
    return held > 0 and present * WHOLE >= held * least_permille


def check_session(begins: datetime, ends: datetime) -> None:
    """Refuse a session that ends before it begins, or lasts past a day's work; raises Invalid."""
    if not timedelta() < ends - begins <= LONGEST_SESSION:
        raise Invalid("ends", "下课时间要晚于上课时间，一次最长12小时")


def number_on(year: int, number: int) -> str:
    """The number of a certificate as it is printed: 2026-0007."""
    return f"{year}-{number:04}"
