"""Counselling: how an appointment stands, who may end it until when, and the words that tell nothing.

Source: rules.md §3 (13 services of two types; the desk sees a time and an alias; a calendar entry says “预约” and
nothing more; two people never get one slot), Mental Health Law art. 23.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from dispatch.errors import Conflict, Invalid
from dispatch.rules.orders.number import ALPHABET

NEUTRAL = "预约"
"""All that a calendar, a letter or a list says of what somebody comes for."""
LONGEST_ALIAS = 20
LONGEST_ROOM = 40
LONGEST_NOTE = 4_000
LONGEST_DISCLOSURE = 200
LONGEST_REASON = 500
CODE_LETTERS = 12
CODE_GROUP = 4
CODE_BYTES = 8
SHORTEST = timedelta(minutes=15)
LONGEST = timedelta(hours=4)
_LOOKALIKES = str.maketrans({"O": "0", "I": "1", "L": "1", " ": None, "-": None})


class AppointmentState(StrEnum):
    """How an appointment stands; the last four are final."""

    WAITING = "waiting"
    OFFERED = "offered"
    BOOKED = "booked"
    KEPT = "kept"
    MISSED = "missed"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"


class Source(StrEnum):
    """How somebody came to it."""

    WEB = "web"
    DESK = "desk"
    PHONE = "phone"


class EndedBy(StrEnum):
    """Who ended an appointment."""

    CLIENT = "client"
    DESK = "desk"
    COUNSELLOR = "counsellor"
    CLOCK = "clock"


class Danger(StrEnum):
    """To whom a danger is."""

    SELF = "self"
    OTHERS = "others"


class Told(StrEnum):
    """Who is told of a danger: whoever can avert it, and nobody more."""

    POLICE = "police"
    MEDICAL = "medical"
    GUARDIAN = "guardian"
    FAMILY = "family"
    THREATENED = "threatened"


DANGER_LABELS: dict[Danger, str] = {Danger.SELF: "对自己", Danger.OTHERS: "对别人"}
TOLD_LABELS: dict[Told, str] = {
    Told.POLICE: "公安（110）",
    Told.MEDICAL: "急救（120）",
    Told.GUARDIAN: "监护人",
    Told.FAMILY: "家人",
    Told.THREATENED: "可能受害的人",
}
STATE_LABELS: dict[AppointmentState, str] = {
    AppointmentState.WAITING: "候补",
    AppointmentState.OFFERED: "等确认",
    AppointmentState.BOOKED: "已约",
    AppointmentState.KEPT: "已到",
    AppointmentState.MISSED: "未到",
    AppointmentState.LAPSED: "过期未确认",
    AppointmentState.CANCELLED: "已取消",
}
SOURCE_LABELS: dict[Source, str] = {Source.WEB: "网上", Source.DESK: "服务台", Source.PHONE: "电话"}
OPEN = frozenset({AppointmentState.WAITING, AppointmentState.OFFERED, AppointmentState.BOOKED})
POSSIBLE: dict[AppointmentState, frozenset[AppointmentState]] = {
    AppointmentState.WAITING: frozenset({AppointmentState.OFFERED, AppointmentState.CANCELLED}),
    AppointmentState.OFFERED: frozenset({AppointmentState.BOOKED, AppointmentState.LAPSED, AppointmentState.CANCELLED}),
    AppointmentState.BOOKED: frozenset({AppointmentState.KEPT, AppointmentState.MISSED, AppointmentState.CANCELLED}),
    AppointmentState.KEPT: frozenset(),
    AppointmentState.MISSED: frozenset(),
    AppointmentState.LAPSED: frozenset(),
    AppointmentState.CANCELLED: frozenset(),
}


class AppointmentNotThere(Conflict):
    """这个预约现在的状态不能这样处理，请刷新后再看"""


class SlotTaken(Conflict):
    """这个时间刚刚被别人约了，请另选一个"""


class PersonBusy(Conflict):
    """这个电话在同一时间已经有一个预约，请另选时间"""


class TooLateToCancel(Conflict):
    """离开始不到 %(hours)s 小时，网上不能取消了，请打电话告诉我们"""


class TooManyOpen(Conflict):
    """这个电话已经有 %(most)s 个没到期的预约，请先用掉或取消一个"""


class TooManyMissed(Conflict):
    """之前有几次预约没有来，请打电话预约"""


class CodeUnknown(Conflict):
    """预约码不对，请照预约时给您的填写"""


@dataclass(frozen=True, slots=True)
class BookingLimits:
    """What a community allows (Q): days ahead, hours to cancel, hours an offer stands, open and missed at most."""

    days_ahead: int
    cancel_hours: int
    offer_hours: int
    remind_hours: int
    most_open: int
    most_missed: int
    missed_days: int


def step(state: str, to: AppointmentState) -> AppointmentState:
    """The state after a step; raises AppointmentNotThere where the step does not lead from here."""
    if to not in POSSIBLE[AppointmentState(state)]:
        raise AppointmentNotThere
    return to


def check_time(begins: datetime, ends: datetime, now: datetime) -> None:
    """Refuse a time that is past, backwards, or not 15 minutes to 4 hours long; raises Invalid."""
    if begins <= now:
        raise Invalid("begins", "开始时间已经过了，请选将来的时间")
    if not SHORTEST <= ends - begins <= LONGEST:
        raise Invalid("ends", "一次在15分钟到4小时之间，请改结束时间")


def check_alias(alias: str) -> str:
    """The alias without blanks around it; raises Invalid for none or one of more than 20 characters."""
    plain = alias.strip()
    if not 1 <= len(plain) <= LONGEST_ALIAS:
        raise Invalid("alias", "请写一个称呼，不超过20字，不必是真名")
    return plain


def check_cancel(begins: datetime, now: datetime, hours: int) -> None:
    """Whether a client may still cancel by themselves; raises TooLateToCancel."""
    if begins - now < timedelta(hours=hours):
        raise TooLateToCancel(hours=hours)


def offer_ends(begins: datetime, now: datetime, hours: int) -> datetime | None:
    """Until when a freed time is held for who is next: some hours, never past the last hour before it begins.

    None when there is no such time any more.
    """
    ends = min(now + timedelta(hours=hours), begins - timedelta(hours=1))
    return ends if ends > now else None


def check_outcome(begins: datetime, now: datetime) -> None:
    """Whether somebody came is known only when the time has begun; raises AppointmentNotThere."""
    if now < begins:
        raise AppointmentNotThere


def years_later(day: date, years: int) -> date:
    """The same day some years later, or earlier; of 29 February the 28th where there is none."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def code_of(random: bytes) -> str:
    """The code of an appointment made of 8 random bytes, 60 bits of them: K7MP-2QX4-9TRB."""
    value = int.from_bytes(random[:CODE_BYTES])
    plain = "".join(ALPHABET[value >> shift & 31] for shift in range((CODE_LETTERS - 1) * 5, -1, -5))
    return "-".join(plain[start : start + CODE_GROUP] for start in range(0, CODE_LETTERS, CODE_GROUP))


def spelling_of(code: str) -> str:
    """One spelling of a code for all ways to type it."""
    return code.upper().translate(_LOOKALIKES)
