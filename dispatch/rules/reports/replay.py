"""The sheet of a period: what a fund held before, what came and went and for what, what it holds after.

Source: rules.md §6 (每季度向居民公开一次: opening, received, used by purpose, disposed, closing); decision 0009 (a
statement is the replay of the chain between two days; its closing is the next one's opening).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from dispatch.rules.funds.terms import SHAPES, EntryKind, Shape

RECEIVED: Final = frozenset(kind for kind, shape in SHAPES.items() if shape is Shape.RAISES)


@dataclass(frozen=True, slots=True)
class Moved:
    """What entries of one kind and purpose changed of what is owed to a fund; a reversal stands with what it undoes."""

    fund: str
    commodity: str
    kind: EntryKind
    purpose: str | None
    amount: int


@dataclass(slots=True)
class SheetRow:
    """A fund and a commodity in a period; what went is above zero, `other` signed (bought, packed, sold, moved)."""

    fund: str
    commodity: str
    opening: int
    received: dict[str, int] = field(default_factory=dict)
    used: dict[str, int] = field(default_factory=dict)
    disposed: int = 0
    other: dict[str, int] = field(default_factory=dict)

    @property
    def closing(self) -> int:
        """What is held after."""
        came, went = sum(self.received.values()), sum(self.used.values())
        return self.opening + came - went - self.disposed + sum(self.other.values())

    def take(self, moved: Moved) -> None:
        """Add what was moved to where it belongs."""
        if moved.kind is EntryKind.DISPOSAL:
            self.disposed -= moved.amount
        elif moved.purpose is not None:
            self.used[moved.purpose] = self.used.get(moved.purpose, 0) - moved.amount
        else:
            place = self.received if moved.kind in RECEIVED else self.other
            place[moved.kind] = place.get(moved.kind, 0) + moved.amount


def sheet(
    held: Mapping[tuple[str, str], int], inside: Iterable[Moved], after: Mapping[tuple[str, str], int]
) -> list[SheetRow]:
    """The rows of a period, by fund and commodity: from what is held now, what was moved in it, and what after it.

    Going back from today asks only for the days since, not for all that ever was.
    """
    moved = list(inside)
    opening = {key: amount - after.get(key, 0) for key, amount in held.items()}
    for one in moved:
        key = (one.fund, one.commodity)
        opening[key] = opening.get(key, 0) - one.amount
    rows = {key: SheetRow(*key, opening=amount) for key, amount in sorted(opening.items())}
    for one in moved:
        if one.amount:
            rows[one.fund, one.commodity].take(one)
    return [row for row in rows.values() if row.opening or row.received or row.used or row.disposed or row.other]
