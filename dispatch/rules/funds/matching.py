"""Which line of the bank is which entry: the same fen, days near each other, each once; as many as can be."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta


@dataclass(frozen=True, slots=True)
class Item:
    """A line of the bank or an entry at it: id, day, fen, and the reference where there is one."""

    id: int
    day: date
    fen: int
    reference: str = ""


def match(lines: Iterable[Item], entries: Iterable[Item], days: int) -> list[tuple[int, int]]:
    """Pairs (line, entry) of equal fen whose days are at most so many apart: equal references first.

    The rest is taken in order of days, each line with the earliest entry that is near enough, which leaves as few
    as possible without a partner.
    """
    left, right = by_fen(lines), by_fen(entries)
    pairs: list[tuple[int, int]] = []
    for fen, of_bank in left.items():
        of_journal = right.get(fen, [])
        named = by_reference(of_bank, of_journal)
        pairs += named
        used = {line for line, _ in named}, {entry for _, entry in named}
        pairs += in_order(
            [one for one in of_bank if one.id not in used[0]],
            [one for one in of_journal if one.id not in used[1]],
            timedelta(days=days),
        )
    return pairs


def by_fen(items: Iterable[Item]) -> dict[int, list[Item]]:
    """Items by their fen, in order of days."""
    found: defaultdict[int, list[Item]] = defaultdict(list)
    for one in sorted(items, key=lambda item: (item.day, item.id)):
        found[one.fen].append(one)
    return found


def by_reference(lines: Sequence[Item], entries: Sequence[Item]) -> list[tuple[int, int]]:
    """Pairs whose reference is the same and no one else's."""
    known: defaultdict[str, list[int]] = defaultdict(list)
    for one in entries:
        if one.reference:
            known[one.reference].append(one.id)
    asked: defaultdict[str, list[int]] = defaultdict(list)
    for one in lines:
        if one.reference in known:
            asked[one.reference].append(one.id)
    return [(ids[0], known[name][0]) for name, ids in asked.items() if len(ids) == len(known[name]) == 1]


def in_order(lines: Sequence[Item], entries: Sequence[Item], near: timedelta) -> list[tuple[int, int]]:
    """Pairs in order of days, both sides sorted by them."""
    pairs, place = [], 0
    for line in lines:
        while place < len(entries) and entries[place].day < line.day - near:
            place += 1
        if place < len(entries) and entries[place].day <= line.day + near:
            pairs.append((line.id, entries[place].id))
            place += 1
    return pairs
