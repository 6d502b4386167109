"""Any range of days is a sum of few rows: whole months, weeks and days that cover it once and nothing else."""

from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.rules.reports.periods import (
    Cells,
    Grain,
    cells,
    first_day,
    next_first_day,
    period_before,
    step_of_trend,
    steps_of,
)

DAYS = st.dates(date(2020, 1, 1), date(2030, 12, 31))


def days_of(run: Cells) -> list[date]:
    """Every day that a run of rows covers."""
    return [
        day
        for start, end in steps_of(run.first, next_first_day(run.grain, run.last) - timedelta(days=1), Grain.MONTH)
        for day in (start + timedelta(days=n) for n in range((end - start).days + 1))
    ]


def rows_of(run: Cells) -> int:
    """How many rows of its grain a run has."""
    return len(steps_of(run.first, next_first_day(run.grain, run.last) - timedelta(days=1), run.grain))


@given(DAYS, st.integers(0, 1500))
def test_cells_cover_every_day_once_and_are_few(begin: date, length: int) -> None:
    end = begin + timedelta(days=length)
    found = cells(begin, end)
    covered = [day for run in found for day in days_of(run)]
    assert covered == [begin + timedelta(days=n) for n in range(length + 1)]
    assert all(first_day(run.grain, run.first) == run.first for run in found)
    assert sum(rows_of(run) for run in found if run.grain is not Grain.MONTH) <= 2 * (3 + 12)
    assert len(found) <= 7


def test_a_whole_month_a_week_and_a_day() -> None:
    assert cells(date(2026, 11, 1), date(2026, 11, 30)) == [Cells(Grain.MONTH, date(2026, 11, 1), date(2026, 11, 1))]
    assert cells(date(2026, 11, 23), date(2026, 11, 29)) == [Cells(Grain.WEEK, date(2026, 11, 23), date(2026, 11, 23))]
    assert cells(date(2026, 11, 25), date(2026, 11, 25)) == [Cells(Grain.DAY, date(2026, 11, 25), date(2026, 11, 25))]
    assert cells(date(2026, 11, 25), date(2026, 11, 24)) == []


@pytest.mark.parametrize(
    ("begin", "end", "before"),
    [
        (date(2026, 11, 1), date(2026, 11, 30), (date(2026, 10, 1), date(2026, 10, 31))),
        (date(2026, 3, 1), date(2026, 3, 31), (date(2026, 2, 1), date(2026, 2, 28))),
        (date(2026, 11, 23), date(2026, 11, 29), (date(2026, 11, 16), date(2026, 11, 22))),
        (date(2026, 11, 25), date(2026, 11, 25), (date(2026, 11, 24), date(2026, 11, 24))),
        (date(2026, 11, 1), date(2026, 11, 29), (date(2026, 10, 3), date(2026, 10, 31))),
    ],
)
def test_the_period_to_compare_with(begin: date, end: date, before: tuple[date, date]) -> None:
    assert period_before(begin, end) == before


@given(DAYS, st.integers(0, 1500))
def test_the_period_before_ends_where_this_begins(begin: date, length: int) -> None:
    first, last = period_before(begin, begin + timedelta(days=length))
    assert first <= last == begin - timedelta(days=1)


@given(DAYS, st.integers(0, 1500))
def test_a_trend_has_few_steps_that_lie_end_to_end(begin: date, length: int) -> None:
    end = begin + timedelta(days=length)
    steps = steps_of(begin, end, step_of_trend(begin, end))
    assert len(steps) <= 51
    assert (steps[0][0], steps[-1][1]) == (begin, end)
    assert all(last + timedelta(days=1) == first for (_, last), (first, _) in pairwise(steps))
