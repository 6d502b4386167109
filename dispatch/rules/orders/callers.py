"""Who waits for the end of an order, what is the same matter, and what the answers of all callers come to."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from dispatch.rules.orders.callback import AfterCallback, Satisfaction


@dataclass(frozen=True, slots=True)
class Spot:
    """Where an order is and of which kind: what two orders must share to be merged without a word."""

    kind_id: int
    building_id: int | None
    stairwell_id: int | None


@dataclass(frozen=True, slots=True)
class Waiter:
    """A caller at an order: the number as a blind index (None: none was left), and whether at home as its own."""

    id: int
    index: bytes | None
    is_at_home: bool


@dataclass(frozen=True, slots=True)
class CallerAnswer:
    """What one caller who was reached answered."""

    contacted: bool
    solved: bool
    satisfaction: Satisfaction | None


WORST_FIRST: Final = tuple(reversed(Satisfaction))
"""The five steps from the worst."""


def is_same_matter(one: Spot, other: Spot) -> bool:
    """Tell whether two orders are of one kind and at one place: the same stairwell, or the same building.

    Source: hotline.md §1 #23. Anything else is merged only with a reason that is kept.
    """
    if one.kind_id != other.kind_id:
        return False
    if one.stairwell_id is not None and one.stairwell_id == other.stairwell_id:
        return True
    return one.building_id is not None and one.building_id == other.building_id


def who_waits(own_index: bytes | None, people: Iterable[Waiter]) -> frozenset[int]:
    """Give the ids of those for whom somebody has to be called, given in the order in which they came.

    A number is called once: not again for the order's own caller, nor for who came earlier. A caller without
    a number stays, so that the order tells of them; nobody can call them. Source: hotline.md §1 #23.
    """
    taken = {own_index}
    waiting = []
    for one in people:
        if one.is_at_home or (one.index is not None and one.index in taken):
            continue
        taken.add(one.index)
        waiting.append(one.id)
    return frozenset(waiting)


def together(outcome: AfterCallback, *, others_wait: bool, anybody_reached: bool) -> AfterCallback:
    """Give what follows for the order from a try that alone would lead to `outcome`.

    One unsolved or dissatisfied answer re-opens the order for all; it closes only when each caller was reached
    or tried three times, and counts as reached when anybody was. Source: hotline.md §1 #14, #14a, #16, #23.
    """
    if outcome in {AfterCallback.REOPEN, AfterCallback.SUPERVISE, AfterCallback.TRY_AGAIN}:
        return outcome
    if others_wait:
        return AfterCallback.TRY_AGAIN
    return AfterCallback.CLOSE if anybody_reached else AfterCallback.UNREACHED


def worst(answers: Collection[CallerAnswer]) -> CallerAnswer | None:
    """Give the answer by which the order counts: the worst of its callers decides; None when nobody was reached.

    Contacted and solved only when each says so; the lowest step of satisfaction. An order stands once in V,
    however many called about it. Source: hotline.md §4 (V = orders whose callback reached the caller).
    """
    if not answers:
        return None
    said = {one.satisfaction for one in answers}
    return CallerAnswer(
        contacted=all(one.contacted for one in answers),
        solved=all(one.solved for one in answers),
        satisfaction=next((step for step in WORST_FIRST if step in said), None),
    )
