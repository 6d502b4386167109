"""Alarm devices: the standard's time window, repetitions, silence and the quarter's test."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.care.devices import (
    LONGEST_REPEAT,
    POSSIBLE,
    DeviceState,
    Heard,
    is_in_time,
    is_repeat,
    owes_test,
    quarter_begins,
    quarter_ends,
    silent_after,
)

NOON = datetime(2026, 11, 26, 4, tzinfo=UTC)
WINDOW = timedelta(minutes=15)
SPANS = st.timedeltas(timedelta(0), timedelta(days=3))


@pytest.mark.parametrize(("seconds", "fits"), [(-21, False), (-20, True), (0, True), (40, True), (41, False)])
def test_a_stamp_may_be_forty_seconds_old_and_twenty_ahead(seconds: int, fits: bool) -> None:  # noqa: FBT001 - a case
    assert is_in_time(NOON - timedelta(seconds=seconds), NOON) is fits


def test_a_frame_without_a_stamp_is_not_judged_by_one() -> None:
    assert is_in_time(None, NOON)


def heard(
    *,
    stamped_at: datetime | None = None,
    spoke: bool = False,
    reported: bool = False,
    again: timedelta = timedelta(0),
) -> Heard:
    """An event that arrived at noon."""
    return Heard(stamped_at, NOON, NOON + again, spoke, reported)


@given(later=SPANS)
def test_the_same_stamp_is_the_same_event_however_late(later: timedelta) -> None:
    before = heard(stamped_at=NOON, spoke=True, reported=True)
    assert is_repeat(before, NOON, NOON + later, window=WINDOW, up_since=NOON)


@given(later=SPANS, spoke=st.booleans(), again=SPANS)
def test_within_the_window_or_while_nothing_else_was_said_it_is_told_again(
    later: timedelta,
    spoke: bool,  # noqa: FBT001 - drawn
    again: timedelta,
) -> None:
    now = NOON + max(later, again)
    expected = now - NOON - again <= WINDOW or (not spoke and now - NOON <= LONGEST_REPEAT)
    before = heard(spoke=spoke, reported=spoke, again=again)
    assert is_repeat(before, None, now, window=WINDOW, up_since=NOON) is expected


@pytest.mark.parametrize("reported", [False, True])
def test_a_receiver_that_died_before_its_answer_knows_the_event_when_it_is_back(reported: bool) -> None:  # noqa: FBT001 - a case
    back = NOON + timedelta(hours=2)
    before = heard(spoke=True, reported=reported)
    assert is_repeat(before, None, back + WINDOW, window=WINDOW, up_since=back) is not reported
    assert not is_repeat(before, None, back + WINDOW * 2, window=WINDOW, up_since=back)


def test_a_second_press_after_the_device_has_spoken_is_a_second_alarm() -> None:
    later = NOON + WINDOW + timedelta(seconds=1)
    assert not is_repeat(heard(spoke=True), None, later, window=WINDOW, up_since=NOON - WINDOW)


def test_a_device_is_silent_after_its_polls_did_not_come() -> None:
    assert silent_after(60, 3) == timedelta(seconds=210)


@given(day=st.dates(date(2024, 1, 1), date(2031, 12, 31)), ago=st.integers(0, 200), due=st.integers(0, 80))
def test_a_test_is_owed_once_the_quarter_is_so_old_and_had_none(day: date, ago: int, due: int) -> None:
    begins, ends = quarter_begins(day), quarter_ends(day)
    assert begins <= day < ends
    tested = datetime(day.year, day.month, day.day, 2, tzinfo=UTC) - timedelta(days=ago)
    owed = owes_test(tested, day, due_days=due)
    assert owed == (day >= begins + timedelta(days=due) and day - timedelta(days=ago) < begins)
    assert owes_test(None, day, due_days=0)


def test_what_was_recovered_never_comes_back_and_every_state_is_known() -> None:
    assert POSSIBLE[DeviceState.RECOVERED] == frozenset()
    assert set(POSSIBLE) == set(DeviceState)
    assert all(DeviceState.RECOVERED in after for state, after in POSSIBLE.items() if state != DeviceState.RECOVERED)
