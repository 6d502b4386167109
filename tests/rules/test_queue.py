"""Periods owed, back-off and death: pure rules of the queue."""

from datetime import UTC, datetime, time, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.queue import (
    LONGEST_BACK_OFF_SECONDS,
    MOST_ATTEMPTS,
    Every,
    Scheduled,
    back_off_seconds,
    due_instant,
    is_dead,
    next_period_start,
    period_name,
    period_start,
    periods_owed,
)
from dispatch.rules.shanghai import SHANGHAI

INSTANTS = st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds
SLOW = st.sampled_from([Every.DAY, Every.MONTH, Every.QUARTER])
TIMES = st.times(max_value=time(23, 59))
STANDSTILLS = st.timedeltas(timedelta(0), timedelta(days=400))


def owed_names(scheduled: Scheduled, last: datetime | None, now: datetime) -> list[str]:
    """The names of the periods owed."""
    return [due.period for due in periods_owed(scheduled, last, now)]


def test_a_standstill_over_two_days_and_a_quarters_end_owes_every_period() -> None:
    last = datetime(2026, 9, 29, 0, 10, tzinfo=SHANGHAI)
    now = datetime(2026, 10, 1, 8, 0, tzinfo=SHANGHAI)
    figures = Scheduled("figures", Every.DAY, time(0, 10))
    assert owed_names(figures, last, now) == ["2026-09-30", "2026-10-01"]
    statement = Scheduled("statement", Every.QUARTER, time(2, 0))
    assert owed_names(statement, datetime(2026, 7, 1, 2, tzinfo=SHANGHAI), now) == ["2026-Q4"]


def test_a_new_installation_owes_nothing_of_the_past() -> None:
    now = datetime(2026, 11, 23, 0, 5, tzinfo=SHANGHAI)
    assert owed_names(Scheduled("a", Every.DAY, time(0, 10)), None, now) == ["2026-11-22"]
    assert owed_names(Scheduled("a", Every.DAY, time(0, 10)), None, now + timedelta(minutes=5)) == ["2026-11-23"]


def test_a_probe_of_the_present_is_made_only_for_now() -> None:
    canary = Scheduled("canary", Every.MINUTE, only_newest=True)
    last = datetime(2026, 11, 23, 10, 0, tzinfo=SHANGHAI)
    assert owed_names(canary, last, last + timedelta(minutes=90, seconds=7)) == ["2026-11-23T11:30"]
    assert owed_names(canary, last, last + timedelta(seconds=59)) == []


@given(SLOW, TIMES, INSTANTS, STANDSTILLS)
def test_no_period_is_skipped_and_none_is_owed_twice(
    every: Every, at: time, first: datetime, standstill: timedelta
) -> None:
    scheduled = Scheduled("job", every, at)
    last = due_instant(scheduled, period_start(every, first))
    owed = list(periods_owed(scheduled, last, first + standstill))
    assert len({due.period for due in owed}) == len(owed)
    instants = [last, *(due.due_at for due in owed)]
    for before, after in pairwise(instants):
        assert due_instant(scheduled, next_period_start(every, period_start(every, before))) == after
    following = due_instant(scheduled, next_period_start(every, period_start(every, instants[-1])))
    assert following > first + standstill


@given(SLOW, TIMES, INSTANTS, STANDSTILLS, st.integers(1, 7))
def test_bounded_catch_up_comes_to_the_same_periods(
    every: Every, at: time, first: datetime, standstill: timedelta, most: int
) -> None:
    scheduled = Scheduled("job", every, at)
    start = due_instant(scheduled, period_start(every, first))
    now = first + standstill
    whole = owed_names(scheduled, start, now)
    last, bit_by_bit = start, []
    while some := list(islice(periods_owed(scheduled, last, now), most)):
        bit_by_bit += [due.period for due in some]
        last = some[-1].due_at
    assert bit_by_bit == whole


@given(st.sampled_from(Every), INSTANTS)
def test_a_periods_name_is_that_of_its_beginning_in_shanghai(every: Every, instant: datetime) -> None:
    start = period_start(every, instant)
    assert start <= instant < next_period_start(every, start)
    assert period_name(every, start) == period_name(every, period_start(every, start))
    assert period_name(every, start) != period_name(every, next_period_start(every, start))


@given(st.integers(1, 100))
def test_back_off_grows_and_is_bounded(attempts: int) -> None:
    assert 0 < back_off_seconds(attempts) <= back_off_seconds(attempts + 1) <= LONGEST_BACK_OFF_SECONDS


@pytest.mark.parametrize(("attempts", "dead"), [(1, False), (MOST_ATTEMPTS - 1, False), (MOST_ATTEMPTS, True)])
def test_the_last_attempt_is_the_last(attempts: int, dead: bool) -> None:  # noqa: FBT001 - a table of cases
    assert is_dead(attempts) is dead
