"""What excuses a period by rule, what needs a second person, and who may say so.

Source: rules.md §4 (an exemption has a reason and an approver; ended, in hospital or dead during the month: excused
with the event).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from dispatch.errors import Conflict, Invalid, NotAllowed
from dispatch.rules.care.terms import ASKED, DutyKind, Excuse, PeriodState

ONE_DAY = timedelta(days=1)
OF_CALENDAR = frozenset({DutyKind.MONTHLY_VISIT, DutyKind.LIVE_TEST})
LONGEST_WORDS = 500


class OwnExcuse(NotAllowed):
    """自己申请的免做要由另一位同事批准"""


class NothingAsked(Conflict):
    """这一次没有人申请免做,请先申请"""


class PeriodSettled(Conflict):
    """这一次已经做过或已经免做,不能再改"""


@dataclass(frozen=True, slots=True)
class Stay:
    """Days of somebody in hospital: its id, the first day and the last (None: still there)."""

    id: int
    starts_on: date
    until: date | None

    def covers(self, day: date) -> bool:
        """Whether the day is one of them; the days of coming and going are."""
        return self.starts_on <= day and (self.until is None or day <= self.until)


def excused_by(kind: DutyKind, starts_on: date, until: date, stays_of_each: Sequence[Iterable[Stay]]) -> int | None:
    """The hospital stay that excuses a period, by its id; None when none does.

    A month or quarter is excused by any day in it, a visit or a call by its last day, when it was due. Of a household
    somebody at home can be visited: everybody has to be in hospital on that day.
    """
    days = range((until - starts_on).days + 1) if kind in OF_CALENDAR else (0,)
    stays = [list(one) for one in stays_of_each]
    for back in days:
        day = until - back * ONE_DAY
        found = [next((stay.id for stay in own if stay.covers(day)), None) for own in stays]
        if found and None not in found:
            return found[0]
    return None


def excuse_of_end(end_code: str) -> Excuse:
    """What the end of an enrolment excuses its open periods with."""
    return Excuse.DIED if end_code == "died" else Excuse.ENDED


def check_ask(state: PeriodState, code: str, words: str) -> Excuse:
    """The excuse that is asked for; raises Invalid naming the field, PeriodSettled."""
    if state in {PeriodState.MET, PeriodState.EXCUSED}:
        raise PeriodSettled
    if code not in ASKED:
        raise Invalid("code", "请选择免做的原因")
    if not words.strip() or len(words) > LONGEST_WORDS:
        raise Invalid("words", "请写明为什么免做,不超过500字")
    return Excuse(code)


def check_approve(state: PeriodState, asked_by: int | None, approver: int | None) -> None:
    """An exemption that was asked for is approved by somebody else; raises PeriodSettled, NothingAsked, OwnExcuse."""
    if state in {PeriodState.MET, PeriodState.EXCUSED}:
        raise PeriodSettled
    if asked_by is None:
        raise NothingAsked
    if approver is None or approver == asked_by:
        raise OwnExcuse
