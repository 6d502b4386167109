"""Charity sales (爱心义卖): agreement first, takings counted by two people, banked, all of it into the named fund.

Source: rules.md §6 (partner charity and agreement before, two people count the takings, all of it into the named fund,
result published).
"""

from datetime import date
from enum import StrEnum

from dispatch.errors import Conflict, Invalid

MOST_BROUGHT = 100_000_000
LONGEST_NAME = 60
MOST_FEN = 100_000_000_00


class SaleState(StrEnum):
    """How a sale stands; COUNTED when two people found the same."""

    PLANNED = "planned"
    COUNTED = "counted"
    BANKED = "banked"
    PUBLISHED = "published"
    CANCELLED = "cancelled"


STATE_LABELS: dict[SaleState, str] = {
    SaleState.PLANNED: "等清点",
    SaleState.COUNTED: "已清点，待存入",
    SaleState.BANKED: "已存入，待公布",
    SaleState.PUBLISHED: "已公布",
    SaleState.CANCELLED: "已取消",
}


class SaleSource(StrEnum):
    """Whose goods are sold: our own, the partner's, or what somebody left to be sold."""

    OWN = "own"
    PARTNER = "partner"
    CONSIGNED = "consigned"


SOURCE_LABELS: dict[SaleSource, str] = {
    SaleSource.OWN: "爱心超市的",
    SaleSource.PARTNER: "合作单位的",
    SaleSource.CONSIGNED: "居民寄卖的",
}


class SaleNotThere(Conflict):
    """这场义卖现在的状态不能这样处理，请刷新后再看"""


class SamePersonCounted(Conflict):
    """款项要由两个人分别清点，您已经点过一次"""


class NotOverYet(Conflict):
    """义卖当天结束以后才能清点"""


def check_plan(name: str, held_on: date, agreed_on: date | None, valid_until: date | None) -> None:
    """Refuse a sale without a name or without an agreement that was signed before it; raises Invalid."""
    if not name.strip() or len(name) > LONGEST_NAME:
        raise Invalid("name", "请写明义卖的名称，不超过60字")
    if agreed_on is None:
        raise Invalid("agreement_id", "义卖要先与合作的慈善机构签协议")
    if agreed_on > held_on:
        raise Invalid("held_on", "义卖不能早于协议签订的日子")
    if valid_until is not None and valid_until < held_on:
        raise Invalid("held_on", "义卖那天协议已经到期")


def check_count(state: SaleState, held_on: date, today: date, fen: int, *, counted_before: bool) -> None:
    """Refuse a count that is out of turn, by somebody who has counted already, or no amount; raises Invalid."""
    if state is not SaleState.PLANNED:
        raise SaleNotThere
    if today < held_on:
        raise NotOverYet
    if counted_before:
        raise SamePersonCounted
    if not 0 <= fen <= MOST_FEN:
        raise Invalid("fen", "请填点到的金额")


def are_alike(first_fen: int, second_fen: int) -> bool:
    """Whether two people found the same; where not, nobody's figure wins by itself: both count again."""
    return first_fen == second_fen


def check_cancelled(state: SaleState, *, counted_once: bool) -> None:
    """Refuse calling off a sale whose takings somebody has counted."""
    if state is not SaleState.PLANNED or counted_once:
        raise SaleNotThere


def check_banked(state: SaleState, counted_fen: int, banked_fen: int) -> None:
    """Refuse banking less or more than was counted: all of it goes into the named fund."""
    if state is not SaleState.COUNTED:
        raise SaleNotThere
    if banked_fen != counted_fen:
        raise Invalid("fen", "存入的金额要与清点的一致，义卖所得全部归入指定的基金")


def check_published(state: SaleState) -> None:
    """Refuse publishing what is not banked."""
    if state is not SaleState.BANKED:
        raise SaleNotThere


def check_brought(state: SaleState, amount: int) -> None:
    """Refuse bringing nothing, too much, or something to a sale whose takings were counted; raises Invalid."""
    if state is not SaleState.PLANNED:
        raise SaleNotThere
    if not 0 < amount <= MOST_BROUGHT:
        raise Invalid("amount", "请填写数量")


def check_others(source: SaleSource, words: str) -> None:
    """Refuse goods of others without a word what they are, or own ones, which come out of the stock; raises Invalid."""
    if source is SaleSource.OWN:
        raise Invalid("source", "爱心超市自己的物资从库里带出")
    if not words.strip() or len(words) > LONGEST_NAME:
        raise Invalid("words", "请写明是什么，不超过60字")


def check_sold(state: SaleState, brought: int, said: int | None, sold: int) -> None:
    """Refuse saying twice how much was sold, or more than was brought; raises Invalid, SaleNotThere."""
    if state not in {SaleState.PLANNED, SaleState.COUNTED} or said is not None:
        raise SaleNotThere
    if not 0 <= sold <= brought:
        raise Invalid("sold", "卖出的不能超过带去的")
