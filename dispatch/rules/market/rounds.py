"""Yearly rounds (年度发放): a frozen list, each household once, carried on until everybody is reached or excused.

Source: rules.md §6 (每年向30多户特困家庭定期发放: list frozen, each household once, signature, unreached carried on
until 100 %).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from dispatch.errors import Conflict, Invalid
from dispatch.rules.market.errands import Errand

LONGEST_REASON = 300
LONGEST_SIGNER = 60
MOST_AMOUNT = 1_000_000


class RoundState(StrEnum):
    """How a round stands: its list grows, is frozen, and is over."""

    LISTING = "listing"
    FROZEN = "frozen"
    CLOSED = "closed"


class EntryState(StrEnum):
    """How a household of the list stands; the last two are final."""

    LISTED = "listed"
    OUT = "out"
    REACHED = "reached"
    UNREACHED = "unreached"
    DELIVERED = "delivered"
    EXCUSED = "excused"


ROUND_LABELS: dict[RoundState, str] = {
    RoundState.LISTING: "正在列名单",
    RoundState.FROZEN: "名单已定，发放中",
    RoundState.CLOSED: "全部发完",
}
ENTRY_LABELS: dict[EntryState, str] = {
    EntryState.LISTED: "待发放",
    EntryState.OUT: "送货中",
    EntryState.REACHED: "已送到，待记签收",
    EntryState.UNREACHED: "没有送到，待再送",
    EntryState.DELIVERED: "已签收",
    EntryState.EXCUSED: "不再发放（有原因）",
}
FINAL = frozenset({EntryState.DELIVERED, EntryState.EXCUSED})
ON_THE_WAY = frozenset({EntryState.OUT, EntryState.REACHED})
SENDABLE = frozenset({EntryState.LISTED, EntryState.UNREACHED})
OUTCOMES: dict[Errand, EntryState] = {
    Errand.UNDER_WAY: EntryState.OUT,
    Errand.DONE: EntryState.REACHED,
    Errand.FAILED: EntryState.UNREACHED,
}
"""What became of a delivery's order means for its household: come to nothing, it is carried on."""


class ListFrozen(Conflict):
    """名单已经确定，不能再增减"""


class ListNotFrozen(Conflict):
    """名单还没有确定，请先确定名单再发放"""


class NobodyListed(Conflict):
    """名单上还没有人"""


class SomebodyLeft(Conflict):
    """还有家庭没有发到，也没有写明原因，这一轮不能结束"""


class EntryNotThere(Conflict):
    """这一户现在的状态不能这样处理，请刷新后再看"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a round is: households reached, excused, and all of the list."""

    delivered: int
    excused: int
    listed: int

    @property
    def left(self) -> int:
        """How many are still to be reached."""
        return self.listed - self.delivered - self.excused

    @property
    def is_whole(self) -> bool:
        """Whether everybody was reached or has a reason."""
        return self.listed > 0 and self.left == 0

    @property
    def permille(self) -> int:
        """What part of the list is settled, rounded down: 1000 only when all of it is."""
        return (self.delivered + self.excused) * 1000 // self.listed if self.listed else 0


def progress(states: Iterable[EntryState]) -> Progress:
    """How far a round with entries in these states is."""
    found = list(states)
    return Progress(found.count(EntryState.DELIVERED), found.count(EntryState.EXCUSED), len(found))


def check_freeze(state: RoundState, households: Sequence[int]) -> None:
    """Refuse freezing a list that is frozen or empty; each household stands on it once. Raises Invalid, Conflict."""
    if state is not RoundState.LISTING:
        raise ListFrozen
    if not households:
        raise NobodyListed
    if len(set(households)) != len(households):
        raise Invalid("household_id", "每户每轮只能列一次")


def check_listable(state: RoundState) -> None:
    """Refuse adding to or taking from a frozen list."""
    if state is not RoundState.LISTING:
        raise ListFrozen


def check_sendable(state: RoundState, entry: EntryState) -> None:
    """Refuse a delivery before the list is frozen, or to a household that has its parcel, one under way or a reason."""
    if state is RoundState.LISTING:
        raise ListNotFrozen
    if state is RoundState.CLOSED or entry not in SENDABLE:
        raise EntryNotThere


def check_sign(state: RoundState, entry: EntryState, signer: str) -> None:
    """Refuse a signature without a signer, or for a parcel that nobody took there."""
    if state is not RoundState.FROZEN or entry not in ON_THE_WAY:
        raise EntryNotThere
    if not signer.strip() or len(signer) > LONGEST_SIGNER:
        raise Invalid("signer", "请写明谁签收的，代领的写明关系")


def check_set_back(state: RoundState, entry: EntryState, reason: str) -> None:
    """Refuse setting back what nobody took there, or without a reason."""
    if state is not RoundState.FROZEN or entry is not EntryState.REACHED:
        raise EntryNotThere
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Invalid("set_back", "请写明为什么没有交到手，不超过300字")


def check_excuse(state: RoundState, entry: EntryState, reason: str) -> None:
    """Refuse leaving out a household without a reason, or one that has its parcel."""
    if state is not RoundState.FROZEN or entry not in SENDABLE:
        raise EntryNotThere
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Invalid("reason", "请写明为什么不再发放，不超过300字")


def check_close(state: RoundState, entries: Iterable[EntryState]) -> None:
    """Refuse closing a round in which somebody was neither reached nor has a reason."""
    if state is not RoundState.FROZEN:
        raise ListNotFrozen
    if not progress(entries).is_whole:
        raise SomebodyLeft
