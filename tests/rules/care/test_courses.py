"""Courses: the lowest free seat, when a certificate is earned, how long a session may last."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.care import courses as rule

NOON = datetime(2026, 11, 26, 4, tzinfo=UTC)


@given(st.sets(st.integers(1, 30)), st.integers(1, 30))
def test_a_seat_is_free_below_and_within_the_places_or_there_is_none(taken: set[int], places: int) -> None:
    seat = rule.free_seat(taken, places)
    if seat is None:
        assert set(range(1, places + 1)) <= taken
    else:
        assert seat not in taken
        assert set(range(1, seat)) <= taken
        assert seat <= places


@given(st.integers(0, 60), st.integers(0, 60), st.integers(1, 1000))
def test_who_came_more_often_has_earned_what_who_came_less_has(present: int, held: int, least: int) -> None:
    if rule.has_earned(present, held, least):
        assert held > 0
        assert rule.has_earned(present + 1, held, least)
    else:
        assert held == 0 or present * 1000 < held * least


@pytest.mark.parametrize(("present", "held", "earned"), [(8, 10, True), (7, 10, False), (0, 0, False), (4, 5, True)])
def test_four_fifths_of_a_course_earn_its_certificate(present: int, held: int, earned: bool) -> None:  # noqa: FBT001 - a row
    assert rule.has_earned(present, held, 800) is earned


@pytest.mark.parametrize("length", [timedelta(), timedelta(hours=-1), timedelta(hours=12, minutes=1)])
def test_a_session_ends_after_it_begins_and_within_the_day(length: timedelta) -> None:
    with pytest.raises(Invalid, match="下课"):
        rule.check_session(NOON, NOON + length)
    rule.check_session(NOON, NOON + timedelta(hours=12))


def test_a_number_is_printed_with_its_year() -> None:
    assert rule.number_on(2026, 7) == "2026-0007"
