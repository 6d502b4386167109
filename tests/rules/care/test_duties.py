"""What a contact discharges, what excuses, the rate of a month, and when a miss is said to whom."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import DispatchError, Invalid
from dispatch.rules.care.alarming import both_unanswered, is_to_be_told, is_warned, levels_of, reached
from dispatch.rules.care.duties import Happened, Owed, discharges
from dispatch.rules.care.excuses import (
    NothingAsked,
    OwnExcuse,
    PeriodSettled,
    Stay,
    check_approve,
    check_ask,
    excuse_of_end,
    excused_by,
)
from dispatch.rules.care.figures import visit_rate
from dispatch.rules.care.terms import ASKED, ContactKind, DutyKind, Excuse, PeriodState

FEBRUARY = (date(2026, 2, 1), date(2026, 2, 28))
ONE_DAY = timedelta(days=1)
days = st.dates(date(2025, 1, 1), date(2028, 12, 31))
states = st.sampled_from(PeriodState)
periods = st.builds(
    lambda number, kind, start, length, state: Owed(number, kind, start, start + length * ONE_DAY, state),
    st.integers(1, 99),
    st.sampled_from(DutyKind),
    days,
    st.integers(0, 95),
    states,
)
contacts = st.builds(Happened, days, st.sampled_from(ContactKind), st.booleans(), st.booleans())


def owed(kind: DutyKind, number: int) -> Owed:
    """A period of February that is due."""
    return Owed(number, kind, *FEBRUARY, PeriodState.DUE)


ALL = [owed(kind, number) for number, kind in enumerate(DutyKind, start=1)]


@pytest.mark.parametrize(
    ("contact", "met"),
    [
        (Happened(date(2026, 2, 28), ContactKind.VISIT, answered=True), [1, 2, 3]),
        (Happened(date(2026, 2, 1), ContactKind.VISIT, answered=True, tested=True), [1, 2, 3, 4]),
        (Happened(date(2026, 1, 31), ContactKind.VISIT, answered=True), []),
        (Happened(date(2026, 3, 1), ContactKind.VISIT, answered=True), []),
        (Happened(date(2026, 2, 9), ContactKind.CALL, answered=True), [2]),
        (Happened(date(2026, 2, 9), ContactKind.CALL, answered=False), []),
        (Happened(date(2026, 2, 9), ContactKind.TEST, answered=True, tested=True), [4]),
    ],
)
def test_one_visit_discharges_what_it_counts_for(contact: Happened, met: list[int]) -> None:
    assert discharges(contact, ALL) == met


def test_a_community_may_let_a_call_count_for_the_month() -> None:
    call = Happened(date(2026, 2, 9), ContactKind.CALL, answered=True)
    assert discharges(call, ALL, by_phone=True) == [2, 3]


@given(contact=contacts, found=st.lists(periods, max_size=8), by_phone=st.booleans())
def test_nothing_is_met_outside_its_days_or_after_it_was_settled(
    contact: Happened, found: list[Owed], *, by_phone: bool
) -> None:
    met = discharges(contact, found, by_phone=by_phone)
    for one in found:
        if one.id in met and sum(other.id == one.id for other in found) == 1:
            assert one.state is PeriodState.DUE
            assert one.starts_on <= contact.day <= one.until
            assert contact.answered
    assert set(discharges(contact, found)) <= set(met) or by_phone


@pytest.mark.parametrize(
    ("kind", "stays", "stay"),
    [
        (DutyKind.MONTHLY_VISIT, [[Stay(5, date(2026, 1, 20), date(2026, 2, 1))]], 5),
        (DutyKind.MONTHLY_VISIT, [[Stay(5, date(2026, 1, 20), date(2026, 1, 31))]], None),
        (DutyKind.MONTHLY_VISIT, [[Stay(5, date(2026, 2, 28), None)]], 5),
        (DutyKind.MONTHLY_VISIT, [[Stay(5, date(2026, 3, 1), None)]], None),
        (DutyKind.VISIT, [[Stay(5, date(2026, 2, 1), date(2026, 2, 27))]], None),
        (DutyKind.VISIT, [[Stay(5, date(2026, 2, 27), None)]], 5),
        (DutyKind.VISIT, [[Stay(5, date(2026, 2, 27), None)], []], None),
        (DutyKind.VISIT, [[Stay(5, date(2026, 2, 27), None)], [Stay(6, date(2026, 2, 28), None)]], 5),
        (DutyKind.VISIT, [], None),
    ],
)
def test_a_stay_in_hospital_excuses(kind: DutyKind, stays: list[list[Stay]], stay: int | None) -> None:
    assert excused_by(kind, *FEBRUARY, stays) == stay


@given(st.sampled_from(DutyKind), days, st.integers(0, 95), days, st.integers(0, 60))
def test_a_stay_outside_a_period_excuses_nothing(
    kind: DutyKind, start: date, length: int, comes: date, nights: int
) -> None:
    until, goes = start + length * ONE_DAY, comes + nights * ONE_DAY
    found = excused_by(kind, start, until, [[Stay(1, comes, goes)]])
    assert found is None or (comes <= until and start <= goes)


def test_who_is_at_home_can_be_visited() -> None:
    whole = Stay(1, date(2025, 12, 1), None)
    assert all(excused_by(kind, *FEBRUARY, [[whole], []]) is None for kind in DutyKind)


def test_an_end_excuses_with_what_it_was() -> None:
    assert [excuse_of_end(code) for code in ("died", "ended", "moved", "not_alone")] == [Excuse.DIED] + [
        Excuse.ENDED
    ] * 3


@given(states, st.sampled_from(Excuse), st.none() | st.integers(1, 3), st.none() | st.integers(1, 3))
def test_an_exemption_takes_two_people_and_settled_is_settled(
    state: PeriodState, code: Excuse, asked_by: int | None, approver: int | None
) -> None:
    settled = state in {PeriodState.MET, PeriodState.EXCUSED}
    assert refusal_of(lambda: check_ask(state, code, "女儿接走")) is (
        PeriodSettled if settled else None if code in ASKED else Invalid
    )
    alone = approver is None or approver == asked_by
    wanted = PeriodSettled if settled else NothingAsked if asked_by is None else OwnExcuse if alone else None
    assert refusal_of(lambda: check_approve(state, asked_by, approver)) is wanted


def refusal_of(check: Callable[[], object]) -> type[DispatchError] | None:
    """How a check refuses, None when it lets through."""
    try:
        check()
    except DispatchError as refused:
        return type(refused)
    return None


@pytest.mark.parametrize("words", ["", "  ", "长" * 501])
def test_an_exemption_has_a_reason_in_words(words: str) -> None:
    with pytest.raises(Invalid) as refused:
        check_ask(PeriodState.MISSED, "away", words)
    assert refused.value.field == "words"


def test_the_rate_of_a_month_leaves_out_who_was_excused() -> None:
    found = visit_rate([PeriodState.MET] * 7 + [PeriodState.EXCUSED, PeriodState.MISSED, PeriodState.DUE])
    assert (found.owed, found.counted, found.permille) == (10, 9, 777)
    assert visit_rate([PeriodState.EXCUSED]).permille is None


@given(st.lists(states, max_size=40))
def test_a_rate_is_whole_only_when_everything_that_counts_was_made(found: list[PeriodState]) -> None:
    rate = visit_rate(found)
    assert rate.met + rate.excused + rate.missed + rate.due == rate.owed == len(found)
    if rate.permille is None:
        assert set(found) <= {PeriodState.EXCUSED}
    else:
        assert 0 <= rate.permille <= 1000
        assert (rate.permille == 1000) == (rate.missed + rate.due == 0)


LEVELS = levels_of(
    [
        {"after_days": 3, "level": "warning", "tell": "area_chief"},
        {"after_days": 0, "level": "notice", "tell": "desk"},
        {"after_days": 7, "level": "emergency", "tell": "centre"},
    ]
)


@given(days, st.integers(-5, 30))
def test_levels_are_reached_one_after_the_other(until: date, later: int) -> None:
    today = until + later * ONE_DAY
    count = reached(LEVELS, until, today)
    assert count == sum(later - 1 >= level.after_days for level in LEVELS)
    assert count <= reached(LEVELS, until, today + ONE_DAY) <= count + 1
    assert (count == 0) == (today <= until)


@given(days, st.lists(st.integers(1, 30), max_size=12), st.none() | st.integers(-5, 30))
def test_each_level_of_a_miss_is_told_once_until_somebody_was_there(
    until: date, kept: list[int], there: int | None
) -> None:
    seen = None if there is None else until + there * ONE_DAY
    told = [0]
    for today in sorted(until + later * ONE_DAY for later in kept):
        count = reached(LEVELS, until, today)
        if is_to_be_told(count, told[-1], until, seen if seen is not None and seen <= today else None):
            told.append(count)
            assert seen is None or seen <= until or seen > today
    assert told == sorted(set(told))
    if seen is None or seen <= until:
        assert told[-1] == max((reached(LEVELS, until, until + later * ONE_DAY) for later in kept), default=0)


@pytest.mark.parametrize("value", [None, [], [{"after_days": 0, "level": "loud", "tell": "desk"}], ["notice"]])
def test_levels_that_are_none_are_refused(value: object) -> None:
    with pytest.raises(Invalid):
        levels_of(value)


def test_a_warning_comes_on_its_day() -> None:
    assert [is_warned(date(2026, 2, 20), date(2026, 2, day)) for day in (19, 20, 21)] == [False, True, True]
    assert not is_warned(None, date(2026, 2, 20))


def test_two_calls_within_two_hours_that_nobody_answers_send_somebody() -> None:
    now = datetime(2026, 2, 9, 10, tzinfo=UTC)
    first, second, third = (now - timedelta(minutes=minutes) for minutes in (121, 120, 0))
    assert both_unanswered([second, third], now, 2)
    assert not both_unanswered([first, third], now, 2)
    assert not both_unanswered([third], now, 2)
