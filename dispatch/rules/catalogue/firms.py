"""A firm's standing with the district: applied, admitted, suspended, refused or left; who may decide what when."""

from collections.abc import Iterable
from datetime import date, datetime
from enum import StrEnum

from dispatch.errors import Conflict, Invalid, NotAllowed
from dispatch.rules.catalogue.papers import HeldPaper, hold

LONGEST_REASON = 500


class Standing(StrEnum):
    """Where a firm stands; SUSPENDED is never stored: it is ADMITTED with a suspension that has not ended."""

    APPLIED = "applied"
    ADMITTED = "admitted"
    SUSPENDED = "suspended"
    REFUSED = "refused"
    LEFT = "left"


class FirmAction(StrEnum):
    """What is decided about a firm; APPLY is the entry, WARN comes of a complaint."""

    APPLY = "apply"
    ADMIT = "admit"
    REFUSE = "refuse"
    SUSPEND = "suspend"
    LIFT = "lift"
    LEAVE = "leave"
    WARN = "warn"


STANDING_LABELS = {
    Standing.APPLIED: "待准入",
    Standing.ADMITTED: "已准入",
    Standing.SUSPENDED: "暂停派单",
    Standing.REFUSED: "未准入",
    Standing.LEFT: "已退出",
}
ACTION_LABELS = {
    FirmAction.APPLY: "申请",
    FirmAction.ADMIT: "准入",
    FirmAction.REFUSE: "不予准入",
    FirmAction.SUSPEND: "暂停派单",
    FirmAction.LIFT: "恢复派单",
    FirmAction.LEAVE: "退出",
    FirmAction.WARN: "警告",
}
POSSIBLE = {
    Standing.APPLIED: (FirmAction.ADMIT, FirmAction.REFUSE),
    Standing.ADMITTED: (FirmAction.SUSPEND, FirmAction.LEAVE, FirmAction.WARN),
    Standing.SUSPENDED: (FirmAction.LIFT, FirmAction.SUSPEND, FirmAction.LEAVE, FirmAction.WARN),
    Standing.REFUSED: (),
    Standing.LEFT: (),
}


class NotPossibleNow(Conflict):
    """这家服务商现在的状态不能这样处理，请刷新后再看"""


class SecondPersonNeeded(NotAllowed):
    """准入要由录入申请以外的第二个人决定"""


class PapersMissing(Conflict):
    """证照不全或者已经过期，不能准入，请先补齐证照"""


def standing_of(admission: str, suspended_until: datetime | None, now: datetime) -> Standing:
    """Where a firm stands at an instant: a suspension ends by itself."""
    stored = Standing(admission)
    is_suspended = suspended_until is not None and suspended_until > now
    return Standing.SUSPENDED if stored is Standing.ADMITTED and is_suspended else stored


def check_decision(standing: Standing, action: FirmAction, reason: str, until: datetime | None, now: datetime) -> None:
    """Refuse what is not possible from here, is without a reason, or a suspension without an end to come."""
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Invalid("reason", "请写明原因，不超过500字")
    if action not in POSSIBLE[standing]:
        raise NotPossibleNow
    if (action is FirmAction.SUSPEND) != (until is not None):
        raise Invalid("until", "暂停派单要写明到什么时候为止，其他决定不写")
    if until is not None and until <= now:
        raise Invalid("until", "暂停派单的截止时间应在现在以后")


def check_admission(
    held: Iterable[HeldPaper], needed: Iterable[str], today: date, *, entered_by: int | None, decided_by: int | None
) -> None:
    """Refuse an admission without every paper that the firm's kinds need, valid today, or by whoever entered it."""
    if decided_by is None or decided_by == entered_by:
        raise SecondPersonNeeded
    if not hold(held, frozenset(needed), today, today, demanded=True):
        raise PapersMissing
