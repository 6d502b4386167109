"""What family far away see, by consent: that the monthly visit was done, that an alarm was resolved; nothing more.

Source: rules.md §4 (减少子女的担忧: children are told of alarm, resolution and monthly visit, by consent); issue 5
(family page: and nothing more). A month that was excused shows as no visit: why is nobody's business here.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Final

from dispatch.errors import Invalid
from dispatch.rules.care.terms import PeriodState

MOST_MONTHS: Final = 12
MOST_ALARMS: Final = 20


class Relation(StrEnum):
    """Who looks, as the elder said; no name is kept."""

    CHILD = "child"
    GRANDCHILD = "grandchild"
    SIBLING = "sibling"
    RELATIVE = "relative"


RELATION_LABELS: dict[Relation, str] = {
    Relation.CHILD: "子女",
    Relation.GRANDCHILD: "孙辈",
    Relation.SIBLING: "兄弟姐妹",
    Relation.RELATIVE: "其他亲属",
}


class Told(StrEnum):
    """All that is said of a month."""

    YES = "yes"
    NO = "no"
    NOT_YET = "not_yet"


TOLD_LABELS: dict[Told, str] = {Told.YES: "去过了", Told.NO: "没有去", Told.NOT_YET: "还没去"}
OF_STATE: Final[Mapping[str, Told]] = {PeriodState.MET: Told.YES, PeriodState.DUE: Told.NOT_YET}


@dataclass(frozen=True, slots=True)
class Month:
    """A month and whether somebody came."""

    name: str
    told: Told


def months_told(states: Iterable[tuple[str, str]], consented_on: date, today: date) -> list[Month]:
    """The months since the consent, this one first, at most twelve; a month in which one visit was done was done."""
    first, last = f"{consented_on:%Y-%m}", f"{today:%Y-%m}"
    order = [Told.NO, Told.NOT_YET, Told.YES]
    found: dict[str, Told] = {}
    for name, state in states:
        if first <= name <= last:
            found[name] = max(found.get(name, Told.NO), OF_STATE.get(state, Told.NO), key=order.index)
    return [Month(name, told) for name, told in sorted(found.items(), reverse=True)][:MOST_MONTHS]


def is_alive(expires_on: date, today: date, *, is_revoked: bool) -> bool:
    """Whether a link still opens: its last day is good."""
    return not is_revoked and today <= expires_on


def check_link(consented_on: date, expires_on: date, today: date, *, sees_something: bool) -> None:
    """Refuse a link without a consent, without an end or for nothing; raises Invalid naming the field."""
    if consented_on > today:
        raise Invalid("consented_on", "同意的日期不能晚于今天")
    if expires_on <= today:
        raise Invalid("expires_on", "有效期要晚于今天")
    if not sees_something:
        raise Invalid("sees", "请选择老人同意家属看什么")
