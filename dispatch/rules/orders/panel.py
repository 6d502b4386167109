"""Performers side by side: one column for each fact, ordered by id, as decisions are made on them and stored."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from itertools import pairwise
from operator import attrgetter, itemgetter
from typing import NamedTuple

from dispatch.rules.orders.columns import differences, packed
from dispatch.rules.orders.decision import Facts, Filter, PerformerClass, PerformerFacts, RoutingRequest

_ROW = attrgetter(
    "performer_id",
    "version",
    "papers_valid_until",
    "queue_minutes",
    "travel_minutes",
    "satisfaction_permille",
    "open_work",
    "capacity",
    "last_offered_minutes_ago",
)


class Standing(NamedTuple):
    """What does not change from order to order, and its stored form: packed once, not for every record."""

    ids: tuple[int, ...]
    versions: tuple[int, ...]
    papers: tuple[int, ...]
    satisfaction: tuple[int, ...]
    capacity: tuple[int, ...]
    stored: tuple[bytes, bytes, bytes, bytes, bytes]


class Panel(NamedTuple):
    """The performers to be judged for one order.

    `failed` has one byte for each, the first the lowest: the filters known to fail before papers, capacity and
    the order's own refusals are judged. `out` are those out by kind or cover, of whom nothing else is told.
    """

    standing: Standing
    failed: int
    queue_minutes: tuple[int, ...]
    travel_minutes: tuple[int, ...]
    open_work: tuple[int, ...]
    last_offered: tuple[int, ...]
    out: int = 0

    @property
    def facts(self) -> Facts:
        """The facts that a decision keeps."""
        ids, versions, papers, satisfaction, capacity, _ = self.standing
        return Facts(
            ids,
            versions,
            papers,
            self.queue_minutes,
            self.travel_minutes,
            satisfaction,
            self.open_work,
            capacity,
            self.last_offered,
        )


def standing(
    ids: Sequence[int],
    versions: Sequence[int],
    papers: Iterable[date | None],
    satisfaction: Sequence[int],
    capacity: Sequence[int],
) -> Standing:
    """Put the lasting facts of performers side by side; raises ValueError unless each id is above the one before."""
    if any(one >= other for one, other in pairwise(ids)):
        raise ValueError("a performer was given twice")
    days = tuple([0 if day is None else day.toordinal() for day in papers])
    columns = (differences(ids), versions, days, satisfaction, capacity)
    first, second, third, fourth, fifth = map(packed, columns)
    stored = (first, second, third, fourth, fifth)
    return Standing(tuple(ids), tuple(versions), days, tuple(satisfaction), tuple(capacity), stored)


NOBODY = Panel(standing((), (), (), (), ()), 0, (), (), (), ())
"""The panel without anybody."""


def known_failures(
    serves: Iterable[bool], covers: Iterable[bool], on_shift: Iterable[bool], suspended: Iterable[bool]
) -> int:
    """Give the bits of the filters that fail whatever is asked of a performer at that time."""
    failed = [
        (not kind) * Filter.SERVES_KIND.value
        | (not cell) * Filter.COVERS_CELL.value
        | (not shift) * Filter.ON_SHIFT.value
        | away * Filter.NOT_SUSPENDED.value
        for kind, cell, shift, away in zip(serves, covers, on_shift, suspended, strict=True)
    ]
    return int.from_bytes(bytes(failed), "little")


def with_more_work(panel: Panel, added: Mapping[int, int], minutes_per_job: int) -> Panel:
    """The panel after each of some performers (by id) was just offered so many pieces of work more."""
    places = {who: place for place, who in enumerate(panel.standing.ids) if who in added}
    if not places:
        return panel
    queue, work, offered = list(panel.queue_minutes), list(panel.open_work), list(panel.last_offered)
    for who, place in places.items():
        queue[place] += minutes_per_job * added[who]
        work[place] += added[who]
        offered[place] = 0
    return panel._replace(queue_minutes=tuple(queue), open_work=tuple(work), last_offered=tuple(offered))


def panel_of(request: RoutingRequest, performers: Iterable[PerformerFacts]) -> Panel:
    """Put performers, given in any order, side by side; for a named one nobody else is considered.

    Those out by kind or cover become one count.
    """
    is_named = request.performer_class is PerformerClass.NAMED
    given = [one for one in performers if not is_named or one.performer_id == request.named_performer_id]
    listed = [one for one in given if is_named or (one.serves_kind and one.covers_cell)]
    listed.sort(key=attrgetter("performer_id"))
    rows = list(map(_ROW, listed))
    ids, versions, papers, queue, travel, liked, work, most, offered = (
        tuple(map(itemgetter(place), rows)) for place in range(9)
    )
    failed = known_failures(
        (one.serves_kind for one in listed),
        (one.covers_cell for one in listed),
        (one.on_shift for one in listed),
        (one.suspended for one in listed),
    )
    lasting = standing(ids, versions, papers, liked, most)
    return Panel(lasting, failed, queue, travel, work, offered, len(given) - len(listed))
