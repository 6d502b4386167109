"""Who may be given something (救助对象): the four grounds, whose they are, who decides, how long a decision holds.

Source: rules.md §6: 患大病特困人员、重残无业人员、孤寡老人 (persons); 因受灾或特发事件造成生活困难家庭 (a household).
"""

from calendar import monthrange
from datetime import date, timedelta
from enum import StrEnum

from dispatch.errors import Conflict, Invalid, NotAllowed


class Ground(StrEnum):
    """Why somebody may be given something: exactly these four (rules.md §6)."""

    SERIOUS_ILLNESS = "serious_illness"
    SEVERE_DISABILITY = "severe_disability"
    LONE_ELDER = "lone_elder"
    SUDDEN_HARDSHIP = "sudden_hardship"


GROUND_LABELS: dict[Ground, str] = {
    Ground.SERIOUS_ILLNESS: "患大病特困人员",
    Ground.SEVERE_DISABILITY: "重残无业人员",
    Ground.LONE_ELDER: "孤寡老人",
    Ground.SUDDEN_HARDSHIP: "因受灾或特发事件造成生活困难家庭",
}
OF_HOUSEHOLDS = frozenset({Ground.SUDDEN_HARDSHIP})
"""The ground that a whole household has; the others are a person's."""


class Standing(StrEnum):
    """How an application stands; `seconding` waits for the second approver, the last two are final."""

    APPLIED = "applied"
    SECONDING = "seconding"
    APPROVED = "approved"
    REFUSED = "refused"
    ENDED = "ended"


STANDING_LABELS: dict[Standing, str] = {
    Standing.APPLIED: "待审批",
    Standing.SECONDING: "待第二人审批",
    Standing.APPROVED: "已批准",
    Standing.REFUSED: "不批准",
    Standing.ENDED: "已终止",
}
WAITING = frozenset({Standing.APPLIED, Standing.SECONDING})
OPEN = WAITING | {Standing.APPROVED}
"""Of these a person, and a household, has one at a time."""


class NotWaiting(Conflict):
    """这件申请已经有了结果"""


class OwnApplication(NotAllowed):
    """自己登记的申请要由另一位来审批"""


class SecondSameAsFirst(NotAllowed):
    """管理人员亲属的申请要由两个人分别审批,您已经审批过"""


def ground_of(code: str) -> Ground:
    """The ground of a code; raises Invalid("ground")."""
    try:
        return Ground(code)
    except ValueError as error:
        raise Invalid("ground", "请选择四类救助对象中的一类") from error


def check_whose(ground: Ground, *, resident_id: int | None, household_id: int | None) -> None:
    """A person's ground needs the person, a household's the household, never both; raises Invalid naming the field."""
    wanted, other = ("household_id", resident_id) if ground in OF_HOUSEHOLDS else ("resident_id", household_id)
    given = household_id if ground in OF_HOUSEHOLDS else resident_id
    if given is None or other is not None:
        household = wanted == "household_id"
        raise Invalid(wanted, "这一类按家庭申请,请选择住户" if household else "这一类按个人申请,请选择居民")


def months_for(ground: Ground, *, of_persons: int, of_households: int) -> int:
    """For how many months a decision holds (Q: 12, of a household 6)."""
    return of_households if ground in OF_HOUSEHOLDS else of_persons


def last_day(first: date, months: int) -> date:
    """The last day of so many months: the same day of the month, else the month's last; that day itself counts."""
    index = first.year * 12 + first.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(first.day, monthrange(year, month)[1]))


def is_valid(standing: Standing, first: date | None, last: date | None, day: date) -> bool:
    """Whether a decision holds on a day, its first and last included."""
    return standing is Standing.APPROVED and first is not None and last is not None and first <= day <= last


def recheck_day(last: date, days_before: int) -> date:
    """From which day the re-check is due."""
    return last - timedelta(days=days_before)


def approvers_needed(*, is_relative: bool) -> int:
    """How many people approve: two where the applicant is a relative of a manager (rules.md §6)."""
    return 2 if is_relative else 1


def check_decider(standing: Standing, decider: int | None, *, applied_by: int | None, first_by: int | None) -> None:
    """Refuse whoever is no person, registered the application, or has approved it already; and what is decided."""
    if standing not in WAITING:
        raise NotWaiting
    if decider is None:
        raise NotAllowed
    if decider == applied_by:
        raise OwnApplication
    if standing is Standing.SECONDING and decider == first_by:
        raise SecondSameAsFirst


def after_approval(standing: Standing, *, is_relative: bool) -> Standing:
    """How it stands after one more approval."""
    if is_relative and standing is Standing.APPLIED:
        return Standing.SECONDING
    return Standing.APPROVED
