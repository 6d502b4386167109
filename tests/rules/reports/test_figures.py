"""The figures: golden numbers of published practice, and what must hold of them whatever is counted."""

from dataclasses import replace
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import Invalid
from dispatch.rules.reports import figures
from dispatch.rules.reports.counts import MEASURES, NOTHING_COUNTED, Counts
from dispatch.rules.reports.figures import (
    LABELS,
    LESS_IS_BETTER,
    NO_RATES,
    RATES,
    Figure,
    Value,
    Weights,
    figures_of,
    percent,
    rounded,
    shown,
)

PARTS = {
    "placed": ("repeat_base", "dispatched", "offered", "due", "called"),
    "repeat_base": ("repeated",),
    "dispatched": ("misrouted", "overridden"),
    "misrouted": ("returned",),
    "to_sign": ("signed_in_time",),
    "offered": ("first_answered", "accepted"),
    "first_answered": ("first_accepted",),
    "arrivals_due": ("arrived_in_time",),
    "due": ("due_closed", "answered_in_time"),
    "due_closed": ("closed_in_time",),
    "called": ("reopened", "valued"),
    "valued": ("contacted", "solved"),
}
"""Which counts are parts of which; the five steps of satisfaction share V among them."""
STEPS = ("very_satisfied", "satisfied", "basically_satisfied", "dissatisfied", "very_dissatisfied")
BETTER = {
    Figure.RESPONSE: "contacted",
    Figure.SOLVED: "solved",
    Figure.SATISFIED: "satisfied",
    Figure.COMPOSITE: "solved",
    Figure.CLOSED: "due_closed",
    Figure.CLOSED_IN_TIME: "closed_in_time",
    Figure.ANSWERED_IN_TIME: "answered_in_time",
    Figure.SIGNED_IN_TIME: "signed_in_time",
    Figure.ARRIVED_IN_TIME: "arrived_in_time",
    Figure.FIRST_ACCEPTED: "first_accepted",
    Figure.RETURNED: "returned",
    Figure.MISROUTED: "misrouted",
    Figure.OVERRIDDEN: "overridden",
    Figure.REOPENED: "reopened",
    Figure.REPEATED: "repeated",
}
SHARES = st.lists(st.fractions(min_value=0, max_value=100), max_size=20)


@st.composite
def counted(draw: st.DrawFn) -> Counts:
    """Counts as orders give them: a part is never more than its whole."""
    values = {"placed": draw(st.integers(0, 1000)), "to_sign": draw(st.integers(0, 50))}
    values["arrivals_due"] = draw(st.integers(0, 50))
    for whole, parts in PARTS.items():
        for part in parts:
            values[part] = draw(st.integers(0, values[whole]))
    left = values["valued"]
    for step in STEPS:
        values[step] = draw(st.integers(0, left))
        left -= values[step]
    values["rounds"] = values["offered"] * draw(st.integers(1, 5))
    values["accept_seconds"] = values["accepted"] * draw(st.integers(0, 10_000))
    return Counts(**values)


def number(value: Value) -> Fraction | None:
    return value.value


def test_the_golden_closing_rates_of_tianmen() -> None:
    counts = Counts(due=972, due_closed=911, closed_in_time=737)
    assert shown(Figure.CLOSED, figures.closing_rate(counts)) == Decimal("93.72")
    assert shown(Figure.CLOSED_IN_TIME, figures.closed_in_time_rate(counts)) == Decimal("75.82")


def test_the_three_rates_and_the_composite_of_ten_calls() -> None:
    counts = Counts(
        valued=10, contacted=9, solved=8, very_satisfied=2, satisfied=3, basically_satisfied=2, dissatisfied=3
    )
    assert number(figures.response_rate(counts)) == Fraction(9, 10)
    assert number(figures.solved_rate(counts)) == Fraction(8, 10)
    assert number(figures.satisfied_rate(counts)) == Fraction(68, 100)
    assert number(figures.composite_score(counts)) == Fraction(1, 10) * Fraction(9, 10) + Fraction(4, 10) + Fraction(
        4, 10
    ) * Fraction(68, 100)


def test_weights_are_arguments() -> None:
    counts = Counts(valued=4, contacted=4, solved=2, basically_satisfied=4)
    only_solved = Weights.of(0, 1, 0, 0.5)
    assert number(figures.composite_score(counts, only_solved)) == Fraction(1, 2)
    assert number(figures.satisfied_rate(counts, only_solved)) == Fraction(1, 2)
    assert number(figures.composite_score(counts, Weights.of(1, 5, 4, 0.9))) == number(figures.composite_score(counts))


@pytest.mark.parametrize("wrong", [(-1, 1, 1, 0.9), (0, 0, 0, 0.9), (1, 1, 1, 1.1), (1, 1, 1, -0.1)])
def test_weights_that_make_no_score_are_refused(wrong: tuple[float, float, float, float]) -> None:
    with pytest.raises(Invalid):
        Weights.of(*wrong)


def test_misrouted_is_returned_or_rerouted_of_what_was_dispatched() -> None:
    counts = Counts(dispatched=8, returned=1, misrouted=3, overridden=2)
    values = figures_of(counts)
    assert [number(values[one]) for one in (Figure.RETURNED, Figure.MISROUTED, Figure.OVERRIDDEN)] == [
        Fraction(1, 8),
        Fraction(3, 8),
        Fraction(1, 4),
    ]


def test_minutes_and_rounds_are_averages() -> None:
    counts = Counts(offered=4, rounds=6, accepted=2, accept_seconds=450)
    assert shown(Figure.OFFERS_PER_ORDER, figures.offers_per_order(counts)) == Decimal("1.50")
    assert shown(Figure.MINUTES_TO_ACCEPT, figures.minutes_to_accept(counts)) == Decimal("3.75")


def test_orders_per_ten_thousand_residents() -> None:
    assert shown(Figure.PER_TEN_THOUSAND, figures.per_ten_thousand(37, 4_321)) == Decimal("85.63")
    assert shown(Figure.PER_TEN_THOUSAND, figures.per_ten_thousand(37, 0)) is None


def test_work_in_proportion_to_what_firms_can_do_is_even() -> None:
    can = {1: {7: 2, 8: 1}, 2: {8: 3}}
    even = figures.fairness({1: {7: 20, 8: 10}, 2: {8: 5}}, can)
    assert even.value == 0
    assert figures.fairness({1: {7: 30}}, can).value == Fraction(1, 2)
    assert figures.fairness({}, can).value is None
    assert figures.fairness({1: {99: 4}}, can).value is None


def test_nothing_counted_is_no_data_and_never_zero() -> None:
    values = figures_of(NOTHING_COUNTED)
    assert set(values) == set(Figure) - {Figure.FAIRNESS, Figure.PER_TEN_THOUSAND}
    assert {shown(figure, value) for figure, value in values.items()} == {None}


def test_every_figure_has_its_word_and_its_definition() -> None:
    assert set(LABELS) == set(Figure)
    assert all(rate.__doc__ and LABELS[figure] in rate.__doc__ for figure, rate in RATES.items())
    assert set(Figure) >= NO_RATES | LESS_IS_BETTER


@given(counted())
def test_a_rate_lies_between_nothing_and_all(counts: Counts) -> None:
    for figure, value in figures_of(counts).items():
        found = value.value
        assert found is None or found >= 0
        if figure not in NO_RATES:
            assert found is None or found <= 1
        assert (found is None) == (value.denominator == 0)


@given(counted())
def test_rounds_are_at_least_one_an_order(counts: Counts) -> None:
    found = figures.offers_per_order(counts).value
    assert found is None or found >= 1


@given(counted(), st.sampled_from(sorted(BETTER)))
def test_one_more_of_what_a_rate_counts_never_lowers_it(counts: Counts, figure: Figure) -> None:
    measure = BETTER[figure]
    before, after = (
        figures_of(one)[figure].value for one in (counts, replace(counts, **{measure: getattr(counts, measure) + 1}))
    )
    assert before is None or after is None or after > before


@given(counted(), counted())
def test_the_rate_of_two_periods_lies_between_theirs(one: Counts, other: Counts) -> None:
    for figure, together in figures_of(one + other).items():
        apart = [
            value for value in (figures_of(one)[figure].value, figures_of(other)[figure].value) if value is not None
        ]
        assert together.value is None or min(apart) <= together.value <= max(apart)


@given(counted())
def test_the_composite_lies_between_the_lowest_and_the_highest_rate(counts: Counts) -> None:
    values = figures_of(counts)
    rates = [values[one].value for one in (Figure.RESPONSE, Figure.SOLVED, Figure.SATISFIED)]
    score = values[Figure.COMPOSITE].value
    known = [rate for rate in rates if rate is not None]
    assert score is None or min(known) <= score <= max(known)


@given(SHARES)
def test_gini_lies_from_zero_to_below_one_and_does_not_mind_units(shares: list[Fraction]) -> None:
    found = figures.gini(shares)
    assert (found is None) == (sum(shares) == 0)
    if found is not None:
        assert 0 <= found < 1
        assert found == figures.gini([3 * one for one in shares]) == figures.gini(shares[::-1])
        assert (found == 0) == (len(set(shares)) == 1)


@given(SHARES)
def test_gini_is_the_mean_difference(shares: list[Fraction]) -> None:
    total, count = sum(shares), len(shares)
    if total:
        spread = sum(abs(one - other) for one in shares for other in shares)
        assert figures.gini(shares) == Fraction(spread) / (2 * count * total)


@given(st.fractions(min_value=-1_000, max_value=1_000, max_denominator=10_000), st.integers(0, 4))
def test_a_rounded_value_is_the_nearest(value: Fraction, places: int) -> None:
    step = Fraction(1, 10**places)
    assert abs(Fraction(rounded(value, places)) - value) * 2 <= step


@given(st.integers(0, 10_000), st.integers(0, 3))
def test_rounding_is_half_up_as_decimal_does_it(thousandths: int, places: int) -> None:
    expected = (Decimal(thousandths) / 1000).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    assert str(rounded(Fraction(thousandths, 1000), places)) == str(expected)


def test_half_a_hundredth_goes_up() -> None:
    assert [percent(Fraction(one, 20_000)) for one in (1, 3, 19_999)] == [
        Decimal("0.01"),
        Decimal("0.02"),
        Decimal("100.00"),
    ]
    assert str(percent(Fraction(1, 1))) == "100.00"


def test_counts_add_up_and_are_read_from_rows() -> None:
    one, other = Counts(placed=1, due=2), Counts(placed=3)
    assert one + other == Counts(placed=4, due=2)
    assert Counts.of({"placed": 5, "due": None, "day": "x"}) == Counts(placed=5)
    assert len(MEASURES) == len(set(MEASURES))
