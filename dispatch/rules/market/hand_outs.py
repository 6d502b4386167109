"""A hand-out at the counter (领取): the list that is signed, how long it stays reserved, which signing is taken.

Source: rules.md §6 (complete only with items, time, handler and signature, bound to the hash of the list);
promise.md §13 (reserved online may be signed offline, is sent once with its signing time).
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from dispatch.errors import Conflict, Invalid

CLOCKS_DIFFER = timedelta(minutes=2)
"""By how much a counter's clock may run ahead of ours."""


class HandOutState(StrEnum):
    """How a hand-out stands; the last three are final."""

    RESERVED = "reserved"
    DONE = "done"
    LAPSED = "lapsed"
    CANCELLED = "cancelled"


STATE_LABELS: dict[HandOutState, str] = {
    HandOutState.RESERVED: "已预留,待签字",
    HandOutState.DONE: "已领取",
    HandOutState.LAPSED: "超时未签,已放回",
    HandOutState.CANCELLED: "已取消",
}


class SigningWay(StrEnum):
    """What stands for the signature: a stroke on the glass, a scan of paper, or a thumb-print."""

    STROKE = "stroke"
    SCAN = "scan"
    THUMB = "thumb"


WAY_LABELS: dict[SigningWay, str] = {
    SigningWay.STROKE: "手写签名",
    SigningWay.SCAN: "纸上签名的扫描件",
    SigningWay.THUMB: "按手印",
}


class ReservationOver(Conflict):
    """预留的时间已过,物资已放回货架,请重新扫卡"""


class HandOutOver(Conflict):
    """这次领取已经办完或取消"""


class OtherList(Conflict):
    """签字的清单与预留的不一致,请刷新后重新核对"""


@dataclass(frozen=True, slots=True)
class Price:
    """What goods cost of a month: `points` for each `step` of their smallest unit that is begun."""

    points: int
    step: int

    def of(self, amount: int) -> int:
        """The points of an amount, rounded up."""
        return -(-amount * self.points // self.step)


@dataclass(frozen=True, slots=True)
class ListLine:
    """A line of the list: so much of a lot, and what it costs in points."""

    goods: str
    lot_id: int
    amount: int
    points: int


@dataclass(frozen=True, slots=True)
class Proxy:
    """Who signs for somebody else: the name, and what they are to them."""

    name: str
    relation: str


def list_digest(hand_out: str, lines: Iterable[ListLine]) -> bytes:
    """The SHA-256 of the list in canonical JSON (UTF-8, sorted keys, no spaces): what a signature is bound to.

    The order of the lines does not matter; the hand-out's own name is in it, so that no list is signed twice.
    """
    said = sorted([one.goods, one.lot_id, one.amount, one.points] for one in lines)
    content = json.dumps(
        {"hand_out": hand_out, "lines": said}, ensure_ascii=False, sort_keys=True, separators=(",", ":")
    )
    return sha256(content.encode()).digest()


def reserved_until(at: datetime, minutes: int) -> datetime:
    """Until when the goods are kept (Q: 15 minutes)."""
    return at + timedelta(minutes=minutes)


def is_over(until: datetime, now: datetime) -> bool:
    """Whether nobody may sign any more."""
    return now > until


def check_signing(
    state: HandOutState, reserved_at: datetime, until: datetime, *, signed_at: datetime, now: datetime
) -> None:
    """Take a signing that was made while the goods were kept, also when it is told later; raises what is wrong.

    One that lapsed here before it arrived is taken as well: it was signed in time, and the goods are gone. A clock
    that is a little behind has been set right by `moment_of`.
    """
    if state in {HandOutState.DONE, HandOutState.CANCELLED}:
        raise HandOutOver
    if signed_at > now + CLOCKS_DIFFER or signed_at < reserved_at:
        raise Invalid("signed_at", "签字的时间不对,请检查这台设备的时钟")
    if is_over(until, signed_at):
        raise ReservationOver


def moment_of(signed_at: datetime, reserved_at: datetime) -> datetime:
    """When it was signed: what a device says, but nobody signs a list before it is there.

    A device may be behind by as much as it may be ahead (2 minutes); one that is further away is refused.
    """
    behind = reserved_at - signed_at
    return reserved_at if timedelta() < behind <= CLOCKS_DIFFER else signed_at


def is_told_late(signed_at: datetime | None, now: datetime) -> bool:
    """Whether it was signed some time before it is told, so that the holder is gone with the goods (promise.md §13)."""
    return signed_at is not None and signed_at < now - CLOCKS_DIFFER


def check_proxy(name: str, relation: str) -> Proxy | None:
    """Who signs for the holder: both the name and the relation, or neither; raises Invalid naming what is missing."""
    if not name.strip() and not relation.strip():
        return None
    if not name.strip():
        raise Invalid("proxy_name", "请写代领人的姓名")
    if not relation.strip():
        raise Invalid("proxy_relation", "请写代领人与领取人的关系")
    return Proxy(name.strip(), relation.strip())
