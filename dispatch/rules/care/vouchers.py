"""Service vouchers (服务券): how an account goes from grant to its end, what may be redeemed, what a firm is owed.

Source: rules.md §4 (给10名服务对象每人发放500元的服务券: named account per person, 50,000 fen; partial redemption;
never below zero; not transferable; Q expiry date, remainder returns to the fund); §5 (at death it is frozen).
"""

from calendar import monthrange
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date
from enum import StrEnum
from typing import Final

from dispatch.errors import Conflict, Invalid
from dispatch.rules.access.tokens import typed
from dispatch.rules.funds.spoken import spoken
from dispatch.rules.funds.terms import Commodity

FEN_OF_A_VOUCHER: Final = 50_000
"""每人发放500元."""
BEGINNING: Final = "HQV/"
LAST_MONTH: Final = 12


class VoucherState(StrEnum):
    """asked → open ⇄ frozen → over; a grant that was not approved leaves `void`."""

    ASKED = "asked"
    OPEN = "open"
    FROZEN = "frozen"
    OVER = "over"
    VOID = "void"


class GrantState(StrEnum):
    """A list of persons is asked by one and granted or refused by another."""

    ASKED = "asked"
    GRANTED = "granted"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class RefundState(StrEnum):
    """Taking back a redemption is asked by one and done or refused by another."""

    ASKED = "asked"
    DONE = "done"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class CardEnd(StrEnum):
    """Why a paper card opens nothing any more: lost (its replacement kills it), or taken back."""

    LOST = "lost"
    REVOKED = "revoked"


VOUCHER_LABELS: dict[VoucherState, str] = {
    VoucherState.ASKED: "待审批",
    VoucherState.OPEN: "可以用",
    VoucherState.FROZEN: "已冻结",
    VoucherState.OVER: "已到期",
    VoucherState.VOID: "没有批准",
}
GRANT_LABELS: dict[GrantState, str] = {
    GrantState.ASKED: "待审批",
    GrantState.GRANTED: "已发放",
    GrantState.REFUSED: "不批准",
    GrantState.WITHDRAWN: "已撤回",
}
REFUND_LABELS: dict[RefundState, str] = {
    RefundState.ASKED: "退回待审批",
    RefundState.DONE: "已退回",
    RefundState.REFUSED: "不批准",
    RefundState.WITHDRAWN: "已撤回",
}
CARD_END_LABELS: dict[CardEnd, str] = {CardEnd.LOST: "已挂失", CardEnd.REVOKED: "已收回"}


class VoucherFrozen(Conflict):
    """这张服务券已冻结，不能使用，请联系社区"""


class VoucherOver(Conflict):
    """这张服务券已经到期，余额退回了基金"""


class NotLeft(Invalid):
    """服务券只剩 %(left)s，不够 %(wanted)s；可以先用掉余额，其余另付"""


class Settled(Conflict):
    """这一笔已经列入结算，不能再退；请先撤回结算，已经付款的由社区与服务商另行处理"""


@dataclass(frozen=True, slots=True)
class Purse:
    """What the account of a voucher holds, and to what it came: granted = left + taken + returned, at every instant."""

    state: VoucherState
    expires_on: date
    granted: int
    left: int
    taken: int = 0
    returned: int = 0

    def redeem(self, fen: int, today: date) -> "Purse":
        """A firm takes some; raises VoucherFrozen, VoucherOver, Invalid("fen"), NotLeft("fen")."""
        if self.state is VoucherState.FROZEN:
            raise VoucherFrozen
        if self.state is not VoucherState.OPEN or today > self.expires_on:
            raise VoucherOver
        if fen <= 0:
            raise Invalid("fen", "请填写大于零的金额")
        if fen > self.left:
            raise NotLeft("fen", left=said(self.left), wanted=said(fen))
        return replace(self, left=self.left - fen, taken=self.taken + fen)

    def refund(self, fen: int) -> "Purse":
        """What a firm took comes back, also to a frozen account; raises VoucherOver where that is closed."""
        if self.state not in {VoucherState.OPEN, VoucherState.FROZEN}:
            raise VoucherOver
        return replace(self, left=self.left + fen, taken=self.taken - fen)

    def freeze(self) -> "Purse":
        """Nothing is taken any more; said twice is said once."""
        return replace(self, state=VoucherState.FROZEN) if self.state is VoucherState.OPEN else self

    def thaw(self, today: date) -> "Purse":
        """A frozen account may be used again; said twice is said once. Raises VoucherOver after its last day."""
        if self.state not in {VoucherState.OPEN, VoucherState.FROZEN} or today > self.expires_on:
            raise VoucherOver
        return replace(self, state=VoucherState.OPEN)

    def lapse(self, today: date) -> "Purse":
        """The day after the last one what is left goes back to the fund."""
        if self.state not in {VoucherState.OPEN, VoucherState.FROZEN} or today <= self.expires_on:
            return self
        return replace(self, state=VoucherState.OVER, returned=self.left, left=0)


def said(fen: int) -> str:
    """Fen as people say them."""
    return spoken(fen, Commodity.FEN)


def check_grant(fen: int, people: int, expires_on: date, today: date) -> None:
    """Refuse a grant of nothing, to nobody, or for no day; raises Invalid naming the field."""
    if fen <= 0:
        raise Invalid("fen", "请填写大于零的金额")
    if people == 0:
        raise Invalid("people", "请至少选择一位服务对象")
    if expires_on <= today:
        raise Invalid("expires_on", "有效期要晚于今天")


def last_day(granted_on: date, months: int) -> date:
    """The last day of a voucher: the same day so many months later, or that month's last."""
    years, month = divmod(granted_on.month - 1 + months, LAST_MONTH)
    year = granted_on.year + years
    return date(year, month + 1, min(granted_on.day, monthrange(year, month + 1)[1]))


def read_code(text: str) -> str:
    """The token of a card, scanned or typed; raises Invalid("code") for what is no voucher's code."""
    token = typed(text.strip().upper().removeprefix(BEGINNING))
    if token is None:
        raise Invalid("code", "这不是服务券卡上的码，请重新扫描，或输入二维码下面的26位字母和数字")
    return token


def printed(token: str) -> str:
    """The text of a card's QR: nothing of a person."""
    return BEGINNING + token


@dataclass(frozen=True, slots=True)
class Taken:
    """A redemption as its settlement sees it: whose it is, from which fund, where the money lies."""

    id: int
    performer_id: int
    fund_id: int
    holding_id: int
    fen: int


@dataclass(frozen=True, slots=True)
class Owed:
    """What one firm is owed of one fund at one holding, and for which redemptions."""

    performer_id: int
    fund_id: int
    holding_id: int
    fen: int
    redemptions: tuple[int, ...]


def owed_to_firms(taken: Iterable[Taken]) -> list[Owed]:
    """Each redemption in exactly one sum: by firm, fund and holding, in a fixed order."""
    groups: defaultdict[tuple[int, int, int], list[Taken]] = defaultdict(list)
    for one in taken:
        groups[one.performer_id, one.fund_id, one.holding_id].append(one)
    return [
        Owed(*key, sum(one.fen for one in ones), tuple(sorted(one.id for one in ones)))
        for key, ones in sorted(groups.items())
    ]


def month_of(name: str) -> tuple[date, date]:
    """First and last day of a month as people write it, 2026-02; raises Invalid("month")."""
    try:
        first = date.fromisoformat(f"{name}-01")
    except ValueError as error:
        raise Invalid("month", "月份请写成 2026-02 这样") from error
    return first, first.replace(day=monthrange(first.year, first.month)[1])


def check_settled_month(last: date, today: date) -> None:
    """A month is settled when it is over; raises Invalid("month")."""
    if today <= last:
        raise Invalid("month", "这个月还没有过完，请下个月再结算")
