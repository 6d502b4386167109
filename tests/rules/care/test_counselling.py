"""Appointments: codes that are read out, the limits of time, and steps that lead where they may."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.care import counselling as rule
from dispatch.rules.care.counselling import POSSIBLE, AppointmentState

NOON = datetime(2026, 11, 26, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)


@given(st.binary(min_size=8, max_size=32))
def test_a_code_has_three_groups_and_is_found_however_it_is_typed(random: bytes) -> None:
    code = rule.code_of(random)
    assert [len(part) for part in code.split("-")] == [4, 4, 4]
    typed = code.lower().replace("-", " ").replace("0", "o").replace("1", "l")
    assert rule.spelling_of(typed) == rule.spelling_of(code) == code.replace("-", "")


@given(st.integers(-48, 96), st.integers(1, 48))
def test_an_offer_stands_some_hours_and_never_into_the_last_hour(ahead: int, hours: int) -> None:
    begins = NOON + ahead * HOUR
    until = rule.offer_ends(begins, NOON, hours)
    if until is None:
        assert ahead <= 1
    else:
        assert NOON < until <= min(NOON + hours * HOUR, begins - HOUR)


@given(st.integers(0, 600), st.integers(0, 48))
def test_a_client_cancels_by_themselves_until_exactly_the_limit(minutes: int, hours: int) -> None:
    begins = NOON + timedelta(minutes=minutes)
    if minutes >= hours * 60:
        rule.check_cancel(begins, NOON, hours)
    else:
        with pytest.raises(rule.TooLateToCancel):
            rule.check_cancel(begins, NOON, hours)


@pytest.mark.parametrize("minutes", [14, 241])
def test_a_time_is_a_quarter_of_an_hour_to_four_hours_long_and_lies_ahead(minutes: int) -> None:
    with pytest.raises(Invalid):
        rule.check_time(NOON + HOUR, NOON + HOUR + timedelta(minutes=minutes), NOON)
    with pytest.raises(Invalid):
        rule.check_time(NOON, NOON + HOUR, NOON)


@given(st.sampled_from(AppointmentState), st.sampled_from(AppointmentState))
def test_a_step_is_taken_where_the_table_has_it_and_nowhere_else(state: AppointmentState, to: AppointmentState) -> None:
    if to in POSSIBLE[state]:
        assert rule.step(state, to) is to
    else:
        with pytest.raises(rule.AppointmentNotThere):
            rule.step(state, to)


@pytest.mark.parametrize("alias", ["", "   ", "很长很长的称呼" * 4])
def test_an_alias_says_something_short(alias: str) -> None:
    with pytest.raises(Invalid):
        rule.check_alias(alias)
