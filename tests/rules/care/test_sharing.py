"""Who goes, and in which order the homes of a day are walked."""

from datetime import UTC, date, datetime

from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.care.sharing import Candidate, Leave, choose, day_order, length, metres, walking_order

DAY = date(2026, 11, 26)
HOME = (28.455, 119.915)
points = st.tuples(st.floats(28.44, 28.47), st.floats(119.90, 119.93))


def helper(number: int, *, paired: bool = False, contacts: int = 0, load: int = 0, away: bool = False) -> Candidate:
    """A helper who lives a little further off than the one before."""
    leaves = (Leave(date(2026, 11, 20), None),) if away else ()
    return Candidate(number, paired, contacts, load, (HOME[0] + number / 1000, HOME[1]), leaves)


def test_a_paired_helper_goes_before_every_other() -> None:
    assert choose([helper(1, contacts=9), helper(2, paired=True, load=30)], DAY, HOME) == 2


def test_of_those_paired_the_one_with_least_to_do_goes_then_the_nearest() -> None:
    assert choose([helper(1, paired=True, load=3), helper(2, paired=True, load=2)], DAY, HOME) == 2
    assert choose([helper(2, paired=True), helper(1, paired=True)], DAY, HOME) == 1


def test_of_the_others_who_came_before_comes_again() -> None:
    assert choose([helper(1), helper(2, contacts=1, load=5), helper(3, contacts=1, load=6)], DAY, HOME) == 2


def test_nobody_on_leave_is_asked_and_nobody_may_be_found() -> None:
    assert choose([helper(1, paired=True, away=True), helper(2)], DAY, HOME) == 2
    assert choose([helper(1, paired=True, away=True)], date(2026, 11, 19), None) == 1
    assert choose([helper(1, paired=True, away=True)], DAY, HOME) is None
    assert choose([], DAY, HOME) is None


@given(st.lists(st.booleans(), max_size=6), st.dates(date(2026, 11, 1), date(2026, 12, 31)))
def test_who_is_chosen_can_come(away: list[bool], day: date) -> None:
    able = [helper(number, away=gone) for number, gone in enumerate(away, start=1)]
    chosen = choose(able, day, HOME)
    free = [one.performer_id for one in able if not any(leave.covers(day) for leave in one.leaves)]
    assert (chosen in free) if free else chosen is None


@given(points, st.lists(points, max_size=7))
def test_a_way_has_every_home_once_and_is_no_longer_than_going_to_the_nearest(
    start: tuple[float, float], stops: list[tuple[float, float]]
) -> None:
    way = walking_order(start, stops)
    assert sorted(way) == list(range(len(stops)))
    assert length(start, stops, way) <= length(start, stops, greedy(start, stops))
    assert way == walking_order(start, stops)


def greedy(start: tuple[float, float], stops: list[tuple[float, float]]) -> list[int]:
    """From here to the nearest, and so on."""
    left, here, way = set(range(len(stops))), start, []
    while left:
        nearest = min(left, key=lambda one: (metres(here, stops[one]), one))
        left.discard(nearest)
        way.append(nearest)
        here = stops[nearest]
    return way


def test_homes_in_a_row_are_walked_in_a_row() -> None:
    stops = [(HOME[0] + step / 1000, HOME[1]) for step in (3, 1, 4, 2)]
    assert walking_order(HOME, stops) == [1, 3, 0, 2]


@given(points, st.lists(st.tuples(points, st.none() | st.integers(0, 23)), max_size=7))
def test_a_day_keeps_its_times_and_walks_the_rest(
    start: tuple[float, float], stops: list[tuple[tuple[float, float], int | None]]
) -> None:
    hours = [None if hour is None else datetime(2026, 11, 26, hour, tzinfo=UTC) for _, hour in stops]
    order = day_order(start, [(point, begins) for (point, _), begins in zip(stops, hours, strict=True)])
    assert sorted(order) == list(range(len(stops)))
    told = [hours[place] for place in order]
    timed = [begins for begins in told if begins is not None]
    assert told[: len(timed)] == sorted(timed)
    if not timed:
        assert order == walking_order(start, [point for point, _ in stops])
