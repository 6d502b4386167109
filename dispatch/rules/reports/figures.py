"""The figures of the hotline as functions of counts: what is set against what, and what it comes to.

What is due in a period is what was done or whose limit has passed: an order that may still be in time is neither
good nor bad. A figure without anything to set it against has no value: the pages say “无数据”, never 0.

Values are exact fractions; a number is rounded once, where it is shown, half up in decimal (972 : 911 → 93.72 %).
Source: hotline.md §4 (12345/96345 practice).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction
from typing import Final

from dispatch.errors import Invalid
from dispatch.rules.reports.counts import Counts

TEN_THOUSAND: Final = 10_000
SECONDS_OF_A_MINUTE: Final = 60
PLACES_OF_PERCENT: Final = 2


@dataclass(frozen=True, slots=True)
class Value:
    """A figure: numerator, denominator, and their quotient, None when there is nothing to divide by."""

    numerator: Fraction
    denominator: Fraction

    @property
    def value(self) -> Fraction | None:
        """The figure itself, exact."""
        return self.numerator / self.denominator if self.denominator else None


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of the composite score and of 基本满意 (policies figures.weight.*, figures.basically_satisfied)."""

    response: Fraction = Fraction(1, 10)
    solved: Fraction = Fraction(5, 10)
    satisfied: Fraction = Fraction(4, 10)
    basically_satisfied: Fraction = Fraction(9, 10)

    @classmethod
    def of(cls, response: object, solved: object, satisfied: object, basically_satisfied: object) -> "Weights":
        """Weights from policies; raises Invalid for a negative one, none at all, or 基本满意 above 1."""
        three = [Fraction(str(one)) for one in (response, solved, satisfied)]
        basically = Fraction(str(basically_satisfied))
        if min(three) < 0 or not any(three) or not 0 <= basically <= 1:
            raise Invalid("weights", "综合得分的比重不能是负数，也不能全为零；基本满意折算在0到1之间")
        return cls(three[0], three[1], three[2], basically)


PRACTICE: Final = Weights()
"""0.1·响应 + 0.5·解决 + 0.4·满意, 基本满意 = 0.9. Source: hotline.md §4."""


class Figure(StrEnum):
    """All figures; each is counted by one function below."""

    COMPOSITE = "composite"
    RESPONSE = "response"
    SOLVED = "solved"
    SATISFIED = "satisfied"
    CLOSED = "closed"
    CLOSED_IN_TIME = "closed_in_time"
    ANSWERED_IN_TIME = "answered_in_time"
    SIGNED_IN_TIME = "signed_in_time"
    ARRIVED_IN_TIME = "arrived_in_time"
    FIRST_ACCEPTED = "first_accepted"
    OFFERS_PER_ORDER = "offers_per_order"
    MINUTES_TO_ACCEPT = "minutes_to_accept"
    RETURNED = "returned"
    MISROUTED = "misrouted"
    OVERRIDDEN = "overridden"
    REOPENED = "reopened"
    REPEATED = "repeated"
    FAIRNESS = "fairness"
    PER_TEN_THOUSAND = "per_ten_thousand"


LABELS: Final[Mapping[Figure, str]] = {
    Figure.COMPOSITE: "综合",
    Figure.RESPONSE: "响应率",
    Figure.SOLVED: "解决率",
    Figure.SATISFIED: "满意率",
    Figure.CLOSED: "结案率",
    Figure.CLOSED_IN_TIME: "按期结案率",
    Figure.ANSWERED_IN_TIME: "按时办结率",
    Figure.SIGNED_IN_TIME: "签收及时率",
    Figure.ARRIVED_IN_TIME: "按时到场率",
    Figure.FIRST_ACCEPTED: "首派接单率",
    Figure.OFFERS_PER_ORDER: "每单询单轮数",
    Figure.MINUTES_TO_ACCEPT: "平均接单分钟",
    Figure.RETURNED: "退单率",
    Figure.MISROUTED: "错派率",
    Figure.OVERRIDDEN: "人工改派率",
    Figure.REOPENED: "重办率",
    Figure.REPEATED: "重复诉求率",
    Figure.FAIRNESS: "派单不均",
    Figure.PER_TEN_THOUSAND: "万人诉求比",
}


def over(numerator: int | Fraction, denominator: int | Fraction) -> Value:
    """Set one count against another."""
    return Value(Fraction(numerator), Fraction(denominator))


def response_rate(counts: Counts) -> Value:
    """响应率: contacted by the unit / V, the orders whose callback reached the caller, final answers left out."""
    return over(counts.contacted, counts.valued)


def solved_rate(counts: Counts) -> Value:
    """解决率: solved / V."""
    return over(counts.solved, counts.valued)


def satisfied_rate(counts: Counts, weights: Weights = PRACTICE) -> Value:
    """满意率: (非常满意 + 满意 + 0.9·基本满意) / V; the weight of 基本满意 is a policy."""
    good = counts.very_satisfied + counts.satisfied + weights.basically_satisfied * counts.basically_satisfied
    return over(good, counts.valued)


def composite_score(counts: Counts, weights: Weights = PRACTICE) -> Value:
    """综合: the three rates by their weights, over V; weights are shares of their sum, so it stays within 0..1."""
    total = weights.response + weights.solved + weights.satisfied
    parts = (
        (weights.response, response_rate(counts)),
        (weights.solved, solved_rate(counts)),
        (weights.satisfied, satisfied_rate(counts, weights)),
    )
    return over(sum((weight * rate.numerator for weight, rate in parts), Fraction()) / total, counts.valued)


def closing_rate(counts: Counts) -> Value:
    """结案率: closed / should be closed in the period. Golden: Tianmen, 911 / 972 → 93.72 %."""
    return over(counts.due_closed, counts.due)


def closed_in_time_rate(counts: Counts) -> Value:
    """按期结案率: closed, callback included, by the civic limit / should be closed. Golden: 737 / 972 → 75.82 %."""
    return over(counts.closed_in_time, counts.due)


def answered_in_time_rate(counts: Counts) -> Value:
    """按时办结率: answered by the team (反馈) by the civic limit / answers due in the period."""
    return over(counts.answered_in_time, counts.answers_due)


def signed_in_time_rate(counts: Counts) -> Value:
    """签收及时率: signed by its limit / orders that the team signs for by hand and whose limit ended in the period."""
    return over(counts.signed_in_time, counts.to_sign)


def arrived_in_time_rate(counts: Counts) -> Value:
    """按时到场率: first arrival by its limit / orders whose limit to arrive ended in the period."""
    return over(counts.arrived_in_time, counts.arrivals_due)


def first_accepted_rate(counts: Counts) -> Value:
    """首派接单率: accepted in the first round / orders whose first round ended with an answer or a lapse."""
    return over(counts.first_accepted, counts.first_answered)


def offers_per_order(counts: Counts) -> Value:
    """每单询单轮数: offer rounds / orders offered; not a rate."""
    return over(counts.rounds, counts.offered)


def minutes_to_accept(counts: Counts) -> Value:
    """平均接单分钟: minutes from the first offer to the first acceptance / orders accepted; not a rate."""
    return over(Fraction(counts.accept_seconds, SECONDS_OF_A_MINUTE), counts.accepted)


def returned_rate(counts: Counts) -> Value:
    """退单率: orders with an upheld 退单 / orders dispatched."""
    return over(counts.returned, counts.dispatched)


def misrouted_rate(counts: Counts) -> Value:
    """错派率: orders returned (upheld) or rerouted / orders dispatched."""
    return over(counts.misrouted, counts.dispatched)


def overridden_rate(counts: Counts) -> Value:
    """人工改派率: orders given by hand after the router had chosen somebody / orders dispatched."""
    return over(counts.overridden, counts.dispatched)


def reopened_rate(counts: Counts) -> Value:
    """重办率: orders done again / orders whose callback reached the caller."""
    return over(counts.reopened, counts.called)


def repeated_rate(counts: Counts) -> Value:
    """重复诉求率: orders whose stairwell had the same kind within some days before / orders with a stairwell."""
    return over(counts.repeated, counts.repeat_base)


def per_ten_thousand(placed: int, residents: int) -> Value:
    """万人诉求比: orders placed per 10,000 registered residents of the same place; not a rate."""
    return over(placed * TEN_THOUSAND, residents)


def gini(shares: Sequence[Fraction]) -> Fraction | None:
    """How unevenly something is spread: 0 when all have the same, towards 1 when one has all; None of nothing.

    Shares are not negative. Source: Gini's mean difference, G = Σ(2i − n − 1)·x_i / (n·Σx) over sorted x.
    """
    total = sum(shares, Fraction())
    if not total:
        return None
    count = len(shares)
    spread = sum(((2 * rank - count - 1) * one for rank, one in enumerate(sorted(shares), 1)), Fraction())
    return spread / (count * total)


def fairness(kept: Mapping[int, Mapping[int, int]], can: Mapping[int, Mapping[int, int]]) -> Value:
    """派单不均: Gini of kept work / fair share over the firms; 0 is even.

    `kept`: orders finished by kind and firm; `can`: capacity by kind and firm of those who may do the kind. A
    kind's finished orders are shared out among those by their capacity: that is a firm's fair share. Firms without
    one (no work of their kinds was done) are left out; work of a firm that may do the kind no more counts for nobody.
    """
    done: dict[int, Fraction] = {}
    share: dict[int, Fraction] = {}
    for kind, capacities in can.items():
        finished = {firm: number for firm, number in kept.get(kind, {}).items() if firm in capacities}
        all_of_it, capacity = sum(finished.values()), sum(capacities.values())
        for firm, own in capacities.items():
            done[firm] = done.get(firm, Fraction()) + finished.get(firm, 0)
            share[firm] = share.get(firm, Fraction()) + Fraction(all_of_it * own, capacity)
    uneven = gini([done[firm] / fair for firm, fair in share.items() if fair])
    return over(0, 0) if uneven is None else over(uneven, 1)


RATES: Final[Mapping[Figure, Callable[[Counts], Value]]] = {
    Figure.RESPONSE: response_rate,
    Figure.SOLVED: solved_rate,
    Figure.CLOSED: closing_rate,
    Figure.CLOSED_IN_TIME: closed_in_time_rate,
    Figure.ANSWERED_IN_TIME: answered_in_time_rate,
    Figure.SIGNED_IN_TIME: signed_in_time_rate,
    Figure.ARRIVED_IN_TIME: arrived_in_time_rate,
    Figure.FIRST_ACCEPTED: first_accepted_rate,
    Figure.OFFERS_PER_ORDER: offers_per_order,
    Figure.MINUTES_TO_ACCEPT: minutes_to_accept,
    Figure.RETURNED: returned_rate,
    Figure.MISROUTED: misrouted_rate,
    Figure.OVERRIDDEN: overridden_rate,
    Figure.REOPENED: reopened_rate,
    Figure.REPEATED: repeated_rate,
}
"""The figures that need nothing but counts."""

NO_RATES: Final = frozenset(
    {Figure.OFFERS_PER_ORDER, Figure.MINUTES_TO_ACCEPT, Figure.FAIRNESS, Figure.PER_TEN_THOUSAND}
)
"""Figures that are shown as plain numbers, not as a percentage."""
LESS_IS_BETTER: Final = frozenset(
    {
        Figure.OFFERS_PER_ORDER,
        Figure.MINUTES_TO_ACCEPT,
        Figure.RETURNED,
        Figure.MISROUTED,
        Figure.OVERRIDDEN,
        Figure.REOPENED,
        Figure.REPEATED,
        Figure.FAIRNESS,
        Figure.PER_TEN_THOUSAND,
    }
)


def figures_of(counts: Counts, weights: Weights = PRACTICE) -> dict[Figure, Value]:
    """Every figure that these counts give: all but fairness and 万人诉求比, which need more than counts."""
    scores = {Figure.COMPOSITE: composite_score(counts, weights), Figure.SATISFIED: satisfied_rate(counts, weights)}
    rates = {figure: rate(counts) for figure, rate in RATES.items()}
    return {figure: (scores | rates)[figure] for figure in Figure if figure in scores or figure in rates}


def rounded(value: Fraction, places: int = PLACES_OF_PERCENT) -> Decimal:
    """A value as it is shown: half up in decimal."""
    step = Decimal(1).scaleb(-places)
    scaled = value * 10**places
    whole, rest = divmod(abs(scaled.numerator), scaled.denominator)
    whole += 2 * rest >= scaled.denominator
    return Decimal(whole if scaled >= 0 else -whole) * step


def percent(value: Fraction) -> Decimal:
    """A rate in percent with two places, half up: 911/972 → 93.72."""
    return rounded(value * 100)


def shown(figure: Figure, value: Value) -> Decimal | None:
    """A figure as a number for people: percent of a rate, else with two places; None is “无数据”."""
    exact = value.value
    if exact is None:
        return None
    return rounded(exact) if figure in NO_RATES else percent(exact)
