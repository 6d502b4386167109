"""Pledges (认捐): promised, fetched by an order or brought in, received as a gift; hostile words are refused.

Source: rules.md §6 (a call to the donation line becomes pledge → pick-up → receipt), §8 (to fetch one is an order).
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from dispatch.errors import Conflict, Invalid
from dispatch.rules.market.errands import Errand

LONGEST_WORDS = 500
LONGEST_NAME = 60
LONGEST_ADDRESS = 200
MOST_FEN = 100_000_000_00
"""A hundred million yuan: no promise on a form is more."""


class PledgeKind(StrEnum):
    """What is promised."""

    MONEY = "money"
    GOODS = "goods"


class PledgeSource(StrEnum):
    """How a promise reached us."""

    DESK = "desk"
    LINE = "line"
    SITE = "site"


class PledgeState(StrEnum):
    """How a pledge stands; the last two are final."""

    OPEN = "open"
    FETCHING = "fetching"
    FETCHED = "fetched"
    RECEIVED = "received"
    WITHDRAWN = "withdrawn"


KIND_LABELS: dict[PledgeKind, str] = {PledgeKind.MONEY: "捐款", PledgeKind.GOODS: "捐物"}
SOURCE_LABELS: dict[PledgeSource, str] = {
    PledgeSource.DESK: "服务台",
    PledgeSource.LINE: "捐赠热线",
    PledgeSource.SITE: "网上",
}
STATE_LABELS: dict[PledgeState, str] = {
    PledgeState.OPEN: "等安排",
    PledgeState.FETCHING: "上门去取",
    PledgeState.FETCHED: "已取到，待入账",
    PledgeState.RECEIVED: "已开收据",
    PledgeState.WITHDRAWN: "不捐了",
}
POSSIBLE: dict[PledgeState, frozenset[PledgeState]] = {
    PledgeState.OPEN: frozenset({PledgeState.FETCHING, PledgeState.RECEIVED, PledgeState.WITHDRAWN}),
    PledgeState.FETCHING: frozenset({PledgeState.FETCHED, PledgeState.OPEN}),
    PledgeState.FETCHED: frozenset({PledgeState.RECEIVED, PledgeState.FETCHING, PledgeState.OPEN}),
    PledgeState.RECEIVED: frozenset(),
    PledgeState.WITHDRAWN: frozenset(),
}
"""From where to where: an order that comes to nothing, or is re-opened, leads back."""
WAITING = frozenset({PledgeState.OPEN, PledgeState.FETCHING, PledgeState.FETCHED})
OUTCOMES: dict[Errand, PledgeState] = {
    Errand.UNDER_WAY: PledgeState.FETCHING,
    Errand.DONE: PledgeState.FETCHED,
    Errand.FAILED: PledgeState.OPEN,
}
"""What became of the order means for the pledge: come to nothing, it waits again."""


class PledgeNotThere(Conflict):
    """这笔认捐现在的状态不能这样处理，请刷新后再看"""


class NothingToFetch(Conflict):
    """捐款不用上门取，请告诉对方怎样交款"""


@dataclass(frozen=True, slots=True)
class Promise:
    """What somebody promises, as it was said: the words, money in fen, where to fetch it, when."""

    kind: PledgeKind
    words: str
    fen: int | None = None
    address_text: str = ""
    wanted_from: datetime | None = None
    wanted_until: datetime | None = None


def check_promise(promise: Promise) -> None:
    """Refuse a promise that says nothing: no words, goods without a place, money without an amount.

    Raises Invalid naming the field.
    """
    if not promise.words.strip():
        raise Invalid("words", "请写明捐什么、大概多少")
    if promise.kind is PledgeKind.GOODS:
        if promise.fen is not None:
            raise Invalid("fen", "捐物不写金额")
        if not promise.address_text.strip():
            raise Invalid("address_text", "请写明到哪里去取")
    elif promise.fen is None or not 0 < promise.fen <= MOST_FEN:
        raise Invalid("fen", "请写明捐多少钱")


def step(state: PledgeState, to: PledgeState) -> PledgeState:
    """The state after a step; raises PledgeNotThere where the step does not lead from here."""
    if to not in POSSIBLE[state]:
        raise PledgeNotThere
    return to
