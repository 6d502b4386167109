"""Which lots are taken for what is wanted: the one that ends first goes first, by itself.

Source: issue “Love supermarket”, Stock: earliest expiry first by itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from dispatch.errors import Conflict
from dispatch.rules.market.shelf import Days, LotShelf, MoveKind, Spot, may_be_given


class NotEnough(Conflict):
    """能发放的数量不够，还有 %(left)s"""


@dataclass(frozen=True, slots=True)
class Available:
    """So much of a lot at a spot."""

    lot_id: int
    amount: int
    shelf: LotShelf


@dataclass(frozen=True, slots=True)
class Taken:
    """So much to take of a lot at a spot."""

    lot_id: int
    spot: Spot
    amount: int


def first_out(one: Available) -> tuple[date, date, int, bool]:
    """The order in which lots go: earliest last day, then earliest come, then the older line; the shelf first."""
    last = one.shelf.last_good_day or date.max
    return last, one.shelf.received_on, one.lot_id, one.shelf.spot is not Spot.SHELF


def pick(available: Iterable[Available], wanted: int, kind: MoveKind, days: Days) -> tuple[Taken, ...]:
    """Take `wanted` (> 0) of what may be given, first out first; raises NotEnough and then takes nothing."""
    open_amount = wanted
    taken: list[Taken] = []
    for one in sorted(available, key=first_out):
        amount = min(open_amount, one.amount)
        if amount > 0 and may_be_given(one.shelf, kind, days):
            taken.append(Taken(one.lot_id, one.shelf.spot, amount))
            open_amount -= amount
    if open_amount > 0:
        raise NotEnough(left=wanted - open_amount)
    return tuple(taken)
