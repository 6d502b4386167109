"""Who goes, and in which order: continuity first, then load, then the way; never one who is on leave.

Source: rules.md §4 (pairing of a household with helpers); issue 5 (helpers' availability, continuity, load, walking
order of a day; swap and sick leave).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from math import cos, hypot, radians

METRES_PER_DEGREE = 111_320

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Leave:
    """Days on which a helper cannot come; without a last day the helper has left."""

    starts_on: date
    until: date | None

    def covers(self, day: date) -> bool:
        """Whether the day is one of them."""
        return self.starts_on <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A helper who may be asked: paired or not, how often at this home lately, what is open, where from."""

    performer_id: int
    paired: bool
    contacts: int
    load: int
    home: Point
    leaves: tuple[Leave, ...] = ()


def choose(candidates: Iterable[Candidate], day: date, where: Point | None) -> int | None:
    """The helper for a home on a day: one of those paired, else who came most often; least to do; nearest.

    None when nobody can come that day.
    """
    able = [one for one in candidates if not any(leave.covers(day) for leave in one.leaves)]
    if not able:
        return None
    best = min(
        able,
        key=lambda one: (
            not one.paired,
            0 if one.paired else -one.contacts,
            one.load,
            metres(one.home, where) if where is not None else 0,
            one.performer_id,
        ),
    )
    return best.performer_id


def metres(start: Point, end: Point) -> int:
    """The straight way between two points (latitude, longitude) of a town, in metres."""
    east = (end[1] - start[1]) * cos(radians((start[0] + end[0]) / 2))
    return round(hypot(end[0] - start[0], east) * METRES_PER_DEGREE)


def walking_order(start: Point, stops: Sequence[Point]) -> list[int]:
    """In which order to walk: the places of the stops, from the start the nearest next, then without crossings.

    Stops at one place keep their order; the same stops always give the same way.
    """
    left, here, way = list(range(len(stops))), start, []
    while left:
        nearest = min(left, key=lambda one: (metres(here, stops[one]), one))
        left.remove(nearest)
        way.append(nearest)
        here = stops[nearest]
    return uncrossed(start, stops, way)


def day_order(start: Point, stops: Sequence[tuple[Point, datetime | None]]) -> list[int]:
    """The places of a day's stops as they are gone to: those with a time by their time, then the others by the way."""
    timed = sorted((begins, place) for place, (_, begins) in enumerate(stops) if begins is not None)
    fixed = [place for _, place in timed]
    loose = [place for place, (_, begins) in enumerate(stops) if begins is None]
    here = stops[fixed[-1]][0] if fixed else start
    return fixed + [loose[one] for one in walking_order(here, [stops[place][0] for place in loose])]


def uncrossed(start: Point, stops: Sequence[Point], way: list[int]) -> list[int]:
    """A way, pieces of it turned round as long as that makes it shorter."""
    best, shortest = way, length(start, stops, way)
    turning = True
    while turning:
        turning = False
        for first in range(len(best) - 1):
            for last in range(first + 2, len(best) + 1):
                turned = best[:first] + best[first:last][::-1] + best[last:]
                reached = length(start, stops, turned)
                if reached < shortest:
                    best, shortest, turning = turned, reached, True
    return best


def length(start: Point, stops: Sequence[Point], way: Sequence[int]) -> int:
    """How far a way is, in metres."""
    points = [start, *(stops[one] for one in way)]
    return sum(metres(here, there) for here, there in pairwise(points))
