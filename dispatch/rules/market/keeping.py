"""What a keeper finds in a round and what two people count blind: pure judgements on what they wrote down.

Source: rules.md §6, “定期对食品保质期进行检查”; issue “Love supermarket”, count (blind, two people).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from dispatch.errors import Invalid, NotAllowed
from dispatch.rules.market.shelf import LotShelf

Place = tuple[int, str]
"""A lot and the spot where it stands."""


class Finding(StrEnum):
    """What was found of a lot in a round."""

    GOOD = "good"
    NEAR = "near"
    EXPIRED = "expired"
    SPOILED = "spoiled"


DESTROYED = frozenset({Finding.EXPIRED, Finding.SPOILED})
"""Findings whose goods are to be destroyed; near its end a lot only stands apart until somebody decides."""


class SamePerson(NotAllowed):
    """保管、审批、清点必须是三个不同的人"""


def expected_finding(lot: LotShelf, *, today: date, near_days: int) -> Finding:
    """What the dates alone say of a lot today; food without a date counts as past it."""
    if lot.last_good_day is None:
        return Finding.EXPIRED if lot.is_food else Finding.GOOD
    if lot.last_good_day < today:
        return Finding.EXPIRED
    return Finding.NEAR if lot.last_good_day < today + timedelta(days=near_days) else Finding.GOOD


def check_finding(found: Finding, expected: Finding, amount: int | None, *, left: int) -> int:
    """How much of a lot stands apart after a tick: nothing of a good one, all but of a spoiled one as counted.

    Nobody may tick a lot better than its dates are. Raises Invalid naming finding or amount.
    """
    order = (Finding.GOOD, Finding.NEAR, Finding.EXPIRED)
    if found is not Finding.SPOILED and order.index(found) < order.index(expected):
        raise Invalid("finding", "按保质期这一批不能这样登记，请看包装日期")
    if found is Finding.EXPIRED and expected is not Finding.EXPIRED:
        raise Invalid("finding", "这一批还没有过期；包装日期更早的，请先改早保质期")
    if found is Finding.GOOD:
        return 0
    apart = left if amount is None or found is not Finding.SPOILED else amount
    if not 1 <= apart <= left:
        raise Invalid("amount", "请填写坏了多少，不超过现有的 %(left)s", left=left)
    return apart


@dataclass(frozen=True, slots=True)
class CountResult:
    """What two blind counts say: by how much the book is off, and where the two do not agree."""

    differences: Mapping[Place, int]
    disputed: frozenset[Place]


def compare(book: Mapping[Place, int], first: Mapping[Place, int], second: Mapping[Place, int]) -> CountResult:
    """Compare two blind counts with the book; a place that somebody left out counts as disputed."""
    places = book.keys() | first.keys() | second.keys()
    disputed = {place for place in places if first.get(place) is None or first.get(place) != second.get(place)}
    differences = {
        place: first[place] - book.get(place, 0)
        for place in sorted(places - disputed)
        if first[place] != book.get(place, 0)
    }
    return CountResult(differences, frozenset(disputed))


def check_three(*people: int | None) -> None:
    """Refuse two tasks in one hand; raises SamePerson. None is nobody yet."""
    known = [person for person in people if person is not None]
    if len(known) != len(set(known)):
        raise SamePerson
