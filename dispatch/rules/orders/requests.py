"""Requests beside an order's state (退单 延期 挂起 协办 转派 最终答复): who asks, who decides, within which limits."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from dispatch.errors import Conflict, Invalid
from dispatch.rules.access.roles import ActorKind
from dispatch.rules.catalogue.calendar import WorkingCalendar
from dispatch.rules.orders.states import OrderState


class RequestKind(StrEnum):
    """What a team may ask for. Source: hotline.md §1, “Requests are records of their own”."""

    RETURN = "return"
    EXTENSION = "extension"
    HOLD = "hold"
    HELP = "help"
    REROUTE = "reroute"
    FINAL_ANSWER = "final_answer"


REQUEST_LABELS: dict[RequestKind, str] = {
    RequestKind.RETURN: "退单",
    RequestKind.EXTENSION: "延期",
    RequestKind.HOLD: "挂起",
    RequestKind.HELP: "协办",
    RequestKind.REROUTE: "转派",
    RequestKind.FINAL_ANSWER: "最终答复",
}


class RequestState(StrEnum):
    """How a request stands; all but the first are final."""

    PENDING = "pending"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


_S = OrderState
_WITH_TEAM = frozenset({_S.DISPATCHED, _S.SIGNED, _S.OFFERED, _S.ACCEPTED, _S.ARRIVED})
_BEFORE_ARRIVAL = _WITH_TEAM - {_S.ARRIVED}
_RESTING = frozenset({_S.AWAITING_HUMAN, _S.DISPATCHED, _S.SIGNED, _S.ACCEPTED, _S.ARRIVED})
_DISPATCHER = frozenset({ActorKind.DISPATCHER, ActorKind.CENTRE})
_CENTRE = frozenset({ActorKind.CENTRE})


@dataclass(frozen=True, slots=True)
class RequestRule:
    """In which states a request may be asked and granted, who decides it, and whether it needs a basis.

    `basis` is the duty basis of a return and the evidence of a final answer.
    """

    states: frozenset[OrderState]
    deciders: frozenset[ActorKind]
    needs_basis: bool


RULES: Mapping[RequestKind, RequestRule] = {
    RequestKind.RETURN: RequestRule(_BEFORE_ARRIVAL, _DISPATCHER, needs_basis=True),
    RequestKind.EXTENSION: RequestRule(_WITH_TEAM | {_S.AWAITING_HUMAN}, _CENTRE, needs_basis=False),
    RequestKind.HOLD: RequestRule(_RESTING, _CENTRE, needs_basis=False),
    RequestKind.HELP: RequestRule(_WITH_TEAM | {_S.FINISHED}, _DISPATCHER, needs_basis=False),
    RequestKind.REROUTE: RequestRule(_WITH_TEAM, _DISPATCHER, needs_basis=False),
    RequestKind.FINAL_ANSWER: RequestRule(_WITH_TEAM | {_S.AWAITING_HUMAN, _S.FINISHED}, _CENTRE, needs_basis=True),
}
"""Source: hotline.md §1 rows 5, 6, 17, 18, 21, 22, 24."""


@dataclass(frozen=True, slots=True)
class RequestLimits:
    """The limits of requests, as policies have them (published practice, hotline.md §1)."""

    return_working_days: int = 1
    extension_count: int = 3
    extension_working_days: int = 3
    long_works_days: int = 180
    hold_days: int = 90
    refusals_to_consultation: int = 2


class ReturnTooLate(Conflict):
    """退单要在派到团队后一个工作日内提出,已经过了时间,这一单由本团队办到底"""


class NotInThisState(Conflict):
    """订单当前的状态不能提这种申请"""


class TooManyExtensions(Conflict):
    """这一单的延期次数已经用完"""


class AlreadyDue(Conflict):
    """延期要在到期之前申请,这一单已经到期"""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request asks for: working days or an end, the other team, the helper's task."""

    days: int | None = None
    until: datetime | None = None
    long_works: bool = False
    team_id: int | None = None
    task: str = ""


def check_state(kind: RequestKind, state: OrderState) -> None:
    """Refuse a request where the order is in no state for it; raises NotInThisState."""
    if state not in RULES[kind].states:
        raise NotInThisState


def check_return(assigned_at: datetime, now: datetime, calendar: WorkingCalendar, limits: RequestLimits) -> None:
    """Refuse a return later than one working day after the team was given the order. Source: hotline.md §1 #5."""
    if now > calendar.add_working_days(assigned_at, limits.return_working_days).instant:
        raise ReturnTooLate


def check_extension(
    wish: Wish, *, granted: int, created_at: datetime, due_at: datetime, now: datetime, limits: RequestLimits
) -> None:
    """Refuse an extension after the due date, past the third, or longer than allowed. Source: hotline.md §1 #17.

    Ordinary extensions are counted in working days (1 to the limit); long works name an end within 180 days
    of the order's birth.
    """
    if now >= due_at:
        raise AlreadyDue
    if granted >= limits.extension_count:
        raise TooManyExtensions
    if wish.long_works:
        latest = created_at + timedelta(days=limits.long_works_days)
        if wish.until is None or not due_at < wish.until <= latest:
            raise Invalid(
                "until", "长期工程请填一个晚于现在时限、且在受理后 %(days)s 天以内的日期", days=limits.long_works_days
            )
    elif wish.days is None or not 1 <= wish.days <= limits.extension_working_days:
        raise Invalid("days", "每次延期请填 1 到 %(most)s 个工作日", most=limits.extension_working_days)


def check_hold(wish: Wish, *, now: datetime, limits: RequestLimits) -> None:
    """A hold needs an end in the future, not further than allowed. Source: hotline.md §1 #18, “end date required”."""
    if wish.until is None or not now < wish.until <= now + timedelta(days=limits.hold_days):
        raise Invalid("until", "挂起要写明截止时间,最长 %(days)s 天", days=limits.hold_days)


def extended(wish: Wish, due_at: datetime, calendar: WorkingCalendar) -> datetime:
    """Give the new due date: so many working days after the old one, or the end that long works name."""
    if wish.long_works and wish.until is not None:
        return wish.until
    return calendar.add_working_days(due_at, wish.days or 0).instant


def needs_consultation(refusals: int, limits: RequestLimits) -> bool:
    """Whether so many refused returns of one order call for a joint consultation. Source: hotline.md §1 #6."""
    return refusals >= limits.refusals_to_consultation


def may_decide(kind: RequestKind, decider: ActorKind, *, is_asker: bool) -> bool:
    """Whether somebody in this capacity decides such a request; nobody decides their own."""
    return decider in RULES[kind].deciders and not is_asker
