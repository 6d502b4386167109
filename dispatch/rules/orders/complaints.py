"""Complaints about a firm's work on an order (投诉): who raises and who decides one, until when, with what sums.

Source: issue 3, “Firms” (complaints and disputes); nobody decides what they raised themselves (rules.md §1).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dispatch.errors import Conflict, Invalid
from dispatch.rules.access.roles import ActorKind
from dispatch.rules.orders.states import OrderState


class ComplaintKind(StrEnum):
    """What a complaint is about; one about the price is a dispute with an amount."""

    PRICE = "price"
    QUALITY = "quality"
    ATTITUDE = "attitude"
    NO_SHOW = "no_show"
    DAMAGE = "damage"
    OTHER = "other"


COMPLAINT_LABELS: dict[ComplaintKind, str] = {
    ComplaintKind.PRICE: "价格",
    ComplaintKind.QUALITY: "质量",
    ComplaintKind.ATTITUDE: "态度",
    ComplaintKind.NO_SHOW: "爽约",
    ComplaintKind.DAMAGE: "损坏",
    ComplaintKind.OTHER: "其他",
}


class ComplaintState(StrEnum):
    """How a complaint stands; the last three are final."""

    OPEN = "open"
    ANSWERED = "answered"
    UPHELD = "upheld"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"


STATE_LABELS: dict[ComplaintState, str] = {
    ComplaintState.OPEN: "等服务商答复",
    ComplaintState.ANSWERED: "等中心认定",
    ComplaintState.UPHELD: "属实",
    ComplaintState.REJECTED: "不属实",
    ComplaintState.WITHDRAWN: "已撤回",
}
WAITING = frozenset({ComplaintState.OPEN, ComplaintState.ANSWERED})


class Consequence(StrEnum):
    """What an upheld complaint means for the firm."""

    NONE = "none"
    WARNING = "warning"
    SUSPENSION = "suspension"


CONSEQUENCE_LABELS: dict[Consequence, str] = {
    Consequence.NONE: "不另作处理",
    Consequence.WARNING: "警告",
    Consequence.SUSPENSION: "暂停派单",
}
RAISERS = frozenset({ActorKind.OPERATOR, ActorKind.CALLBACK_CLERK, ActorKind.DISPATCHER, ActorKind.CENTRE})
DECIDERS = frozenset({ActorKind.CENTRE})


class NobodyToComplainAbout(Conflict):
    """这一单没有服务商接过,没有可投诉的服务商"""


class ComplaintTooLate(Conflict):
    """这一单办结已久,超过了可以投诉的天数"""


class AnswerStillAwaited(Conflict):
    """服务商还没有答复,答复期限也没有到,请到期以后再认定"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the centre decides: the refund (fen) of an upheld dispute, the end of a suspension."""

    upheld: bool
    consequence: Consequence = Consequence.NONE
    refund_fen: int | None = None
    until: datetime | None = None

    @property
    def state(self) -> ComplaintState:
        """How the complaint stands afterwards."""
        return ComplaintState.UPHELD if self.upheld else ComplaintState.REJECTED


def may_raise(capacity: ActorKind) -> bool:
    """Whether somebody in this capacity raises complaints: who speaks with residents, and the centre."""
    return capacity in RAISERS


def may_decide(capacity: ActorKind, *, is_raiser: bool) -> bool:
    """Whether somebody in this capacity decides a complaint; nobody decides what they raised."""
    return capacity in DECIDERS and not is_raiser


def check_raise(
    state: OrderState, taken_by: Sequence[int], closed_at: datetime | None, *, days: int, now: datetime
) -> None:
    """Refuse a complaint about an order that nobody took, or one that ended longer ago than so many days."""
    if not taken_by:
        raise NobodyToComplainAbout
    is_late = closed_at is not None and now > closed_at + timedelta(days=days)
    if is_late or state is OrderState.ARCHIVED:
        raise ComplaintTooLate


def disputed(kind: ComplaintKind, charged_fen: int, right_fen: int | None) -> int | None:
    """What of the cost is disputed: the cost less what the resident calls right; raises Invalid naming right_fen."""
    if kind is not ComplaintKind.PRICE:
        if right_fen is not None:
            raise Invalid("right_fen", "只有价格投诉才写金额")
        return None
    if right_fen is None or not 0 <= right_fen < charged_fen:
        raise Invalid("right_fen", "请填居民认为应收多少,要少于已收的费用")
    return charged_fen - right_fen


def check_decidable(state: ComplaintState, answer_due_at: datetime, now: datetime) -> None:
    """Refuse a decision before the firm was heard, unless its time to answer is over."""
    if state is ComplaintState.OPEN and now < answer_due_at:
        raise AnswerStillAwaited


def check_verdict(verdict: Verdict, disputed_fen: int | None, now: datetime) -> None:
    """Refuse consequences without fault, a refund beyond what is disputed, a suspension without an end to come."""
    if not verdict.upheld and verdict.consequence is not Consequence.NONE:
        raise Invalid("consequence", "不属实的投诉不能处理服务商")
    if not verdict.upheld or disputed_fen is None:
        if verdict.refund_fen is not None:
            raise Invalid("refund_fen", "只有属实的价格投诉才写退多少")
    elif verdict.refund_fen is None or not 0 < verdict.refund_fen <= disputed_fen:
        raise Invalid("refund_fen", "请填退给居民多少,不能超过有争议的金额")
    if (verdict.consequence is Consequence.SUSPENSION) != (verdict.until is not None):
        raise Invalid("until", "暂停派单要写明到什么时候为止，其他决定不写")
    if verdict.until is not None and verdict.until <= now:
        raise Invalid("until", "暂停派单的截止时间应在现在以后")
