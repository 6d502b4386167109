"""A report is about the period before the one its job is named for; periods lie end to end."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.queue import Every, next_period_start, period_name, period_start
from dispatch.rules.reports.periods import (
    bounds_of_day,
    bounds_of_quarter,
    previous_period,
    quarter_of,
)

INSTANTS = st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@pytest.mark.parametrize(
    ("period", "before"),
    [
        ("2026-Q4", "2026-Q3"),
        ("2027-Q1", "2026-Q4"),
        ("2026-10-01", "2026-09-30"),
        ("2027-01-01", "2026-12-31"),
        ("2028-03-01", "2028-02-29"),
    ],
)
def test_the_period_before(period: str, before: str) -> None:
    assert previous_period(period) == before


@pytest.mark.parametrize("name", ["2026-Q5", "2026-Q0", "26-Q1", "yesterday", "2026-13-01", ""])
def test_names_that_are_no_period_are_refused(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        previous_period(name)
    assert refused.value.field == "period"


@given(INSTANTS)
def test_the_job_of_a_new_quarter_reports_on_the_one_that_has_ended(instant: datetime) -> None:
    begin = period_start(Every.QUARTER, instant)
    ended = previous_period(period_name(Every.QUARTER, begin))
    assert bounds_of_quarter(ended)[1] == begin
    assert ended == quarter_of(begin - timedelta(microseconds=1))


@given(INSTANTS)
def test_quarters_lie_end_to_end_as_the_clock_makes_them(instant: datetime) -> None:
    begin, end = bounds_of_quarter(quarter_of(instant))
    assert begin <= instant < end
    assert begin == period_start(Every.QUARTER, instant)
    assert end == next_period_start(Every.QUARTER, begin)


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)))
def test_a_day_ends_where_the_next_begins(day: date) -> None:
    begin, end = bounds_of_day(day)
    assert end - begin == timedelta(days=1)
    assert end == bounds_of_day(day + timedelta(days=1))[0]
