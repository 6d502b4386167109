"""Limits that moved are replayed over a corrected calendar."""

from datetime import UTC, date, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.catalogue.calendar import ALWAYS, DayKind, Period, WorkingCalendar
from dispatch.rules.orders.clocks import after_hold
from dispatch.rules.orders.moves import Ends, Extended, Held, Move, Renewed, replayed
from dispatch.rules.shanghai import SHANGHAI

HOURS = (Period.of("08:30-12:00"), Period.of("14:00-17:30"))
WEEK = dict.fromkeys(range(5), HOURS)
OFFICE = WorkingCalendar(WEEK, {}, frozenset({2026, 2027}))
INSTANTS = st.integers(0, 200 * 86_400).map(
    lambda seconds: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
)
MOVES = st.lists(
    st.builds(Extended, st.integers(1, 3))
    | st.tuples(INSTANTS, st.integers(0, 9 * 86_400)).map(lambda row: Held(row[0], row[0] + timedelta(seconds=row[1]))),
    max_size=4,
)


def at(day: int, hour: int) -> datetime:
    """Give a time in November 2026 in Shanghai; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, tzinfo=SHANGHAI)


def test_nothing_moves_what_nothing_moved() -> None:
    ends = Ends(at(25, 10), at(24, 10))
    assert replayed(ends, [], OFFICE, OFFICE) == ends


def test_a_hold_moves_each_limit_on_its_own_clock_and_an_extension_both_in_working_days() -> None:
    ends = Ends(at(25, 10), at(24, 10))
    made = replayed(ends, [Held(at(23, 11), at(24, 11)), Extended(2)], OFFICE, ALWAYS)
    assert made == Ends(at(30, 10), at(27, 10))


def test_long_works_end_when_they_say_and_never_earlier_than_before() -> None:
    assert replayed(Ends(at(25, 10), at(24, 10)), [Extended(until=at(30, 9))], OFFICE, OFFICE).service == at(30, 9)
    assert replayed(Ends(at(25, 10), at(27, 10)), [Extended(until=at(26, 9))], OFFICE, OFFICE) == Ends(
        at(26, 9), at(27, 10)
    )


def test_a_holiday_entered_later_moves_what_counted_over_it() -> None:
    holiday = WorkingCalendar(WEEK, {date(2026, 11, 26): DayKind.HOLIDAY}, frozenset({2026}))
    made = replayed(Ends(at(25, 10), at(25, 10)), [Extended(1)], holiday, holiday)
    assert made == Ends(at(27, 10), at(27, 10))


def test_what_is_opened_again_has_a_service_limit_from_then_on_and_the_civic_one_goes_on() -> None:
    ends, opened = Ends(at(25, 10), at(24, 10)), Renewed(at(26, 9), at(27, 9))
    assert replayed(ends, [opened], OFFICE, ALWAYS) == Ends(at(25, 10), at(27, 9))
    before, after = Held(at(23, 11), at(24, 11)), Held(at(26, 10), at(26, 12))
    assert replayed(ends, [before, opened, after], OFFICE, ALWAYS).service == at(27, 11)


def test_of_a_hold_in_which_an_order_was_opened_again_only_what_came_after_moves_its_new_limit() -> None:
    moves: list[Move] = [Renewed(at(26, 9), at(27, 9)), Held(at(25, 9), at(26, 10))]
    assert replayed(Ends(at(30, 10), at(24, 10)), moves, OFFICE, ALWAYS).service == at(27, 10)


@given(INSTANTS, INSTANTS, MOVES, st.integers(0, 30 * 86_400))
def test_opened_again_no_move_before_matters_to_the_service_limit(
    begin: datetime, end: datetime, moves: list[Move], seconds: int
) -> None:
    opened = Renewed(begin, begin + timedelta(seconds=seconds))
    made = replayed(Ends(end, end), [*moves, opened], OFFICE, OFFICE)
    assert made == Ends(replayed(Ends(end, end), moves, OFFICE, OFFICE).civic, opened.service)


@given(INSTANTS, INSTANTS, MOVES)
def test_no_move_makes_a_limit_earlier_and_the_last_hold_is_after_hold(
    civic: datetime, service: datetime, moves: list[Held | Extended]
) -> None:
    made = replayed(Ends(civic, service), moves, OFFICE, OFFICE)
    assert (made.civic >= civic, made.service >= service) == (True, True)
    once_more = Held(civic, civic + timedelta(days=1))
    again = replayed(Ends(civic, service), [*moves, once_more], OFFICE, OFFICE)
    assert again.civic == after_hold(made.civic, once_more.begin, once_more.end, OFFICE)
