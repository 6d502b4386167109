"""三问: what is asked, what somebody says to it, how it is answered, what is published of it.

Source: rules.md §5 (三问 问需、问计、问策: three kinds of solicitation, each entry answered (adopted, order opened,
explained) and published; anonymous allowed).
"""

from datetime import date, timedelta
from enum import StrEnum

from dispatch.errors import Invalid

LONGEST_TITLE = 60
LONGEST_WORDS = 2_000
LONGEST_NAME = 60


class AskKind(StrEnum):
    """问需, 问计, 问策."""

    NEED = "need"
    IDEA = "idea"
    POLICY = "policy"


class EntrySource(StrEnum):
    """By which way an entry came."""

    SITE = "site"
    DESK = "desk"
    HELPER = "helper"


class Outcome(StrEnum):
    """How an entry was answered."""

    ADOPTED = "adopted"
    ORDER = "order"
    EXPLAINED = "explained"


KIND_LABELS: dict[AskKind, str] = {AskKind.NEED: "问需", AskKind.IDEA: "问计", AskKind.POLICY: "问策"}
KIND_HINTS: dict[AskKind, str] = {
    AskKind.NEED: "您需要什么",
    AskKind.IDEA: "您有什么办法",
    AskKind.POLICY: "您对社区的安排怎么看",
}
SOURCE_LABELS: dict[EntrySource, str] = {
    EntrySource.SITE: "网上",
    EntrySource.DESK: "窗口或电话",
    EntrySource.HELPER: "上门的人",
}
OUTCOME_LABELS: dict[Outcome, str] = {
    Outcome.ADOPTED: "采纳",
    Outcome.ORDER: "已派单",
    Outcome.EXPLAINED: "说明",
}


def check_asking(title: str, words: str, opens_on: date, closes_on: date | None) -> None:
    """Refuse a question that says nothing, or closes before it opens; raises Invalid naming the field."""
    if not title.strip() or len(title) > LONGEST_TITLE:
        raise Invalid("title", "请写明题目,不超过60字")
    if not words.strip() or len(words) > LONGEST_WORDS:
        raise Invalid("words", "请写明想问什么,不超过2000字")
    if closes_on is not None and closes_on < opens_on:
        raise Invalid("closes_on", "截止的日子不能早于开始的日子")


def is_open(opens_on: date, closes_on: date | None, today: date) -> bool:
    """Whether entries are taken on a day; the last day itself counts."""
    return opens_on <= today and (closes_on is None or today <= closes_on)


def check_entry(words: str, name: str, phone: str, *, anonymous: bool) -> None:
    """Refuse an entry that says nothing; one without a name must not bring one. Raises Invalid naming the field."""
    if not words.strip() or len(words) > LONGEST_WORDS:
        raise Invalid("words", "请写下您的意见,不超过2000字")
    if len(name) > LONGEST_NAME:
        raise Invalid("name", "姓名不超过60字")
    if anonymous and (name.strip() or phone.strip()):
        raise Invalid("name", "匿名的意见不留姓名和电话;要留下请不要选匿名")


def check_answer(outcome: Outcome, words: str, shown: str, order_id: int | None) -> None:
    """Refuse an answer that says nothing, or names no order where one was opened; raises Invalid naming the field."""
    if not words.strip() or len(words) > LONGEST_WORDS:
        raise Invalid("answer", "请写明怎样答复,不超过2000字")
    if not shown.strip() or len(shown) > LONGEST_WORDS:
        raise Invalid("shown", "请写明公布的内容(去掉姓名、电话和住址),不超过2000字")
    if (outcome is Outcome.ORDER) != (order_id is not None):
        raise Invalid("order", "派了单的请填单号,没有派单的不要填")


def answer_due(said_on: date, days: int) -> date:
    """The last day on which an entry's answer is in time; a later day is alarmed."""
    return said_on + timedelta(days=days)
