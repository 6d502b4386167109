"""Which open orders may be the same matter as a new call: place, kind, time, words and caller."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

DEFAULT_THRESHOLD_PERMILLE = 550
"""Starting value (Q): same building and kind within the window reach it, same area and kind alone do not."""

DEFAULT_WINDOW = timedelta(hours=24)
"""Starting value (Q) of how long two calls may lie apart."""

DEFAULT_EVENT = timedelta(hours=2)
"""Starting value (Q) of how close calls about one event of a whole building (water, power) lie together."""

DEFAULT_MOST = 5
"""Starting value (Q) of how many are shown."""

_SAME_STAIRWELL = 350
_SAME_BUILDING = 250
_SAME_AREA = 80
_SAME_KIND = 300
_SAME_GROUP = 150
_SAME_CALLER = 150
_CLOSE_IN_TIME = 100
_SAME_WORDS = 100
_SIMILAR_WORDS_PERMILLE = 300
_BIGRAM = 2


class DuplicateReason(StrEnum):
    """What two orders have in common."""

    SAME_STAIRWELL = "same_stairwell"
    SAME_BUILDING = "same_building"
    SAME_AREA = "same_area"
    SAME_KIND = "same_kind"
    SAME_GROUP = "same_group"
    SAME_CALLER = "same_caller"
    SIMILAR_WORDS = "similar_words"


@dataclass(frozen=True, slots=True)
class Comparable:
    """What is compared of an order or a draft (order_id 0); the caller is a blind index, never a number."""

    order_id: int
    kind_id: int | None
    kind_group: str | None
    area_id: int | None
    building_id: int | None
    stairwell_id: int | None
    at: datetime
    text: str
    caller: bytes | None = None


@dataclass(frozen=True, slots=True)
class Match:
    """An open order that may be the same matter, with how like it is per mille and why."""

    order_id: int
    score_permille: int
    reasons: tuple[DuplicateReason, ...]


def likely_duplicates(
    draft: Comparable,
    open_orders: Iterable[Comparable],
    threshold_permille: int = DEFAULT_THRESHOLD_PERMILLE,
    window: timedelta = DEFAULT_WINDOW,
    most: int = DEFAULT_MOST,
    *,
    event: timedelta = DEFAULT_EVENT,
) -> list[Match]:
    """List the likeliest duplicates of a draft, best first, equals by order id.

    Beside the score it takes a sign that it is one matter (_may_be_one_matter), or every second call of a
    busy day had a hint. Weighed with the demo's days of 300 calls, all open for 24 h.
    Only shown to the operator, never merged by itself; orders further away in time than `window` do not
    count. Source: hotline.md §1 #3 (likely duplicates were shown) and #23 (same place and kind).
    """
    matches = [
        (_compare(draft, other, window), abs(draft.at - other.at) <= event)
        for other in open_orders
        if other.order_id != draft.order_id and abs(draft.at - other.at) <= window
    ]
    likely = [
        match
        for match, is_close in matches
        if match.score_permille >= threshold_permille and _may_be_one_matter(match, is_close=is_close)
    ]
    return sorted(likely, key=lambda match: (-match.score_permille, match.order_id))[:most]


def likeness_permille(one: str, other: str) -> int:
    """Give the Jaccard likeness of two texts by pairs of letters, 0 to 1000; blanks and marks are ignored."""
    first, second = _bigrams(one), _bigrams(other)
    if not first or not second:
        return 0
    return 1000 * len(first & second) // len(first | second)


def _bigrams(text: str) -> frozenset[str]:
    letters = "".join(character for character in text.lower() if character.isalnum())
    return frozenset(letters[place : place + _BIGRAM] for place in range(len(letters) - 1))


def _may_be_one_matter(match: Match, *, is_close: bool) -> bool:
    """Say whether more than nearness speaks for one matter: similar words, or the same kind and one more sign.

    The group alone says little (gas and drains are both repairs), nor does the kind within a whole building:
    two flats have two drains. There the calls must come together, as when the water of the house fails.
    """
    if DuplicateReason.SIMILAR_WORDS in match.reasons:
        return True
    is_at_one_door = bool({DuplicateReason.SAME_STAIRWELL, DuplicateReason.SAME_CALLER} & set(match.reasons))
    return DuplicateReason.SAME_KIND in match.reasons and (is_at_one_door or is_close)


def _compare(draft: Comparable, other: Comparable, window: timedelta) -> Match:
    found = [*_place(draft, other), *_kind(draft, other), *_caller(draft, other)]
    likeness = likeness_permille(draft.text, other.text)
    if likeness >= _SIMILAR_WORDS_PERMILLE:
        found.append((DuplicateReason.SIMILAR_WORDS, 0))
    score = sum(points for _, points in found) + _SAME_WORDS * likeness // 1000
    score += _CLOSE_IN_TIME - _CLOSE_IN_TIME * abs(draft.at - other.at) // window if window else _CLOSE_IN_TIME
    return Match(other.order_id, score, tuple(reason for reason, _ in found))


def _same(one: object, other: object) -> bool:
    return one is not None and one == other


def _place(draft: Comparable, other: Comparable) -> list[tuple[DuplicateReason, int]]:
    if _same(draft.stairwell_id, other.stairwell_id):
        return [(DuplicateReason.SAME_STAIRWELL, _SAME_STAIRWELL)]
    if _same(draft.building_id, other.building_id):
        return [(DuplicateReason.SAME_BUILDING, _SAME_BUILDING)]
    if _same(draft.area_id, other.area_id):
        return [(DuplicateReason.SAME_AREA, _SAME_AREA)]
    return []


def _kind(draft: Comparable, other: Comparable) -> list[tuple[DuplicateReason, int]]:
    if _same(draft.kind_id, other.kind_id):
        return [(DuplicateReason.SAME_KIND, _SAME_KIND)]
    if _same(draft.kind_group, other.kind_group):
        return [(DuplicateReason.SAME_GROUP, _SAME_GROUP)]
    return []


def _caller(draft: Comparable, other: Comparable) -> list[tuple[DuplicateReason, int]]:
    return [(DuplicateReason.SAME_CALLER, _SAME_CALLER)] if _same(draft.caller, other.caller) else []
